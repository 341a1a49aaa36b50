// Drives a libsteam_api as a program in C++ does, with no addon between, and prints what it saw: one line a fact.
//   harness init LIBRARY          the outcome of initialisation, by every door that the library has
//   harness session LIBRARY CONTROLLED   all of ISteamUser once, with dispatch
//   harness cycles LIBRARY CONTROLLED N  initialise, dispatch and shut down N times
//   harness threads LIBRARY CONTROLLED N eight threads with N calls of GetVoice each, while the main thread dispatches
//   harness cost LIBRARY CONTROLLED N    nanoseconds a call of GetVoice that gives 700 bytes, over N calls
//   harness misuse LIBRARY CONTROLLED WHAT null, stale, next-twice, free-twice or late: the library has to end it
//   harness symbols LIBRARY NAME …       those that the library exports
// CONTROLLED is the library with the fake client in it: the stand-in itself, or steamclient.so beside the real library.

#include <chrono>
#include <thread>

#include "harness.hpp"

using namespace harness;

namespace {

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
    control("emit 101 00");
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

void cost(int count) {
  void* self = start();
  control("voice repeat 700");
  user<void(void*)>("StartVoiceRecording")(self);
  std::uint8_t packet[8192];
  std::uint32_t written = 0;
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < count; i += 1) getVoice(self, packet, sizeof packet, &written);
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - began;
  std::printf("%.1f\n", took.count() / count);
  find<void()>("SteamAPI_Shutdown")();
}

void misuseIt(const std::string& what) {
  void* self = start();
  Dispatch dispatch;
  const auto loggedOn = user<bool(void*)>("BLoggedOn");
  CallbackMsg message;
  control("emit 101 00");
  control("emit 101 00");
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
  else if (mode == "cost") cost(number);
  else if (mode == "misuse" && count > 4) misuseIt(words[4]);
  else return 2;
  return 0;
}
