// The fake Steam client: one state a process, behind one lock, which the stand-ins for Steam's libraries answer from.
//
// Every function may be called from any thread. Those of ISteamUser take the interface pointer that the caller holds and end
// the process when it is not the present one: null, or kept over a shutdown. Defaults: account 1, level 1, logged on, the
// licence of the running game.

#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "abi.hpp"
#include "callback_queue.hpp"
#include "fake_voice.hpp"

struct Account {
  steam_abi::SteamId steamId = 76561197960265729;
  bool loggedOn = true;
  std::int32_t level = 1;
  bool phoneVerified = false;
  bool phoneIdentifying = false;
  bool phoneRequiringVerification = false;
  bool twoFactor = false;
  bool behindNat = false;
  // {series, foil} to level.
  std::map<std::pair<std::int32_t, bool>, std::int32_t> badges;
  steam_abi::MarketEligibilityResponse market{true, 0, 0, 15, 7};
  // `result`, `app` and `notification` are put in with each answer.
  steam_abi::DurationControl duration{};
};

// Calls and what they left, for tests.
struct Counts {
  std::uint64_t inits = 0;
  std::uint64_t shutdowns = 0;
  std::uint64_t frames = 0;
  std::uint64_t getVoice = 0;
  std::uint64_t getAvailableVoice = 0;
  std::uint64_t startVoiceRecording = 0;
  std::uint64_t stopVoiceRecording = 0;
  std::uint64_t decompressVoice = 0;
  std::uint64_t ticketsCancelled = 0;
  std::uint64_t threadMemoryReleased = 0;
  // Calls that came while another of their kind was under way: getVoice and its like; decompressVoice; dispatch.
  std::atomic<std::uint64_t> voiceOverlaps{0};
  std::atomic<std::uint64_t> decompressOverlaps{0};
  std::atomic<std::uint64_t> dispatchOverlaps{0};
};

class FakeClient {
 public:
  // The one of this library. Never destroyed: threads may still call while the process ends.
  static FakeClient& the();

  // How initialisation fails: "none", "module", "interface", "pipe", "user", "app-id", "version" or "accessor". What was set
  // by control, else the environment's HOTMIC_STAND_IN_FAIL, else none.
  std::string failure();
  // From SteamAppId, else from steam_appid.txt in the working folder; 0 without both.
  static steam_abi::AppId appIdOfEnvironment();

  // A session of the pipe. `open` gives the pipe; the pointer of ISteamUser is another after each.
  steam_abi::HSteamPipe open();
  void close();
  bool isOpen();
  steam_abi::HSteamPipe pipe();
  // Which of the interface objects is the present one, 0 to INTERFACES − 1.
  static constexpr std::size_t INTERFACES = 64;
  std::size_t presentInterface();

  // Dispatch.
  void runFrame();
  bool nextCallback(steam_abi::HSteamPipe pipe, steam_abi::CallbackMsg* message);
  void freeLastCallback(steam_abi::HSteamPipe pipe);
  bool takeCallResult(steam_abi::HSteamPipe pipe, steam_abi::CallHandle call, void* buffer, std::int32_t bytes,
                      std::int32_t expectedId, bool* failed);
  void releaseThreadMemory();

  // ISteamUser; `self` says which of the interface objects the caller holds.
  bool loggedOn(std::size_t self);
  steam_abi::SteamId steamId(std::size_t self);
  std::int32_t level(std::size_t self);
  std::int32_t badgeLevel(std::size_t self, std::int32_t series, bool foil);
  bool behindNat(std::size_t self);
  bool phoneVerified(std::size_t self);
  bool phoneIdentifying(std::size_t self);
  bool phoneRequiringVerification(std::size_t self);
  bool twoFactor(std::size_t self);

  void startVoiceRecording(std::size_t self);
  void stopVoiceRecording(std::size_t self);
  VoiceResult getAvailableVoice(std::size_t self, std::uint32_t* bytes);
  VoiceResult getVoice(std::size_t self, void* target, std::uint32_t room, std::uint32_t* written);
  VoiceResult decompress(std::size_t self, const void* voice, std::uint32_t voiceBytes, void* target,
                         std::uint32_t room, std::uint32_t* written, std::uint32_t rateHz);

  steam_abi::HAuthTicket getAuthSessionTicket(std::size_t self, void* target, std::int32_t room, std::uint32_t* bytes,
                                              const steam_abi::NetworkingIdentity* remote);
  steam_abi::HAuthTicket getAuthTicketForWebApi(std::size_t self, const char* identity);
  void cancelAuthTicket(std::size_t self, steam_abi::HAuthTicket ticket);
  std::int32_t beginAuthSession(std::size_t self, const void* ticket, std::int32_t bytes, steam_abi::SteamId from);
  void endAuthSession(std::size_t self, steam_abi::SteamId from);
  std::int32_t userHasLicense(std::size_t self, steam_abi::SteamId who, steam_abi::AppId app);

  steam_abi::CallHandle requestEncryptedAppTicket(std::size_t self, const void* data, std::int32_t bytes);
  bool getEncryptedAppTicket(std::size_t self, void* target, std::int32_t room, std::uint32_t* bytes);
  steam_abi::CallHandle requestStoreAuthUrl(std::size_t self, const char* url);
  steam_abi::CallHandle getMarketEligibility(std::size_t self);
  steam_abi::CallHandle getDurationControl(std::size_t self);
  bool setDurationOnlineState(std::size_t self, std::int32_t state);

  void advertiseGame(std::size_t self, steam_abi::SteamId server, std::uint32_t ip, std::uint16_t port);
  std::int32_t initiateGameConnection(std::size_t self, void* target, std::int32_t room, steam_abi::SteamId server,
                                      std::uint32_t ip, std::uint16_t port, bool secure);
  void terminateGameConnection(std::size_t self, std::uint32_t ip, std::uint16_t port);
  bool getUserDataFolder(std::size_t self, char* target, std::int32_t room);

  // A command of the control: see control_commands.cpp. False with the reason in `answer` when it was not understood.
  bool control(const std::string& command, std::string* answer);

 private:
  friend class ControlCommands;
  FakeClient() = default;

  using Lock = std::unique_lock<std::mutex>;
  // Locks, and ends the process when `self` is not the present interface.
  Lock enter(std::size_t self);
  Bytes makeTicket(steam_abi::HAuthTicket handle, steam_abi::SteamId owner, steam_abi::SteamId remote,
                   std::size_t bytes) const;
  // What a ticket says at once: a BeginAuthSession result; its handle, 0 for bytes that are not a ticket; and the verdict as far as
  // the ticket decides it, else −1.
  struct Judged {
    std::int32_t result;
    steam_abi::HAuthTicket ticket;
    std::int32_t response;
  };
  Judged judge(const void* ticket, std::int32_t bytes, steam_abi::SteamId from) const;
  // The verdict on a ticket's use. From then on it is used.
  std::int32_t useTicket(steam_abi::HAuthTicket ticket, steam_abi::SteamId from);
  void tell(steam_abi::SteamId from, std::int32_t response);
  void bring(steam_abi::SteamId from, std::int32_t response);
  void disconnect(steam_abi::Result result);
  void reconnect();
  void endSessions();
  void reset();

  struct Session {
    // Another for each session, so that a verdict finds its own.
    std::uint64_t serial;
    // 0 for a ticket that is not one of ours.
    steam_abi::HAuthTicket ticket;
    steam_abi::SteamId owner;
    // From when the verdict OK was given out.
    bool authenticated;
  };
  struct Verdict {
    steam_abi::SteamId from;
    std::uint64_t serial;
    std::int32_t response;
  };

  std::mutex mutex_;
  std::string failure_;
  bool open_ = false;
  steam_abi::HSteamPipe pipe_ = 0x100;
  std::size_t interface_ = 0;
  steam_abi::AppId app_ = 0;

  Account account_;
  CallbackQueue callbacks_;
  FakeVoice voice_;
  Counts counts_;
  std::set<std::thread::id> dispatchThreads_;
  std::set<std::thread::id> voiceThreads_;

  // Above 31 bits, so that a handle read as a signed number shows.
  steam_abi::HAuthTicket nextTicket_ = 0x90000001;
  std::set<steam_abi::HAuthTicket> tickets_;
  std::set<steam_abi::HAuthTicket> cancelled_;
  std::set<steam_abi::HAuthTicket> invalid_;
  std::set<steam_abi::HAuthTicket> used_;
  std::uint64_t nextSession_ = 1;
  std::map<steam_abi::SteamId, Session> sessions_;
  // Verdicts that wait for the connection: of each session one at most.
  std::vector<Verdict> verdicts_;
  std::map<std::pair<steam_abi::SteamId, steam_abi::AppId>, bool> licenses_;
  std::size_t ticketBytes_ = 234;
  std::size_t webTicketBytes_ = 210;

  Bytes encryptedTicket_;
  bool encryptedPending_ = false;
  bool encryptedGranted_ = false;
  std::chrono::steady_clock::time_point encryptedGrantedAt_;
  std::chrono::milliseconds encryptedLimit_{60'000};

  // What the next of its kind is answered with; negative for nothing special.
  std::int32_t nextBegin_ = -1;
  std::int32_t nextValidation_ = -1;
  steam_abi::SteamId nextOwner_ = 0;
  std::int32_t nextTicketResult_ = -1;
  std::int32_t nextEncryptedResult_ = -1;
  // Result and bytes that the next getVoice claims, whatever it has, and whether it does.
  std::int32_t claimedResult_ = 0;
  std::uint32_t claimedBytes_ = 0;
  bool claims_ = false;

  // What was asked for last.
  steam_abi::NetworkingIdentity lastRemote_{};
  std::string lastIdentity_;
  bool lastIdentityNull_ = true;
  std::string lastUrl_;
  Bytes lastUserData_;
  std::int32_t onlineState_ = 0;
  steam_abi::SteamId advertisedServer_ = 0;
  std::uint32_t advertisedIp_ = 0;
  std::uint16_t advertisedPort_ = 0;
  std::string gameConnection_;
  bool hasUserDataFolder_ = true;
};
