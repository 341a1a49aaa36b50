// The session of the pipe, dispatch, the account, and voice. The rest is in fake_client_tickets.cpp and fake_client_calls.cpp.

#include "fake_client.hpp"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "misuse.hpp"

using namespace steam_abi;

namespace {

constexpr HSteamUser USER = 1;

// Counts a call that came while another of its kind was under way.
class Overlap {
 public:
  Overlap(std::atomic<int>& inFlight, std::atomic<std::uint64_t>& overlaps) : inFlight_(inFlight) {
    if (inFlight_.fetch_add(1) > 0) overlaps.fetch_add(1);
  }
  ~Overlap() { inFlight_.fetch_sub(1); }
  Overlap(const Overlap&) = delete;
  Overlap& operator=(const Overlap&) = delete;

 private:
  std::atomic<int>& inFlight_;
};

std::atomic<int> voiceInFlight{0};
std::atomic<int> decompressInFlight{0};
std::atomic<int> dispatchInFlight{0};

}  // namespace

FakeClient& FakeClient::the() {
  static FakeClient* const client = new FakeClient();
  return *client;
}

FakeClient::Lock FakeClient::enter(std::size_t self) {
  Lock lock(mutex_);
  if (!open_) misuse("an ISteamUser is called after shutdown");
  if (self != interface_) misuse("an ISteamUser of before the last shutdown is called");
  return lock;
}

std::string FakeClient::failure() {
  const Lock lock(mutex_);
  if (!failure_.empty()) return failure_;
  const char* wanted = std::getenv("HOTMIC_STAND_IN_FAIL");
  return wanted != nullptr && *wanted != '\0' ? wanted : "none";
}

AppId FakeClient::appIdOfEnvironment() {
  if (const char* text = std::getenv("SteamAppId"); text != nullptr && *text != '\0') {
    return static_cast<AppId>(std::strtoul(text, nullptr, 10));
  }
  unsigned app = 0;
  if (std::FILE* file = std::fopen("steam_appid.txt", "r"); file != nullptr) {
    if (std::fscanf(file, "%10u", &app) != 1) app = 0;
    std::fclose(file);
  }
  return app;
}

HSteamPipe FakeClient::open() {
  const AppId app = appIdOfEnvironment();
  const Lock lock(mutex_);
  if (open_) return pipe_;
  open_ = true;
  pipe_ += 1;
  interface_ = (interface_ + 1) % INTERFACES;
  app_ = app;
  counts_.inits += 1;
  return pipe_;
}

void FakeClient::close() {
  const Lock lock(mutex_);
  if (!open_) return;
  open_ = false;
  counts_.shutdowns += 1;
  callbacks_.clear();
  voice_.end();
  endSessions();
}

bool FakeClient::isOpen() {
  const Lock lock(mutex_);
  return open_;
}

HSteamPipe FakeClient::pipe() {
  const Lock lock(mutex_);
  return open_ ? pipe_ : 0;
}

std::size_t FakeClient::presentInterface() {
  const Lock lock(mutex_);
  return interface_;
}

void FakeClient::runFrame() {
  const Overlap overlap(dispatchInFlight, counts_.dispatchOverlaps);
  const Lock lock(mutex_);
  dispatchThreads_.insert(std::this_thread::get_id());
  counts_.frames += 1;
  callbacks_.runFrame();
}

bool FakeClient::nextCallback(HSteamPipe pipe, CallbackMsg* message) {
  const Overlap overlap(dispatchInFlight, counts_.dispatchOverlaps);
  const Lock lock(mutex_);
  dispatchThreads_.insert(std::this_thread::get_id());
  if (!open_) return false;
  if (pipe != pipe_) misuse("GetNextCallback of pipe %d, the open one is %d", pipe, pipe_);
  return callbacks_.next(USER, message);
}

void FakeClient::freeLastCallback(HSteamPipe pipe) {
  const Overlap overlap(dispatchInFlight, counts_.dispatchOverlaps);
  const Lock lock(mutex_);
  if (!open_) return;
  if (pipe != pipe_) misuse("FreeLastCallback of pipe %d, the open one is %d", pipe, pipe_);
  callbacks_.freeLast();
}

bool FakeClient::takeCallResult(HSteamPipe pipe, CallHandle call, void* buffer, std::int32_t bytes,
                                std::int32_t expectedId, bool* failed) {
  const Overlap overlap(dispatchInFlight, counts_.dispatchOverlaps);
  const Lock lock(mutex_);
  bool ignored = false;
  if (failed == nullptr) failed = &ignored;
  *failed = false;
  if (!open_) return false;
  if (pipe != pipe_) misuse("GetAPICallResult of pipe %d, the open one is %d", pipe, pipe_);
  return callbacks_.takeResult(call, buffer, bytes, expectedId, failed);
}

void FakeClient::releaseThreadMemory() {
  const Lock lock(mutex_);
  counts_.threadMemoryReleased += 1;
}

bool FakeClient::loggedOn(std::size_t self) {
  const Lock lock = enter(self);
  return account_.loggedOn;
}

SteamId FakeClient::steamId(std::size_t self) {
  const Lock lock = enter(self);
  return account_.steamId;
}

std::int32_t FakeClient::level(std::size_t self) {
  const Lock lock = enter(self);
  return account_.level;
}

std::int32_t FakeClient::badgeLevel(std::size_t self, std::int32_t series, bool foil) {
  const Lock lock = enter(self);
  const auto found = account_.badges.find({series, foil});
  return found == account_.badges.end() ? 0 : found->second;
}

bool FakeClient::behindNat(std::size_t self) {
  const Lock lock = enter(self);
  return account_.behindNat;
}

bool FakeClient::phoneVerified(std::size_t self) {
  const Lock lock = enter(self);
  return account_.phoneVerified;
}

bool FakeClient::phoneIdentifying(std::size_t self) {
  const Lock lock = enter(self);
  return account_.phoneIdentifying;
}

bool FakeClient::phoneRequiringVerification(std::size_t self) {
  const Lock lock = enter(self);
  return account_.phoneRequiringVerification;
}

bool FakeClient::twoFactor(std::size_t self) {
  const Lock lock = enter(self);
  return account_.twoFactor;
}

void FakeClient::startVoiceRecording(std::size_t self) {
  const Overlap overlap(voiceInFlight, counts_.voiceOverlaps);
  const Lock lock = enter(self);
  counts_.startVoiceRecording += 1;
  voice_.start();
}

void FakeClient::stopVoiceRecording(std::size_t self) {
  const Overlap overlap(voiceInFlight, counts_.voiceOverlaps);
  const Lock lock = enter(self);
  counts_.stopVoiceRecording += 1;
  voice_.stop();
}

VoiceResult FakeClient::getAvailableVoice(std::size_t self, std::uint32_t* bytes) {
  const Overlap overlap(voiceInFlight, counts_.voiceOverlaps);
  const Lock lock = enter(self);
  counts_.getAvailableVoice += 1;
  return voice_.available(bytes);
}

VoiceResult FakeClient::getVoice(std::size_t self, void* target, std::uint32_t room, std::uint32_t* written) {
  const Overlap overlap(voiceInFlight, counts_.voiceOverlaps);
  const Lock lock = enter(self);
  counts_.getVoice += 1;
  voiceThreads_.insert(std::this_thread::get_id());
  if (claims_) {
    claims_ = false;
    *written = claimedBytes_;
    return static_cast<VoiceResult>(claimedResult_);
  }
  return voice_.read(target, room, written);
}

VoiceResult FakeClient::decompress(std::size_t self, const void* voice, std::uint32_t voiceBytes, void* target,
                                   std::uint32_t room, std::uint32_t* written, std::uint32_t rateHz) {
  const Overlap overlap(decompressInFlight, counts_.decompressOverlaps);
  const Lock lock = enter(self);
  counts_.decompressVoice += 1;
  return decompressVoice(voice, voiceBytes, target, room, written, rateHz);
}

void FakeClient::reset() {
  account_ = Account();
  callbacks_.clear();
  voice_ = FakeVoice();
  endSessions();
  licenses_.clear();
  failure_.clear();
  encryptedLimit_ = std::chrono::milliseconds(60'000);
  ticketBytes_ = 234;
  webTicketBytes_ = 210;
  hasUserDataFolder_ = true;
  nextBegin_ = nextValidation_ = nextTicketResult_ = nextEncryptedResult_ = -1;
  nextOwner_ = 0;
  claims_ = false;
}
