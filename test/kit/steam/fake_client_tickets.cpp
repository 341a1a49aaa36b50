// The fake client's tickets, auth sessions and licences.
//
// What Steam says at once, and what it says later by callback, is as the embedded Steam has it (native/embedded/sessions.ts),
// so that one test holds for both. How a real Steam client does it was never observed.

#include <algorithm>
#include <cstring>
#include <utility>

#include "fake_client.hpp"

using namespace steam_abi;

namespace {

// A ticket: magic, version, handle, app, owner, remote, then bytes that follow from the handle.
constexpr std::uint32_t TICKET_MAGIC = 0x544d4148;
constexpr std::uint32_t TICKET_VERSION = 1;
constexpr std::size_t TICKET_HEADER_BYTES = 32;

constexpr SteamId NO_PLAYER = 1;
constexpr std::size_t MAX_WEB_TICKET_BYTES = sizeof(GetTicketForWebApiResponse::buffer);
constexpr std::size_t MAX_IDENTITY_BYTES = 255;
constexpr std::size_t MAX_LIVE_TICKETS = 256;
constexpr std::size_t MAX_SESSIONS = 256;
// What is in a struct that Steam did not write.
constexpr int GARBAGE = 0xcd;

enum BeginResult : std::int32_t {
  BEGIN_OK = 0,
  BEGIN_INVALID_TICKET = 1,
  BEGIN_DUPLICATE = 2,
  BEGIN_INVALID_VERSION = 3,
  BEGIN_GAME_MISMATCH = 4,
};
enum Response : std::int32_t {
  RESPONSE_UNDECIDED = -1,
  RESPONSE_OK = 0,
  RESPONSE_NOT_CONNECTED = 1,
  RESPONSE_CANCELED = 6,
  RESPONSE_ALREADY_USED = 7,
  RESPONSE_INVALID = 8,
  RESPONSE_OTHER_IDENTITY = 10,
};
enum LicenseResult : std::int32_t { HAS_LICENSE = 0, HAS_NO_LICENSE = 1, NO_AUTH = 2 };

PackedSteamId packed(SteamId id) {
  PackedSteamId result;
  std::memcpy(result.bytes, &id, sizeof id);
  return result;
}

template <typename Number>
Number numberAt(const std::uint8_t* bytes) {
  Number value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

std::int32_t takeOr(std::int32_t& next, std::int32_t otherwise) {
  const std::int32_t taken = std::exchange(next, -1);
  return taken < 0 ? otherwise : taken;
}

}  // namespace

Bytes FakeClient::makeTicket(HAuthTicket handle, SteamId owner, SteamId remote, std::size_t bytes) const {
  Bytes ticket(std::max(bytes, TICKET_HEADER_BYTES));
  std::memcpy(&ticket[0], &TICKET_MAGIC, 4);
  std::memcpy(&ticket[4], &TICKET_VERSION, 4);
  std::memcpy(&ticket[8], &handle, 4);
  std::memcpy(&ticket[12], &app_, 4);
  std::memcpy(&ticket[16], &owner, 8);
  std::memcpy(&ticket[24], &remote, 8);
  for (std::size_t i = TICKET_HEADER_BYTES; i < ticket.size(); i += 1) {
    ticket[i] = static_cast<std::uint8_t>(handle * 7 + i);
  }
  return ticket;
}

HAuthTicket FakeClient::getAuthSessionTicket(std::size_t self, void* target, std::int32_t room, std::uint32_t* bytes,
                                             const NetworkingIdentity* remote) {
  const Lock lock = enter(self);
  lastRemote_ = remote == nullptr ? NetworkingIdentity{} : *remote;
  // A ticket for an address or text is for somebody whom this client is not.
  const SteamId remoteId = lastRemote_.type == 0                      ? 0
                           : lastRemote_.type == IDENTITY_IS_STEAM_ID ? lastRemote_.steamId
                                                                      : NO_PLAYER;
  const Bytes ticket = makeTicket(nextTicket_, account_.steamId, remoteId, ticketBytes_);
  *bytes = static_cast<std::uint32_t>(ticket.size());
  if (target == nullptr || room < static_cast<std::int32_t>(ticket.size())) return 0;
  *bytes = 0;
  if (tickets_.size() >= MAX_LIVE_TICKETS) return 0;
  const HAuthTicket handle = nextTicket_++;
  *bytes = static_cast<std::uint32_t>(ticket.size());
  std::memcpy(target, ticket.data(), ticket.size());
  const Result result = takeOr(nextTicketResult_, account_.loggedOn ? RESULT_OK : RESULT_NO_CONNECTION);
  if (result != RESULT_OK && result != RESULT_NO_CONNECTION) invalid_.insert(handle);
  tickets_.insert(handle);
  callbacks_.post(GetAuthSessionTicketResponse{handle, result});
  return handle;
}

HAuthTicket FakeClient::getAuthTicketForWebApi(std::size_t self, const char* identity) {
  const Lock lock = enter(self);
  lastIdentityNull_ = identity == nullptr;
  lastIdentity_ = identity == nullptr ? "" : identity;
  if (tickets_.size() >= MAX_LIVE_TICKETS || lastIdentity_.size() > MAX_IDENTITY_BYTES) return 0;
  const HAuthTicket handle = nextTicket_++;
  GetTicketForWebApiResponse response;
  std::memset(&response, GARBAGE, sizeof response);
  response.ticket = handle;
  response.result = takeOr(nextTicketResult_, account_.loggedOn ? RESULT_OK : RESULT_NO_CONNECTION);
  response.ticketBytes = 0;
  if (response.result == RESULT_OK) {
    const std::size_t wanted = std::min(webTicketBytes_, MAX_WEB_TICKET_BYTES);
    const Bytes ticket = makeTicket(handle, account_.steamId, 0, wanted);
    std::memcpy(response.buffer, ticket.data(), ticket.size());
    response.ticketBytes = static_cast<std::int32_t>(ticket.size());
  }
  tickets_.insert(handle);
  callbacks_.post(response);
  return handle;
}

void FakeClient::cancelAuthTicket(std::size_t self, HAuthTicket ticket) {
  const Lock lock = enter(self);
  if (tickets_.erase(ticket) == 0) return;
  counts_.ticketsCancelled += 1;
  cancelled_.insert(ticket);
  for (const auto& [from, session] : sessions_) {
    if (session.ticket == ticket) tell(from, RESPONSE_CANCELED);
  }
}

std::int32_t FakeClient::beginAuthSession(std::size_t self, const void* ticket, std::int32_t bytes, SteamId from) {
  const Lock lock = enter(self);
  const Judged judged = judge(ticket, bytes, from);
  const std::int32_t result = takeOr(nextBegin_, judged.result);
  if (result != BEGIN_OK) return result;
  if (sessions_.count(from) == 0 && sessions_.size() >= MAX_SESSIONS) return BEGIN_INVALID_TICKET;
  const std::int32_t used = useTicket(judged.ticket, from);
  const std::int32_t natural = judged.response == RESPONSE_UNDECIDED ? used : judged.response;
  const std::int32_t response = takeOr(nextValidation_, natural);
  const SteamId owner = std::exchange(nextOwner_, 0);
  sessions_[from] = {nextSession_++, judged.ticket, owner == 0 ? from : owner, false};
  tell(from, response);
  return BEGIN_OK;
}

FakeClient::Judged FakeClient::judge(const void* ticket, std::int32_t bytes, SteamId from) const {
  const auto* read = static_cast<const std::uint8_t*>(ticket);
  const Judged none = {BEGIN_INVALID_TICKET, 0, RESPONSE_UNDECIDED};
  if (read == nullptr || bytes < static_cast<std::int32_t>(TICKET_HEADER_BYTES)) return none;
  if (numberAt<std::uint32_t>(read) != TICKET_MAGIC) return none;
  const auto handle = numberAt<HAuthTicket>(read + 8);
  const auto issuer = numberAt<SteamId>(read + 16);
  const auto remote = numberAt<SteamId>(read + 24);
  const auto at = [&](std::int32_t result) { return Judged{result, handle, RESPONSE_UNDECIDED}; };
  if (numberAt<std::uint32_t>(read + 4) != TICKET_VERSION) return at(BEGIN_INVALID_VERSION);
  if (numberAt<AppId>(read + 12) != app_) return at(BEGIN_GAME_MISMATCH);
  const Bytes whole = makeTicket(handle, issuer, remote, static_cast<std::size_t>(bytes));
  if (std::memcmp(whole.data(), read, whole.size()) != 0) return none;
  if (issuer != from) return at(BEGIN_INVALID_TICKET);
  if (sessions_.count(from) > 0) return at(BEGIN_DUPLICATE);
  const bool isForOther = remote != 0 && remote != account_.steamId;
  return {BEGIN_OK, handle, isForOther ? RESPONSE_OTHER_IDENTITY : RESPONSE_UNDECIDED};
}

std::int32_t FakeClient::useTicket(HAuthTicket ticket, SteamId from) {
  if (ticket == 0) return RESPONSE_INVALID;
  const bool isFirst = used_.insert(ticket).second;
  if (invalid_.count(ticket) > 0) return RESPONSE_INVALID;
  if (cancelled_.count(ticket) > 0) return RESPONSE_CANCELED;
  if (!isFirst) return RESPONSE_ALREADY_USED;
  return from == account_.steamId && !account_.loggedOn ? RESPONSE_NOT_CONNECTED : RESPONSE_OK;
}

// At once while Steam is connected, otherwise once it is again.
void FakeClient::tell(SteamId from, std::int32_t response) {
  if (account_.loggedOn) return bring(from, response);
  const std::uint64_t serial = sessions_[from].serial;
  for (Verdict& waiting : verdicts_) {
    if (waiting.serial != serial) continue;
    waiting.response = response;
    return;
  }
  verdicts_.push_back({from, serial, response});
}

void FakeClient::bring(SteamId from, std::int32_t response) {
  const Session& session = sessions_[from];
  const std::uint64_t serial = session.serial;
  callbacks_.post(ValidateAuthTicketResponse{packed(from), response, packed(session.owner)}, [=] {
    const auto found = sessions_.find(from);
    if (found != sessions_.end() && found->second.serial == serial) {
      found->second.authenticated = response == RESPONSE_OK;
    }
  });
}

void FakeClient::disconnect(Result result) {
  account_.loggedOn = false;
  callbacks_.post(ServersDisconnected{result});
}

void FakeClient::reconnect() {
  account_.loggedOn = true;
  callbacks_.post(ServersConnected{});
  for (const Verdict& waiting : std::exchange(verdicts_, {})) {
    const auto found = sessions_.find(waiting.from);
    if (found != sessions_.end() && found->second.serial == waiting.serial) bring(waiting.from, waiting.response);
  }
}

void FakeClient::endAuthSession(std::size_t self, SteamId from) {
  const Lock lock = enter(self);
  sessions_.erase(from);
}

std::int32_t FakeClient::userHasLicense(std::size_t self, SteamId who, AppId app) {
  const Lock lock = enter(self);
  const auto session = sessions_.find(who);
  if (session == sessions_.end() || !session->second.authenticated) return NO_AUTH;
  const auto license = licenses_.find({who, app});
  const bool owned = license == licenses_.end() ? app == app_ : license->second;
  return owned ? HAS_LICENSE : HAS_NO_LICENSE;
}

void FakeClient::endSessions() {
  tickets_.clear();
  cancelled_.clear();
  invalid_.clear();
  used_.clear();
  sessions_.clear();
  verdicts_.clear();
  encryptedTicket_.clear();
  encryptedPending_ = encryptedGranted_ = false;
}
