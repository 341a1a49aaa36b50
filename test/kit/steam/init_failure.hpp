// How initialisation fails, and with what text: codes and words as the real library gives them, which the stand-in for it
// repeats. test/kit/stand_in_steam.test.ts compares the two.

#pragma once

#include <cstdlib>
#include <string>

#include "fake_client.hpp"

// ESteamAPIInitResult.
enum InitResult : std::int32_t {
  INIT_OK = 0,
  INIT_FAILED_GENERIC = 1,
  INIT_NO_STEAM_CLIENT = 2,
  INIT_VERSION_MISMATCH = 3,
};

struct InitFailure {
  InitResult code;
  std::string text;
};

// `userVersion` as "SteamUser023".
inline InitFailure initFailureOf(const std::string& failure, const std::string& userVersion) {
  if (failure == "module") {
    const char* home = std::getenv("HOME");
    const std::string folder = home == nullptr ? "(null)" : home;
    return {INIT_FAILED_GENERIC, "Failed to load module '" + folder + "/.steam/sdk64/steamclient.so'"};
  }
  if (failure == "interface") return {INIT_FAILED_GENERIC, "No SteamClient021"};
  if (failure == "pipe") {
    return {INIT_NO_STEAM_CLIENT,
            "Cannot create IPC pipe to Steam client process.  Steam is probably not running."};
  }
  if (failure == "user") return {INIT_FAILED_GENERIC, "ConnectToGlobalUser failed."};
  if (failure == "version") return {INIT_VERSION_MISMATCH, "No " + userVersion};
  if (failure == "app-id" || FakeClient::appIdOfEnvironment() == 0) {
    return {INIT_FAILED_GENERIC,
            "No appID found.  Either launch the game from Steam, or put the file steam_appid.txt containing the "
            "correct appID in your game folder."};
  }
  return {INIT_OK, ""};
}
