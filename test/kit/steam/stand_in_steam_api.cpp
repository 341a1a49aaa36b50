// A stand-in for libsteam_api: the flat functions of ISteamUser and those that initialise, dispatch and shut down, over the
// fake client in the same process.
//
// HOTMIC_STAND_IN_SDK says which SDK it stands for: 152 (SteamUser_v021), 156 (v022), 157 (v023), 158 (no SteamAPI_Init),
// 160 (SteamAPI_InitFlat). What that SDK does not export is not exported. A null or stale `self` ends the process, where the
// real library would crash.

#include <cstdio>
#include <cstring>
#include <string>

#include "export.hpp"
#include "fake_client.hpp"
#include "init_failure.hpp"
#include "misuse.hpp"

#ifndef HOTMIC_STAND_IN_SDK
#define HOTMIC_STAND_IN_SDK 160
#endif

#if HOTMIC_STAND_IN_SDK >= 157
#define USER_VERSION "SteamUser023"
#define USER_ACCESSOR SteamAPI_SteamUser_v023
#elif HOTMIC_STAND_IN_SDK >= 156
#define USER_VERSION "SteamUser022"
#define USER_ACCESSOR SteamAPI_SteamUser_v022
#else
#define USER_VERSION "SteamUser021"
#define USER_ACCESSOR SteamAPI_SteamUser_v021
#endif

using namespace steam_abi;

namespace {

// What ISteamUser pointers point into: one after each initialisation.
unsigned char interfaces[FakeClient::INTERFACES];

// The process' dispatch, once chosen, stays: as with the real library.
enum class Dispatch { undecided, standard, manual };
std::atomic<Dispatch> dispatch{Dispatch::undecided};

FakeClient& client() { return FakeClient::the(); }

std::size_t indexOf(const void* self, const char* function) {
  if (self == nullptr) misuse("ISteamUser is NULL in %s", function);
  const auto* at = static_cast<const unsigned char*>(self);
  for (std::size_t i = 0; i < FakeClient::INTERFACES; i += 1) {
    if (at == &interfaces[i]) return i;
  }
  misuse("no ISteamUser in %s", function);
}

void complain(const char* text) { std::fprintf(stderr, "[S_API FAIL] stand-in: %s\n", text); }

// Whether each interface of a list "SteamUser023\0…\0\0" is this SDK's.
bool knowsAll(const char* versions, std::string* missing) {
  for (const char* each = versions; each != nullptr && *each != '\0'; each += std::strlen(each) + 1) {
    if (std::strncmp(each, "SteamUser0", 10) == 0 && std::strcmp(each, USER_VERSION) != 0) {
      *missing = each;
      return false;
    }
  }
  return true;
}

InitResult initialise(const char* versions, char* text) {
  InitFailure failure{INIT_OK, ""};
  if (!client().isOpen()) {
    const std::string wanted = client().failure();
    std::string missing = USER_VERSION;
    failure = knowsAll(versions, &missing) || wanted == "version" ? initFailureOf(wanted, missing)
                                                                  : initFailureOf("version", missing);
    if (failure.code == INIT_OK) client().open();
    if (failure.code != INIT_OK) complain(failure.text.c_str());
  }
  if (text != nullptr) std::snprintf(text, ERROR_TEXT_BYTES, "%s", failure.text.c_str());
  return failure.code;
}

}  // namespace

#define USER(name) SteamAPI_ISteamUser_##name
#define SELF indexOf(self, __func__)

STAND_IN_EXPORT int hotmic_stand_in(const char* command, char* answer, std::size_t answerBytes) {
  std::string said;
  const bool understood = client().control(command, &said);
  if (answer != nullptr && answerBytes > 0) std::snprintf(answer, answerBytes, "%s", said.c_str());
  if (!understood) return 1;
  return said.size() < answerBytes ? 0 : 2;
}

#if HOTMIC_STAND_IN_SDK < 158
STAND_IN_EXPORT bool SteamAPI_Init() { return initialise(nullptr, nullptr) == INIT_OK; }
#endif

STAND_IN_EXPORT bool SteamAPI_InitSafe() { return initialise(nullptr, nullptr) == INIT_OK; }

#if HOTMIC_STAND_IN_SDK >= 158
STAND_IN_EXPORT std::int32_t SteamInternal_SteamAPI_Init(const char* versions, char* text) {
  return initialise(versions, text);
}
#endif

#if HOTMIC_STAND_IN_SDK >= 159
STAND_IN_EXPORT std::int32_t SteamAPI_InitFlat(char* text) { return initialise(nullptr, text); }
#endif

STAND_IN_EXPORT void SteamAPI_Shutdown() { client().close(); }
STAND_IN_EXPORT bool SteamAPI_IsSteamRunning() {
  const std::string failure = client().failure();
  return failure != "module" && failure != "interface" && failure != "pipe";
}
STAND_IN_EXPORT bool SteamAPI_RestartAppIfNecessary(AppId) { return FakeClient::appIdOfEnvironment() == 0; }
STAND_IN_EXPORT HSteamPipe SteamAPI_GetHSteamPipe() { return client().pipe(); }
STAND_IN_EXPORT HSteamUser SteamAPI_GetHSteamUser() { return client().isOpen() ? 1 : 0; }
STAND_IN_EXPORT void SteamAPI_ReleaseCurrentThreadMemory() { client().releaseThreadMemory(); }

STAND_IN_EXPORT void* USER_ACCESSOR() {
  if (!client().isOpen() || client().failure() == "accessor") return nullptr;
  return &interfaces[client().presentInterface()];
}

STAND_IN_EXPORT void SteamAPI_ManualDispatch_Init() {
  if (!client().isOpen()) return complain("ManualDispatch_Init before initialisation");
  if (dispatch == Dispatch::standard) return complain("ManualDispatch_Init after standard dispatch was used");
  dispatch = Dispatch::manual;
}

STAND_IN_EXPORT void SteamAPI_RunCallbacks() {
  if (!client().isOpen()) return;
  if (dispatch == Dispatch::manual) return complain("RunCallbacks after ManualDispatch_Init");
  dispatch = Dispatch::standard;
}

STAND_IN_EXPORT void SteamAPI_ManualDispatch_RunFrame(HSteamPipe pipe) {
  if (dispatch != Dispatch::manual) return complain("RunFrame before ManualDispatch_Init");
  if (pipe != 0 && pipe == client().pipe()) client().runFrame();
}

STAND_IN_EXPORT bool SteamAPI_ManualDispatch_GetNextCallback(HSteamPipe pipe, CallbackMsg* message) {
  if (dispatch != Dispatch::manual) {
    complain("GetNextCallback before ManualDispatch_Init");
    return false;
  }
  return client().nextCallback(pipe, message);
}

STAND_IN_EXPORT void SteamAPI_ManualDispatch_FreeLastCallback(HSteamPipe pipe) {
  if (dispatch != Dispatch::manual) return complain("FreeLastCallback before ManualDispatch_Init");
  client().freeLastCallback(pipe);
}

STAND_IN_EXPORT bool SteamAPI_ManualDispatch_GetAPICallResult(HSteamPipe pipe, CallHandle call, void* buffer, int bytes,
                                                              int expectedId, bool* failed) {
  if (dispatch != Dispatch::manual) {
    complain("GetAPICallResult before ManualDispatch_Init");
    return false;
  }
  return client().takeCallResult(pipe, call, buffer, bytes, expectedId, failed);
}

STAND_IN_EXPORT HSteamUser USER(GetHSteamUser)(void* self) { return SELF, 1; }
STAND_IN_EXPORT bool USER(BLoggedOn)(void* self) { return client().loggedOn(SELF); }
STAND_IN_EXPORT SteamId USER(GetSteamID)(void* self) { return client().steamId(SELF); }
STAND_IN_EXPORT int USER(InitiateGameConnection_DEPRECATED)(void* self, void* blob, int room, SteamId server,
                                                            std::uint32_t ip, std::uint16_t port, bool secure) {
  return client().initiateGameConnection(SELF, blob, room, server, ip, port, secure);
}
STAND_IN_EXPORT void USER(TerminateGameConnection_DEPRECATED)(void* self, std::uint32_t ip, std::uint16_t port) {
  client().terminateGameConnection(SELF, ip, port);
}
// Every SDK exports it; the oldest here does not, so that a library without it is tried.
#if HOTMIC_STAND_IN_SDK >= 156
STAND_IN_EXPORT bool USER(GetUserDataFolder)(void* self, char* folder, int room) {
  return client().getUserDataFolder(SELF, folder, room);
}
#endif
STAND_IN_EXPORT void USER(StartVoiceRecording)(void* self) { client().startVoiceRecording(SELF); }
STAND_IN_EXPORT void USER(StopVoiceRecording)(void* self) { client().stopVoiceRecording(SELF); }
STAND_IN_EXPORT int USER(GetAvailableVoice)(void* self, std::uint32_t* bytes, std::uint32_t* raw, std::uint32_t rate) {
  if (raw != nullptr || rate != 0) misuse("GetAvailableVoice: deprecated arguments are not NULL and 0");
  return client().getAvailableVoice(SELF, bytes);
}
STAND_IN_EXPORT int USER(GetVoice)(void* self, bool compressed, void* target, std::uint32_t room,
                                   std::uint32_t* written, bool raw, void* rawTarget, std::uint32_t rawRoom,
                                   std::uint32_t* rawWritten, std::uint32_t rawRate) {
  if (!compressed || raw || rawTarget != nullptr || rawRoom != 0 || rawWritten != nullptr || rawRate != 0) {
    misuse("GetVoice: expected compressed voice, and false, NULL and 0 for the deprecated arguments");
  }
  return client().getVoice(SELF, target, room, written);
}
STAND_IN_EXPORT int USER(DecompressVoice)(void* self, const void* voice, std::uint32_t bytes, void* target,
                                          std::uint32_t room, std::uint32_t* written, std::uint32_t rate) {
  return client().decompress(SELF, voice, bytes, target, room, written, rate);
}
STAND_IN_EXPORT std::uint32_t USER(GetVoiceOptimalSampleRate)(void* self) {
  return SELF, FakeVoice::OPTIMAL_RATE_HZ;
}

#if HOTMIC_STAND_IN_SDK >= 156
STAND_IN_EXPORT HAuthTicket USER(GetAuthSessionTicket)(void* self, void* ticket, int room, std::uint32_t* bytes,
                                                       const NetworkingIdentity* remote) {
  return client().getAuthSessionTicket(SELF, ticket, room, bytes, remote);
}
#else
STAND_IN_EXPORT HAuthTicket USER(GetAuthSessionTicket)(void* self, void* ticket, int room, std::uint32_t* bytes) {
  return client().getAuthSessionTicket(SELF, ticket, room, bytes, nullptr);
}
#endif
#if HOTMIC_STAND_IN_SDK >= 157
STAND_IN_EXPORT HAuthTicket USER(GetAuthTicketForWebApi)(void* self, const char* identity) {
  return client().getAuthTicketForWebApi(SELF, identity);
}
#endif
STAND_IN_EXPORT int USER(BeginAuthSession)(void* self, const void* ticket, int bytes, SteamId from) {
  return client().beginAuthSession(SELF, ticket, bytes, from);
}
STAND_IN_EXPORT void USER(EndAuthSession)(void* self, SteamId from) { client().endAuthSession(SELF, from); }
STAND_IN_EXPORT void USER(CancelAuthTicket)(void* self, HAuthTicket ticket) { client().cancelAuthTicket(SELF, ticket); }
STAND_IN_EXPORT int USER(UserHasLicenseForApp)(void* self, SteamId who, AppId app) {
  return client().userHasLicense(SELF, who, app);
}
STAND_IN_EXPORT bool USER(BIsBehindNAT)(void* self) { return client().behindNat(SELF); }
STAND_IN_EXPORT void USER(AdvertiseGame)(void* self, SteamId server, std::uint32_t ip, std::uint16_t port) {
  client().advertiseGame(SELF, server, ip, port);
}
STAND_IN_EXPORT CallHandle USER(RequestEncryptedAppTicket)(void* self, void* data, int bytes) {
  return client().requestEncryptedAppTicket(SELF, data, bytes);
}
STAND_IN_EXPORT bool USER(GetEncryptedAppTicket)(void* self, void* ticket, int room, std::uint32_t* bytes) {
  return client().getEncryptedAppTicket(SELF, ticket, room, bytes);
}
STAND_IN_EXPORT int USER(GetGameBadgeLevel)(void* self, int series, bool foil) {
  return client().badgeLevel(SELF, series, foil);
}
STAND_IN_EXPORT int USER(GetPlayerSteamLevel)(void* self) { return client().level(SELF); }
STAND_IN_EXPORT CallHandle USER(RequestStoreAuthURL)(void* self, const char* url) {
  return client().requestStoreAuthUrl(SELF, url);
}
STAND_IN_EXPORT bool USER(BIsPhoneVerified)(void* self) { return client().phoneVerified(SELF); }
STAND_IN_EXPORT bool USER(BIsTwoFactorEnabled)(void* self) { return client().twoFactor(SELF); }
STAND_IN_EXPORT bool USER(BIsPhoneIdentifying)(void* self) { return client().phoneIdentifying(SELF); }
STAND_IN_EXPORT bool USER(BIsPhoneRequiringVerification)(void* self) {
  return client().phoneRequiringVerification(SELF);
}
STAND_IN_EXPORT CallHandle USER(GetMarketEligibility)(void* self) { return client().getMarketEligibility(SELF); }
STAND_IN_EXPORT CallHandle USER(GetDurationControl)(void* self) { return client().getDurationControl(SELF); }
STAND_IN_EXPORT bool USER(BSetDurationControlOnlineState)(void* self, int state) {
  return client().setDurationOnlineState(SELF, state);
}
