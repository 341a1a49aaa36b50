// What each part of the harness needs: the library and its functions, the control, initialisation, dispatch.

#pragma once

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "abi.hpp"

namespace harness {

using namespace steam_abi;

inline void* library = nullptr;
inline const char* controlled = nullptr;

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

inline std::string control(const char* command) {
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
inline int initialise(char* text) {
  text[0] = '\0';
  if (const auto flat = find<int(char*)>("SteamAPI_InitFlat")) return flat(text);
  if (const auto internal = find<int(const char*, char*)>("SteamInternal_SteamAPI_Init")) return internal(nullptr, text);
  return find<bool()>("SteamAPI_InitSafe")() ? 0 : 1;
}

inline void* accessor() {
  for (const char* name : {"SteamAPI_SteamUser_v023", "SteamAPI_SteamUser_v022", "SteamAPI_SteamUser_v021"}) {
    if (const auto function = find<void*()>(name)) return function();
  }
  return nullptr;
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

// Initialises, or ends the program.
inline void* start() {
  char text[ERROR_TEXT_BYTES];
  const int code = initialise(text);
  if (code != 0) {
    std::printf("init %d %s\n", code, text);
    std::exit(1);
  }
  find<void()>("SteamAPI_ManualDispatch_Init")();
  return accessor();
}

inline int getVoice(void* self, void* target, std::uint32_t room, std::uint32_t* written) {
  static const auto function =
      user<int(void*, bool, void*, std::uint32_t, std::uint32_t*, bool, void*, std::uint32_t, std::uint32_t*,
               std::uint32_t)>("GetVoice");
  return function(self, true, target, room, written, false, nullptr, 0, nullptr, 0);
}

// All of ISteamUser once, printed: harness_session.cpp.
void identity(void* self);
void tickets(void* self, Dispatch& dispatch);
void calls(void* self, Dispatch& dispatch);
void voice(void* self);

}  // namespace harness
