// The fake client's tickets, auth sessions, licences, and all that is answered by a call result.

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

#include "fake_client.hpp"

using namespace steam_abi;

namespace {

// A ticket: magic, version, handle, app, owner, remote, then bytes that follow from the handle.
constexpr std::uint32_t TICKET_MAGIC = 0x544d4148;
constexpr std::uint32_t TICKET_VERSION = 1;
constexpr std::size_t TICKET_HEADER_BYTES = 32;

constexpr std::size_t MAX_WEB_TICKET_BYTES = sizeof(GetTicketForWebApiResponse::buffer);
// What is in a struct that Steam did not write.
constexpr int GARBAGE = 0xcd;
constexpr std::size_t GAME_CONNECTION_BYTES = 206;

enum BeginResult : std::int32_t {
  BEGIN_OK = 0,
  BEGIN_INVALID_TICKET = 1,
  BEGIN_DUPLICATE = 2,
  BEGIN_INVALID_VERSION = 3,
  BEGIN_GAME_MISMATCH = 4,
};
constexpr std::int32_t RESPONSE_OK = 0;
constexpr std::int32_t RESPONSE_CANCELED = 6;
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
  const SteamId remoteId = lastRemote_.type == IDENTITY_IS_STEAM_ID ? lastRemote_.steamId : 0;
  const Bytes ticket = makeTicket(nextTicket_, account_.steamId, remoteId, ticketBytes_);
  *bytes = static_cast<std::uint32_t>(ticket.size());
  if (target == nullptr || room < static_cast<std::int32_t>(ticket.size())) return 0;
  const HAuthTicket handle = nextTicket_++;
  std::memcpy(target, ticket.data(), ticket.size());
  const Result result = takeOr(nextTicketResult_, account_.loggedOn ? RESULT_OK : RESULT_NO_CONNECTION);
  tickets_.insert(handle);
  callbacks_.post(GetAuthSessionTicketResponse{handle, result});
  return handle;
}

HAuthTicket FakeClient::getAuthTicketForWebApi(std::size_t self, const char* identity) {
  const Lock lock = enter(self);
  lastIdentityNull_ = identity == nullptr;
  lastIdentity_ = identity == nullptr ? "" : identity;
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
  for (auto& [from, session] : sessions_) {
    if (session.ticket != ticket) continue;
    session.authenticated = false;
    callbacks_.post(ValidateAuthTicketResponse{packed(from), RESPONSE_CANCELED, packed(session.owner)});
  }
}

std::int32_t FakeClient::beginAuthSession(std::size_t self, const void* ticket, std::int32_t bytes, SteamId from) {
  const Lock lock = enter(self);
  const std::int32_t forced = std::exchange(nextBegin_, -1);
  if (forced > BEGIN_OK) return forced;
  if (sessions_.count(from) > 0) return BEGIN_DUPLICATE;
  if (forced == BEGIN_OK) {
    judge(from, 0, RESPONSE_OK);
    return BEGIN_OK;
  }
  const auto* read = static_cast<const std::uint8_t*>(ticket);
  if (read == nullptr || bytes < static_cast<std::int32_t>(TICKET_HEADER_BYTES)) return BEGIN_INVALID_TICKET;
  if (numberAt<std::uint32_t>(read) != TICKET_MAGIC) return BEGIN_INVALID_TICKET;
  if (numberAt<std::uint32_t>(read + 4) != TICKET_VERSION) return BEGIN_INVALID_VERSION;
  if (numberAt<AppId>(read + 12) != app_) return BEGIN_GAME_MISMATCH;
  if (numberAt<SteamId>(read + 16) != from) return BEGIN_INVALID_TICKET;
  const auto handle = numberAt<HAuthTicket>(read + 8);
  const Bytes whole = makeTicket(handle, from, numberAt<SteamId>(read + 24), static_cast<std::size_t>(bytes));
  if (std::memcmp(whole.data(), read, whole.size()) != 0) return BEGIN_INVALID_TICKET;
  judge(from, handle, cancelled_.count(handle) > 0 ? RESPONSE_CANCELED : RESPONSE_OK);
  return BEGIN_OK;
}

void FakeClient::judge(SteamId from, HAuthTicket ticket, std::int32_t response) {
  response = takeOr(nextValidation_, response);
  const SteamId told = std::exchange(nextOwner_, 0);
  const SteamId owner = told == 0 ? from : told;
  sessions_[from] = {ticket, owner, response == RESPONSE_OK};
  callbacks_.post(ValidateAuthTicketResponse{packed(from), response, packed(owner)});
}

void FakeClient::endAuthSession(std::size_t self, SteamId from) {
  const Lock lock = enter(self);
  sessions_.erase(from);
}

std::int32_t FakeClient::userHasLicense(std::size_t self, SteamId who, AppId app) {
  const Lock lock = enter(self);
  if (who != account_.steamId) {
    const auto session = sessions_.find(who);
    if (session == sessions_.end() || !session->second.authenticated) return NO_AUTH;
  }
  const auto license = licenses_.find({who, app});
  const bool owned = license == licenses_.end() ? app == app_ : license->second;
  return owned ? HAS_LICENSE : HAS_NO_LICENSE;
}

CallHandle FakeClient::requestEncryptedAppTicket(std::size_t self, const void* data, std::int32_t bytes) {
  const Lock lock = enter(self);
  const auto* first = static_cast<const std::uint8_t*>(data);
  const auto count = static_cast<std::size_t>(std::max(bytes, 0));
  lastUserData_ = first == nullptr ? Bytes() : Bytes(first, first + count);
  const Result natural = !account_.loggedOn  ? RESULT_NO_CONNECTION
                         : encryptedPending_ ? RESULT_DUPLICATE_REQUEST
                                             : RESULT_OK;
  const Result result = takeOr(nextEncryptedResult_, natural);
  encryptedPending_ = true;
  if (result == RESULT_OK) {
    // Magic, the length of the user data, the user data, 64 bytes more.
    const auto length = static_cast<std::uint32_t>(lastUserData_.size());
    encryptedTicket_.assign({'H', 'M', 'E', 'T'});
    for (int i = 0; i < 4; i += 1) encryptedTicket_.push_back(static_cast<std::uint8_t>(length >> (8 * i)));
    encryptedTicket_.insert(encryptedTicket_.end(), lastUserData_.begin(), lastUserData_.end());
    for (int i = 0; i < 64; i += 1) encryptedTicket_.push_back(static_cast<std::uint8_t>(i * 3));
  }
  return callbacks_.postCall(EncryptedAppTicketResponse{result});
}

bool FakeClient::getEncryptedAppTicket(std::size_t self, void* target, std::int32_t room, std::uint32_t* bytes) {
  const Lock lock = enter(self);
  *bytes = static_cast<std::uint32_t>(encryptedTicket_.size());
  if (encryptedTicket_.empty() || target == nullptr) return false;
  if (room < static_cast<std::int32_t>(encryptedTicket_.size())) return false;
  std::memcpy(target, encryptedTicket_.data(), encryptedTicket_.size());
  return true;
}

CallHandle FakeClient::requestStoreAuthUrl(std::size_t self, const char* url) {
  const Lock lock = enter(self);
  lastUrl_ = url == nullptr ? "" : url;
  StoreAuthUrlResponse response;
  std::memset(&response, GARBAGE, sizeof response);
  std::snprintf(response.url, sizeof response.url, "https://store.invalid/login/?redir=%s", lastUrl_.c_str());
  return callbacks_.postCall(response);
}

CallHandle FakeClient::getMarketEligibility(std::size_t self) {
  const Lock lock = enter(self);
  return callbacks_.postCall(account_.market);
}

CallHandle FakeClient::getDurationControl(std::size_t self) {
  const Lock lock = enter(self);
  DurationControl answer = account_.duration;
  answer.result = RESULT_OK;
  answer.app = app_;
  return callbacks_.postCall(answer);
}

bool FakeClient::setDurationOnlineState(std::size_t self, std::int32_t state) {
  const Lock lock = enter(self);
  if (state < 1 || state > 3) return false;
  onlineState_ = state;
  return true;
}

void FakeClient::advertiseGame(std::size_t self, SteamId server, std::uint32_t ip, std::uint16_t port) {
  const Lock lock = enter(self);
  advertisedServer_ = server;
  advertisedIp_ = ip;
  advertisedPort_ = port;
}

std::int32_t FakeClient::initiateGameConnection(std::size_t self, void* target, std::int32_t room, SteamId server,
                                                std::uint32_t ip, std::uint16_t port, bool secure) {
  const Lock lock = enter(self);
  if (target == nullptr || room < static_cast<std::int32_t>(GAME_CONNECTION_BYTES)) return 0;
  auto* out = static_cast<std::uint8_t*>(target);
  for (std::size_t i = 0; i < GAME_CONNECTION_BYTES; i += 1) out[i] = static_cast<std::uint8_t>(i);
  std::memcpy(out, &server, 8);
  std::memcpy(out + 8, &ip, 4);
  std::memcpy(out + 12, &port, 2);
  out[14] = secure ? 1 : 0;
  char text[64];
  std::snprintf(text, sizeof text, "%u:%u", ip, port);
  gameConnection_ = text;
  return static_cast<std::int32_t>(GAME_CONNECTION_BYTES);
}

void FakeClient::terminateGameConnection(std::size_t self, std::uint32_t ip, std::uint16_t port) {
  const Lock lock = enter(self);
  char text[64];
  std::snprintf(text, sizeof text, "%u:%u", ip, port);
  if (gameConnection_ == text) gameConnection_.clear();
}
