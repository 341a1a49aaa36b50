// Drives a libsteam_api as a program in C++ does, with no addon between, and prints what it saw: one line a fact.
//   harness init LIBRARY          the outcome of initialisation, by every door that the library has
//   harness session LIBRARY CONTROLLED   all of ISteamUser once, with dispatch
//   harness cycles LIBRARY CONTROLLED N  initialise, dispatch and shut down N times
//   harness threads LIBRARY CONTROLLED N eight threads with N calls of GetVoice each, while the main thread dispatches
//   harness misuse LIBRARY CONTROLLED WHAT null, stale, next-twice, free-twice or late: wants to be ended for it
//   harness symbols LIBRARY NAME …       those that the library exports
// CONTROLLED is the library with the fake client in it: the stand-in itself, or steamclient.so beside the real library.

#include <dlfcn.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "abi.hpp"

using namespace steam_abi;

namespace {

void* library = nullptr;
const char* controlled = nullptr;

template <typename Function>
Function* find(const char* name) {
  return reinterpret_cast<Function*>(dlsym(library, name));
}

template <typename Function>
Function* user(const char* name) {
  Function* function = find<Function>((std::string("SteamAPI_ISteamUser_") + name).c_str());
  if (function == nullptr) {
    std::fprintf(stderr, "no %s\n", name);
    std::exit(2);
  }
  return function;
}

std::string control(const char* command) {
  void* stand = dlopen(controlled, RTLD_NOW | RTLD_LOCAL);
  if (stand == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    std::exit(2);
  }
  const auto tell = reinterpret_cast<int (*)(const char*, char*, std::size_t)>(dlsym(stand, "hotmic_stand_in"));
  static char answer[1 << 17];
  if (tell == nullptr || tell(command, answer, sizeof answer) != 0) {
    std::fprintf(stderr, "%s: %s\n", command, answer);
    std::exit(2);
  }
  return answer;
}

// By the newest door that the library has.
int initialise(char* text) {
  text[0] = '\0';
  if (const auto flat = find<int(char*)>("SteamAPI_InitFlat")) return flat(text);
  if (const auto internal = find<int(const char*, char*)>("SteamInternal_SteamAPI_Init")) return internal(nullptr, text);
  return find<bool()>("SteamAPI_InitSafe")() ? 0 : 1;
}

void* accessor() {
  for (const char* name : {"SteamAPI_SteamUser_v023", "SteamAPI_SteamUser_v022", "SteamAPI_SteamUser_v021"}) {
    if (const auto function = find<void*()>(name)) return function();
  }
  return nullptr;
}

void init() {
  char text[ERROR_TEXT_BYTES];
  const auto shutdown = find<void()>("SteamAPI_Shutdown");
  const auto flat = find<int(char*)>("SteamAPI_InitFlat");
  const auto internal = find<int(const char*, char*)>("SteamInternal_SteamAPI_Init");
  const auto said = [&](const char* door, int code, const char* words) {
    std::printf("%s %d \"%s\" accessor %s\n", door, code, words, accessor() == nullptr ? "null" : "given");
    shutdown();
  };
  if (flat != nullptr) {
    text[0] = '\0';
    const int code = flat(text);
    said("InitFlat", code, text);
  }
  if (internal != nullptr) {
    text[0] = '\0';
    const char versions[] = "SteamUser023\0SteamUtils010\0\0";
    const int code = internal(versions, text);
    said("Internal", code, text);
  }
  const bool safe = find<bool()>("SteamAPI_InitSafe")();
  said("InitSafe", safe ? 1 : 0, "");
}

struct Dispatch {
  HSteamPipe pipe = find<HSteamPipe()>("SteamAPI_GetHSteamPipe")();
  void (*runFrame)(HSteamPipe) = find<void(HSteamPipe)>("SteamAPI_ManualDispatch_RunFrame");
  bool (*next)(HSteamPipe, CallbackMsg*) =
      find<bool(HSteamPipe, CallbackMsg*)>("SteamAPI_ManualDispatch_GetNextCallback");
  void (*freeLast)(HSteamPipe) = find<void(HSteamPipe)>("SteamAPI_ManualDispatch_FreeLastCallback");
  bool (*result)(HSteamPipe, CallHandle, void*, int, int, bool*) =
      find<bool(HSteamPipe, CallHandle, void*, int, int, bool*)>("SteamAPI_ManualDispatch_GetAPICallResult");

  static void print(const char* kind, int id, const std::uint8_t* bytes, std::size_t count) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < count; i += 1) sum = sum * 31 + bytes[i];
    std::printf("  %s %d, %zu bytes:", kind, id, count);
    for (std::size_t i = 0; i < count && i < 24; i += 1) std::printf(" %02x", bytes[i]);
    std::printf(" sum %08x\n", sum);
  }

  void frame(bool quiet = false) {
    runFrame(pipe);
    CallbackMsg message;
    while (next(pipe, &message)) {
      if (message.id == CALL_COMPLETED_ID) {
        CallCompleted completed;
        std::memcpy(&completed, message.param, sizeof completed);
        std::vector<std::uint8_t> payload(completed.bytes);
        bool failed = false;
        const bool taken =
            result(pipe, completed.call, payload.data(), static_cast<int>(completed.bytes), completed.id, &failed);
        if (!quiet && taken && !failed) print("result", completed.id, payload.data(), payload.size());
        if (!quiet && (!taken || failed)) std::printf("  result %d failed, taken %d\n", completed.id, taken);
      } else if (!quiet) {
        print("callback", message.id, message.param, static_cast<std::size_t>(message.paramBytes));
      }
      freeLast(pipe);
    }
  }
};

void* start() {
  char text[ERROR_TEXT_BYTES];
  const int code = initialise(text);
  if (code != 0) {
    std::printf("init %d %s\n", code, text);
    std::exit(1);
  }
  find<void()>("SteamAPI_ManualDispatch_Init")();
  return accessor();
}

int getVoice(void* self, void* target, std::uint32_t room, std::uint32_t* written) {
  static const auto function =
      user<int(void*, bool, void*, std::uint32_t, std::uint32_t*, bool, void*, std::uint32_t, std::uint32_t*,
               std::uint32_t)>("GetVoice");
  return function(self, true, target, room, written, false, nullptr, 0, nullptr, 0);
}

HAuthTicket sessionTicket(void* self, std::uint8_t* ticket, int room, std::uint32_t* bytes) {
  const auto function = user<HAuthTicket(void*, void*, int, std::uint32_t*, const void*)>("GetAuthSessionTicket");
  NetworkingIdentity remote{};
  remote.type = IDENTITY_IS_STEAM_ID;
  remote.bytes = 8;
  remote.steamId = 76561197960265999;
  // On SDKs that have three arguments, the fourth is ignored by the calling convention.
  return function(self, ticket, room, bytes, &remote);
}

void identity(void* self) {
  control("set level 42");
  control("set two-factor 1");
  control("set phone-identifying 1");
  control("badges 1:0:3 1:1:1");
  std::printf("id %" PRIu64 "\n", user<SteamId(void*)>("GetSteamID")(self));
  std::printf("logged on %d\n", user<bool(void*)>("BLoggedOn")(self));
  std::printf("level %d\n", user<int(void*)>("GetPlayerSteamLevel")(self));
  const auto badge = user<int(void*, int, bool)>("GetGameBadgeLevel");
  std::printf("badges %d %d %d\n", badge(self, 1, false), badge(self, 1, true), badge(self, 2, false));
  for (const char* flag : {"BIsBehindNAT", "BIsPhoneVerified", "BIsTwoFactorEnabled", "BIsPhoneIdentifying",
                           "BIsPhoneRequiringVerification"}) {
    std::printf("%s %d\n", flag, user<bool(void*)>(flag)(self));
  }
}

void tickets(void* self, Dispatch& dispatch) {
  std::uint8_t ticket[1024];
  std::uint32_t bytes = 0;
  const HAuthTicket none = sessionTicket(self, ticket, 100, &bytes);
  std::printf("ticket into 100 bytes: %u, wants %u\n", none, bytes);
  const HAuthTicket handle = sessionTicket(self, ticket, sizeof ticket, &bytes);
  std::printf("ticket %08x of %u bytes\n", handle, bytes);
  dispatch.frame();
  if (const auto web = find<HAuthTicket(void*, const char*)>("SteamAPI_ISteamUser_GetAuthTicketForWebApi")) {
    std::printf("web ticket %08x\n", web(self, "relay"));
    dispatch.frame();
  }
  const auto begin = user<int(void*, const void*, int, SteamId)>("BeginAuthSession");
  const SteamId own = user<SteamId(void*)>("GetSteamID")(self);
  std::uint8_t broken[1024];
  std::memcpy(broken, ticket, sizeof broken);
  broken[0] ^= 1;
  std::printf("begin with a broken ticket %d\n", begin(self, broken, static_cast<int>(bytes), own));
  std::printf("begin %d\n", begin(self, ticket, static_cast<int>(bytes), own));
  std::printf("begin again %d\n", begin(self, ticket, static_cast<int>(bytes), own));
  dispatch.frame();
  user<void(void*, HAuthTicket)>("CancelAuthTicket")(self, handle);
  dispatch.frame();
  user<void(void*, SteamId)>("EndAuthSession")(self, own);
  const SteamId other = own + 1;
  const auto licensed = user<int(void*, SteamId, AppId)>("UserHasLicenseForApp");
  std::printf("license of another %d\n", licensed(self, other, 480));
  control("next begin-auth-session 0");
  control("next validation 0 76561197960265999");
  std::printf("begin of another %d\n", begin(self, broken, 1, other));
  dispatch.frame();
  std::printf("license of another %d, other app %d\n", licensed(self, other, 480), licensed(self, other, 481));
  control("license 481 1");
  std::printf("own license %d\n", licensed(self, own, 481));
  dispatch.frame();
}

void calls(void* self, Dispatch& dispatch) {
  char data[] = "user data";
  const auto request = user<CallHandle(void*, void*, int)>("RequestEncryptedAppTicket");
  const auto encrypted = user<bool(void*, void*, int, std::uint32_t*)>("GetEncryptedAppTicket");
  std::uint8_t ticket[1024];
  std::uint32_t bytes = 0;
  std::printf("encrypted ticket before %d\n", encrypted(self, ticket, sizeof ticket, &bytes));
  std::printf("handles are new %d\n", request(self, data, 9) != request(self, data, 9));
  dispatch.frame();
  std::printf("encrypted ticket %d", encrypted(self, ticket, sizeof ticket, &bytes));
  std::printf(" of %u bytes, %.9s\n", bytes, ticket + 8);
  user<CallHandle(void*, const char*)>("RequestStoreAuthURL")(self, "https://game.invalid/");
  user<CallHandle(void*)>("GetMarketEligibility")(self);
  control("duration 1 3600 1 2 60 30");
  user<CallHandle(void*)>("GetDurationControl")(self);
  control("next call-failure");
  user<CallHandle(void*)>("GetMarketEligibility")(self);
  control("next call-refused");
  user<CallHandle(void*)>("GetDurationControl")(self);
  dispatch.frame();
  const auto online = user<bool(void*, int)>("BSetDurationControlOnlineState");
  std::printf("online state %d %d\n", online(self, 0), online(self, 3));
  control("emit 152 e0010000010000000000000001000000");
  control("lose 3");
  std::printf("logged on %d\n", user<bool(void*)>("BLoggedOn")(self));
  control("restore");
  dispatch.frame();
  user<void(void*, SteamId, std::uint32_t, std::uint16_t)>("AdvertiseGame")(self, 5, 0x7f000001, 27015);
  std::uint8_t blob[2048];
  const auto connect = user<int(void*, void*, int, SteamId, std::uint32_t, std::uint16_t, bool)>(
      "InitiateGameConnection_DEPRECATED");
  const int none = connect(self, blob, 10, 5, 0x7f000001, 27015, true);
  std::printf("connection %d, %d\n", none, connect(self, blob, sizeof blob, 5, 0x7f000001, 27015, true));
  user<void(void*, std::uint32_t, std::uint16_t)>("TerminateGameConnection_DEPRECATED")(self, 0x7f000001, 27015);
}

void voice(void* self) {
  std::uint8_t packet[8192];
  std::vector<std::uint8_t> pcm(65536);
  std::uint32_t written = 0;
  std::printf("voice before %d\n", getVoice(self, packet, sizeof packet, &written));
  user<void(void*)>("StartVoiceRecording")(self);
  std::printf("voice in silence %d\n", getVoice(self, packet, sizeof packet, &written));
  const std::string made = control("voice make 300 7");
  control(("voice queue " + made).c_str());
  const auto available = user<int(void*, std::uint32_t*, std::uint32_t*, std::uint32_t)>("GetAvailableVoice");
  const int there = available(self, &written, nullptr, 0);
  std::printf("available %d %u\n", there, written);
  const int small = getVoice(self, packet, 299, &written);
  std::printf("voice into 299 bytes %d, wants %u\n", small, written);
  const int given = getVoice(self, packet, sizeof packet, &written);
  std::printf("voice %d %u\n", given, written);
  const std::uint32_t bytes = written;
  const auto decompress =
      user<int(void*, const void*, std::uint32_t, void*, std::uint32_t, std::uint32_t*, std::uint32_t)>("DecompressVoice");
  const auto decoded = [&](const char* what, std::uint32_t room, std::uint32_t rate) {
    const int result = decompress(self, packet, bytes, pcm.data(), room, &written, rate);
    std::printf("%s %d %u\n", what, result, written);
  };
  decoded("decompressed", 65536, 24000);
  decoded("decompressed at 44100", 65536, 44100);
  decoded("decompressed into 10 bytes", 10, 24000);
  packet[bytes - 1] ^= 1;
  decoded("decompressed with a wrong CRC", 65536, 24000);
  control("voice linger 2");
  control("voice repeat 700");
  control(("voice queue " + made).c_str());
  user<void(void*)>("StopVoiceRecording")(self);
  for (int i = 0; i < 5; i += 1) std::printf("after stop %d\n", getVoice(self, packet, sizeof packet, &written));
  std::printf("optimal rate %u\n", user<std::uint32_t(void*)>("GetVoiceOptimalSampleRate")(self));
}

void session() {
  void* self = start();
  Dispatch dispatch;
  identity(self);
  tickets(self, dispatch);
  calls(self, dispatch);
  voice(self);
  std::printf("%s\n", control("counts").c_str());
  find<void()>("SteamAPI_Shutdown")();
  std::printf("accessor after shutdown %s\n", accessor() == nullptr ? "null" : "given");
}

void cycles(int count) {
  for (int i = 0; i < count; i += 1) {
    void* self = start();
    Dispatch dispatch;
    user<CallHandle(void*)>("GetMarketEligibility")(self);
    control("restore");
    dispatch.frame(i > 0);
    find<void()>("SteamAPI_Shutdown")();
  }
  std::printf("%s\n", control("counts").c_str());
}

void threads(int count) {
  void* self = start();
  control("voice repeat 700");
  user<void(void*)>("StartVoiceRecording")(self);
  std::vector<std::thread> all;
  for (int i = 0; i < 8; i += 1) {
    all.emplace_back([=] {
      std::uint8_t packet[8192];
      std::uint32_t written = 0;
      for (int call = 0; call < count; call += 1) {
        if (getVoice(self, packet, sizeof packet, &written) != 0 || written != 700) std::abort();
        if (call % 100 == 0) find<void()>("SteamAPI_ReleaseCurrentThreadMemory")();
      }
    });
  }
  Dispatch dispatch;
  for (int i = 0; i < 100; i += 1) {
    user<CallHandle(void*)>("GetMarketEligibility")(self);
    dispatch.frame(true);
  }
  for (std::thread& each : all) each.join();
  std::printf("%s\n", control("counts").c_str());
  find<void()>("SteamAPI_Shutdown")();
}

void misuseIt(const std::string& what) {
  void* self = start();
  Dispatch dispatch;
  const auto loggedOn = user<bool(void*)>("BLoggedOn");
  CallbackMsg message;
  control("restore");
  control("restore");
  dispatch.runFrame(dispatch.pipe);
  if (what == "null") {
    loggedOn(nullptr);
  } else if (what == "late") {
    find<void()>("SteamAPI_Shutdown")();
    loggedOn(self);
  } else if (what == "stale") {
    find<void()>("SteamAPI_Shutdown")();
    start();
    loggedOn(self);
  } else if (what == "next-twice") {
    dispatch.next(dispatch.pipe, &message);
    dispatch.next(dispatch.pipe, &message);
  } else if (what == "free-twice") {
    dispatch.next(dispatch.pipe, &message);
    dispatch.freeLast(dispatch.pipe);
    dispatch.freeLast(dispatch.pipe);
  }
  std::printf("survived\n");
}

}  // namespace

int main(int count, char** words) {
  if (count < 3) return 2;
  const std::string mode = words[1];
  library = dlopen(words[2], RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 2;
  }
  if (mode == "symbols") {
    for (int i = 3; i < count; i += 1) {
      if (dlsym(library, words[i]) != nullptr) std::printf("%s\n", words[i]);
    }
    return 0;
  }
  controlled = count > 3 ? words[3] : words[2];
  const int number = count > 4 ? std::atoi(words[4]) : 1;
  if (mode == "init") init();
  else if (mode == "session") session();
  else if (mode == "cycles") cycles(number);
  else if (mode == "threads") threads(number);
  else if (mode == "misuse" && count > 4) misuseIt(words[4]);
  else return 2;
  return 0;
}
