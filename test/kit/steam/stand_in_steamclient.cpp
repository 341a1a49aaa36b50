// A stand-in for Steam's steamclient.so, which the real libsteam_api loads from $HOME/.steam/sdk64: with it the real library
// initialises and works without a Steam client, over the fake client in the same process.
//
// An interface is a pointer to a table of functions. The tables are laid out by hand: ISteamClient 021, ISteamUtils 010 and
// ISteamUser 023, as far as the real library uses them; another slot ends the process and names itself. Linux and macOS only.

#include <array>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

#include "export.hpp"
#include "fake_client.hpp"
#include "misuse.hpp"

using namespace steam_abi;

namespace {

constexpr std::size_t SLOTS = 80;
using Slot = void (*)();
using Table = std::array<Slot, SLOTS>;

struct Interface {
  const Slot* table;
};

FakeClient& client() { return FakeClient::the(); }

template <typename Name, std::size_t Index>
void unknownSlot() {
  misuse("slot %zu (0x%zx) of %s is not declared", Index, Index * 8, Name::TEXT);
}

template <typename Name, std::size_t... Index>
Table unknownSlots(std::index_sequence<Index...>) {
  return {{&unknownSlot<Name, Index>...}};
}

template <typename Function>
Slot slot(Function* function) {
  return reinterpret_cast<Slot>(function);
}

bool failsAt(const char* stage) { return client().failure() == stage; }

// ---- ISteamUser 023

struct UserName {
  static constexpr const char* TEXT = "ISteamUser";
};

Interface users[FakeClient::INTERFACES];

std::size_t index(const void* self) {
  return static_cast<std::size_t>(static_cast<const Interface*>(self) - users);
}

int getVoice(void* self, bool compressed, void* target, std::uint32_t room, std::uint32_t* written, bool raw,
             void* rawTarget, std::uint32_t rawRoom, std::uint32_t* rawWritten, std::uint32_t rawRate) {
  if (!compressed || raw || rawTarget != nullptr || rawRoom != 0 || rawWritten != nullptr || rawRate != 0) {
    misuse("GetVoice: expected compressed voice, and false, NULL and 0 for the deprecated arguments");
  }
  return client().getVoice(index(self), target, room, written);
}

int getAvailableVoice(void* self, std::uint32_t* bytes, std::uint32_t* raw, std::uint32_t rate) {
  if (raw != nullptr || rate != 0) misuse("GetAvailableVoice: deprecated arguments are not NULL and 0");
  return client().getAvailableVoice(index(self), bytes);
}

// The slot of a member function of FakeClient that takes what ISteamUser's takes.
template <auto Member>
struct Forward;
template <typename Answer, typename... Arguments, Answer (FakeClient::*Member)(std::size_t, Arguments...)>
struct Forward<Member> {
  static Answer call(void* self, Arguments... arguments) { return (client().*Member)(index(self), arguments...); }
};
template <auto Member>
Slot forward() {
  return slot(&Forward<Member>::call);
}

Table userTable() {
  Table table = unknownSlots<UserName>(std::make_index_sequence<SLOTS>());
  table[0x00 / 8] = slot(+[](void*) -> HSteamUser { return 1; });
  table[0x08 / 8] = forward<&FakeClient::loggedOn>();
  table[0x10 / 8] = forward<&FakeClient::steamId>();
  table[0x18 / 8] = forward<&FakeClient::initiateGameConnection>();
  table[0x20 / 8] = forward<&FakeClient::terminateGameConnection>();
  table[0x30 / 8] = forward<&FakeClient::getUserDataFolder>();
  table[0x38 / 8] = forward<&FakeClient::startVoiceRecording>();
  table[0x40 / 8] = forward<&FakeClient::stopVoiceRecording>();
  table[0x48 / 8] = slot(&getAvailableVoice);
  table[0x50 / 8] = slot(&getVoice);
  table[0x58 / 8] = forward<&FakeClient::decompress>();
  table[0x60 / 8] = slot(+[](void*) -> std::uint32_t { return FakeVoice::OPTIMAL_RATE_HZ; });
  table[0x68 / 8] = forward<&FakeClient::getAuthSessionTicket>();
  table[0x70 / 8] = forward<&FakeClient::getAuthTicketForWebApi>();
  table[0x78 / 8] = forward<&FakeClient::beginAuthSession>();
  table[0x80 / 8] = forward<&FakeClient::endAuthSession>();
  table[0x88 / 8] = forward<&FakeClient::cancelAuthTicket>();
  table[0x90 / 8] = forward<&FakeClient::userHasLicense>();
  table[0x98 / 8] = forward<&FakeClient::behindNat>();
  table[0xa0 / 8] = forward<&FakeClient::advertiseGame>();
  table[0xa8 / 8] = forward<&FakeClient::requestEncryptedAppTicket>();
  table[0xb0 / 8] = forward<&FakeClient::getEncryptedAppTicket>();
  table[0xb8 / 8] = forward<&FakeClient::badgeLevel>();
  table[0xc0 / 8] = forward<&FakeClient::level>();
  table[0xc8 / 8] = forward<&FakeClient::requestStoreAuthUrl>();
  table[0xd0 / 8] = forward<&FakeClient::phoneVerified>();
  table[0xd8 / 8] = forward<&FakeClient::twoFactor>();
  table[0xe0 / 8] = forward<&FakeClient::phoneIdentifying>();
  table[0xe8 / 8] = forward<&FakeClient::phoneRequiringVerification>();
  table[0xf0 / 8] = forward<&FakeClient::getMarketEligibility>();
  table[0xf8 / 8] = forward<&FakeClient::getDurationControl>();
  table[0x100 / 8] = forward<&FakeClient::setDurationOnlineState>();
  return table;
}

Interface* presentUser() {
  static const Table table = userTable();
  static const bool laidOut = [] {
    for (Interface& user : users) user.table = table.data();
    return true;
  }();
  return laidOut ? &users[client().presentInterface()] : nullptr;
}

// ---- ISteamUtils 010

struct UtilsName {
  static constexpr const char* TEXT = "ISteamUtils";
};

Table utilsTable() {
  Table table = unknownSlots<UtilsName>(std::make_index_sequence<SLOTS>());
  // GetAppID, asked for at initialisation.
  table[0x48 / 8] = slot(+[](void*) -> AppId { return failsAt("app-id") ? 0 : FakeClient::appIdOfEnvironment(); });
  table[0x70 / 8] = slot(+[](void*) { client().runFrame(); });
  return table;
}

Interface* utils() {
  static const Table table = utilsTable();
  static Interface utils{table.data()};
  return &utils;
}

// ---- ISteamClient 021

struct ClientName {
  static constexpr const char* TEXT = "ISteamClient";
};

constexpr const char* USER_VERSION = "SteamUser023";

bool isUserVersion(const char* version) { return std::strncmp(version, "SteamUser0", 10) == 0; }

void* interfaceOf(const char* version) {
  if (isUserVersion(version)) {
    const bool known = std::strcmp(version, USER_VERSION) == 0 && !failsAt("version");
    return known ? presentUser() : nullptr;
  }
  return std::strcmp(version, "SteamUtils010") == 0 ? utils() : nullptr;
}

Table clientTable() {
  Table table = unknownSlots<ClientName>(std::make_index_sequence<SLOTS>());
  // CreateSteamPipe, BReleaseSteamPipe, ConnectToGlobalUser, ReleaseUser.
  table[0x00 / 8] = slot(+[](void*) -> HSteamPipe { return failsAt("pipe") ? 0 : client().open(); });
  table[0x08 / 8] = slot(+[](void*, HSteamPipe pipe) -> bool {
    if (pipe != 0) client().close();
    return pipe != 0;
  });
  table[0x10 / 8] = slot(+[](void*, HSteamPipe) -> HSteamUser { return failsAt("user") ? 0 : 1; });
  table[0x20 / 8] = slot(+[](void*, HSteamPipe, HSteamUser) {});
  // GetISteamUser, which initialisation asks for and does not keep; GetISteamGenericInterface, which the accessor asks.
  table[0x28 / 8] = slot(+[](void*, HSteamUser, HSteamPipe, const char* version) { return interfaceOf(version); });
  table[0x60 / 8] = slot(+[](void*, HSteamUser, HSteamPipe, const char* version) -> void* {
    return isUserVersion(version) && failsAt("accessor") ? nullptr : interfaceOf(version);
  });
  // BShutdownIfAllPipesClosed, and a hook of standard dispatch.
  table[0xb8 / 8] = slot(+[](void*) -> bool { return !client().isOpen(); });
  table[0x100 / 8] = slot(+[](void*, void*) {});
  return table;
}

}  // namespace

STAND_IN_EXPORT int hotmic_stand_in(const char* command, char* answer, std::size_t answerBytes) {
  std::string said;
  const bool understood = client().control(command, &said);
  if (answer != nullptr && answerBytes > 0) std::snprintf(answer, answerBytes, "%s", said.c_str());
  if (!understood) return 1;
  return said.size() < answerBytes ? 0 : 2;
}

STAND_IN_EXPORT void* CreateInterface(const char* name, int* result) {
  static const Table table = clientTable();
  static Interface steamClient{table.data()};
  // 017 is asked for as well; without it SteamAPI_InitSafe says false and all else works.
  const bool known = std::strcmp(name, "SteamClient021") == 0 || std::strcmp(name, "SteamClient017") == 0;
  if (failsAt("interface")) {
    if (result != nullptr) *result = 1;
    return nullptr;
  }
  if (result != nullptr) *result = known ? 0 : 1;
  return known ? &steamClient : nullptr;
}

STAND_IN_EXPORT bool Steam_BGetCallback(HSteamPipe pipe, CallbackMsg* message, std::int32_t*) {
  return client().nextCallback(pipe, message);
}
STAND_IN_EXPORT void Steam_FreeLastCallback(HSteamPipe pipe) { client().freeLastCallback(pipe); }
STAND_IN_EXPORT bool Steam_GetAPICallResult(HSteamPipe pipe, CallHandle call, void* buffer, int bytes, int expectedId,
                                            bool* failed) {
  return client().takeCallResult(pipe, call, buffer, bytes, expectedId, failed);
}
STAND_IN_EXPORT bool Steam_IsKnownInterface(const char* version) {
  return !isUserVersion(version) || (std::strcmp(version, USER_VERSION) == 0 && !failsAt("version"));
}
STAND_IN_EXPORT void Steam_NotifyMissingInterface(HSteamPipe, const char*) {}
STAND_IN_EXPORT void Steam_ReleaseThreadLocalMemory(bool) { client().releaseThreadMemory(); }
