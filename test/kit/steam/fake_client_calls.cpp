// What the fake client answers by a call result, and the old ways to tell Steam of a game server.
//
// Without a connection, and asked too often, it answers as the embedded Steam does (native/embedded/app_tickets.ts), so that one
// test holds for both.

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

#include "fake_client.hpp"

using namespace steam_abi;

namespace {

// What is in a struct that Steam did not write.
constexpr int GARBAGE = 0xcd;
constexpr std::size_t GAME_CONNECTION_BYTES = 206;

// Magic, the length of the user data, the user data, 64 bytes more.
Bytes encryptedTicketOf(const Bytes& userData) {
  Bytes ticket = {'H', 'M', 'E', 'T'};
  for (int i = 0; i < 4; i += 1) ticket.push_back(static_cast<std::uint8_t>(userData.size() >> (8 * i)));
  ticket.insert(ticket.end(), userData.begin(), userData.end());
  for (int i = 0; i < 64; i += 1) ticket.push_back(static_cast<std::uint8_t>(i * 3));
  return ticket;
}

}  // namespace

CallHandle FakeClient::requestEncryptedAppTicket(std::size_t self, const void* data, std::int32_t bytes) {
  const Lock lock = enter(self);
  const auto* first = static_cast<const std::uint8_t*>(data);
  const auto count = static_cast<std::size_t>(std::max(bytes, 0));
  lastUserData_ = first == nullptr ? Bytes() : Bytes(first, first + count);

  const auto now = std::chrono::steady_clock::now();
  const bool isLimited = encryptedGranted_ && now - encryptedGrantedAt_ < encryptedLimit_;
  const std::int32_t told = std::exchange(nextEncryptedResult_, -1);
  const Result result = told >= 0            ? told
                        : encryptedPending_  ? RESULT_DUPLICATE_REQUEST
                        : !account_.loggedOn ? RESULT_NO_CONNECTION
                        : isLimited          ? RESULT_LIMIT_EXCEEDED
                                             : RESULT_OK;
  const bool granted = result == RESULT_OK && !callbacks_.nextCallFails();
  if (granted) {
    encryptedGranted_ = true;
    encryptedGrantedAt_ = now;
  }
  const bool isFirst = !std::exchange(encryptedPending_, true);
  Bytes ticket = granted ? encryptedTicketOf(lastUserData_) : Bytes();
  return callbacks_.postCall(EncryptedAppTicketResponse{result}, CallFault::none, [this, isFirst, ticket] {
    if (isFirst) encryptedPending_ = false;
    if (!ticket.empty()) encryptedTicket_ = ticket;
  });
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
  const std::string answer = "https://store.invalid/login/?redir=" + lastUrl_;
  if (answer.size() >= sizeof response.url) return 0;
  std::memcpy(response.url, answer.c_str(), answer.size() + 1);
  return callbacks_.postCall(response, account_.loggedOn ? CallFault::none : CallFault::failed);
}

CallHandle FakeClient::getMarketEligibility(std::size_t self) {
  const Lock lock = enter(self);
  return callbacks_.postCall(account_.market, account_.loggedOn ? CallFault::none : CallFault::failed);
}

CallHandle FakeClient::getDurationControl(std::size_t self) {
  const Lock lock = enter(self);
  DurationControl answer = account_.duration;
  answer.result = account_.loggedOn ? RESULT_OK : RESULT_NO_CONNECTION;
  answer.app = app_;
  // Notices come by broadcast only.
  answer.notification = 0;
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
  if (!account_.loggedOn || target == nullptr || room < static_cast<std::int32_t>(GAME_CONNECTION_BYTES)) return 0;
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

bool FakeClient::getUserDataFolder(std::size_t self, char* target, std::int32_t room) {
  const Lock lock = enter(self);
  const std::string folder = "/home/ada/.steam/userdata/" + std::to_string(account_.steamId & 0xffffffff) + "/" +
                             std::to_string(app_) + "/local";
  if (!hasUserDataFolder_ || target == nullptr || room <= static_cast<std::int32_t>(folder.size())) return false;
  std::memcpy(target, folder.c_str(), folder.size() + 1);
  return true;
}
