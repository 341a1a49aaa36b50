// Steam's ABI as the stand-ins give it: handles, the callback envelope, the identity, the payload of each callback.
//
// Declared from the published interface of ISteamUser, version 023, and apart from the addon's own tables, so that the one
// proves the other. Valve packs these structs to 4 bytes on Linux and macOS and to 8 on Windows; a SteamID in them is aligned
// to 1. No header of Valve's is used.

#pragma once

#include <cstddef>
#include <cstdint>

namespace steam_abi {

using HSteamUser = std::int32_t;
using HSteamPipe = std::int32_t;
using HAuthTicket = std::uint32_t;
using AppId = std::uint32_t;
using CallHandle = std::uint64_t;
using SteamId = std::uint64_t;
using Result = std::int32_t;

constexpr Result RESULT_OK = 1;
constexpr Result RESULT_NO_CONNECTION = 3;
constexpr Result RESULT_LIMIT_EXCEEDED = 25;
constexpr Result RESULT_DUPLICATE_REQUEST = 29;

constexpr std::size_t ERROR_TEXT_BYTES = 1024;
constexpr std::int32_t CALL_COMPLETED_ID = 703;

#ifdef _WIN32
#pragma pack(push, 8)
#else
#pragma pack(push, 4)
#endif

struct CallbackMsg {
  HSteamUser user;
  std::int32_t id;
  std::uint8_t* param;
  std::int32_t paramBytes;
};

struct CallCompleted {
  CallHandle call;
  std::int32_t id;
  std::uint32_t bytes;
};

// A SteamID inside a struct: no alignment.
struct PackedSteamId {
  std::uint8_t bytes[8];
};

struct ServersConnected {
  static constexpr std::int32_t ID = 101;
};

struct ServersDisconnected {
  static constexpr std::int32_t ID = 103;
  Result result;
};

struct IpcFailure {
  static constexpr std::int32_t ID = 117;
  std::uint8_t type;
};

struct LicensesUpdated {
  static constexpr std::int32_t ID = 125;
};

struct ValidateAuthTicketResponse {
  static constexpr std::int32_t ID = 143;
  PackedSteamId steamId;
  std::int32_t response;
  PackedSteamId owner;
};

struct EncryptedAppTicketResponse {
  static constexpr std::int32_t ID = 154;
  Result result;
};

struct GetAuthSessionTicketResponse {
  static constexpr std::int32_t ID = 163;
  HAuthTicket ticket;
  Result result;
};

struct StoreAuthUrlResponse {
  static constexpr std::int32_t ID = 165;
  char url[512];
};

struct MarketEligibilityResponse {
  static constexpr std::int32_t ID = 166;
  bool allowed;
  std::int32_t reasons;
  std::uint32_t allowedAtTime;
  std::int32_t steamGuardRequiredDays;
  std::int32_t newDeviceCooldownDays;
};

struct DurationControl {
  static constexpr std::int32_t ID = 167;
  Result result;
  AppId app;
  bool applicable;
  std::int32_t secondsLast5h;
  std::int32_t progress;
  std::int32_t notification;
  std::int32_t secondsToday;
  std::int32_t secondsRemaining;
};

struct GetTicketForWebApiResponse {
  static constexpr std::int32_t ID = 168;
  HAuthTicket ticket;
  Result result;
  std::int32_t ticketBytes;
  std::uint8_t buffer[2560];
};

#pragma pack(pop)

#pragma pack(push, 1)
struct NetworkingIdentity {
  std::int32_t type;
  std::int32_t bytes;
  union {
    SteamId steamId;
    std::uint8_t raw[128];
  };
};
#pragma pack(pop)

constexpr std::int32_t IDENTITY_IS_STEAM_ID = 16;

static_assert(sizeof(CallbackMsg) == (sizeof(void*) == 8 ? 20 : 16) || sizeof(CallbackMsg) == 24);
static_assert(sizeof(CallCompleted) == 16);
static_assert(sizeof(ServersConnected) == 1 && sizeof(LicensesUpdated) == 1 && sizeof(IpcFailure) == 1);
static_assert(sizeof(ServersDisconnected) == 4 && sizeof(EncryptedAppTicketResponse) == 4);
static_assert(sizeof(ValidateAuthTicketResponse) == 20 && offsetof(ValidateAuthTicketResponse, owner) == 12);
static_assert(sizeof(GetAuthSessionTicketResponse) == 8);
static_assert(sizeof(MarketEligibilityResponse) == 20 && offsetof(MarketEligibilityResponse, reasons) == 4);
static_assert(sizeof(DurationControl) == 32 && offsetof(DurationControl, secondsLast5h) == 12);
static_assert(sizeof(GetTicketForWebApiResponse) == 2572);
static_assert(sizeof(NetworkingIdentity) == 136);

}  // namespace steam_abi
