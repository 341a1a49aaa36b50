// The core's voice functions. See steam_core.hpp.
//
// Steam's documentation does not say whether its voice functions may be called from several threads at once, so capture and
// decompression each have a lock.

#include <algorithm>

#include "steam_core.hpp"

namespace hotmic {

namespace {

constexpr VoiceAnswer kClosed = {kVoiceNotInitialized, 0};

// Never more bytes written than fit into the buffer, whatever Steam says.
VoiceAnswer within(int32_t result, uint32_t written, uint32_t room) {
  return {result, result == kVoiceOk ? std::min(written, room) : written};
}

}  // namespace

bool SteamCore::start_voice(Environment& environment) {
  return call(environment, [&](const SteamFunctions& steam, void* self) {
    std::lock_guard<std::mutex> voice(voice_);
    steam.start_voice(self);
    environment.recording_ = true;
  });
}

bool SteamCore::stop_voice(Environment& environment) {
  return call(environment, [&](const SteamFunctions& steam, void* self) {
    std::lock_guard<std::mutex> voice(voice_);
    steam.stop_voice(self);
    // There is one microphone: stopping it stops it for everyone.
    for (Environment* other : environments_) other->recording_ = false;
  });
}

VoiceAnswer SteamCore::available_voice(const Environment& environment) {
  VoiceAnswer answer = kClosed;
  call(environment, [&](const SteamFunctions& steam, void* self) {
    std::lock_guard<std::mutex> voice(voice_);
    uint32_t bytes = 0;
    const int32_t result = steam.available_voice(self, &bytes, nullptr, 0);
    answer = {result, bytes};
  });
  return answer;
}

VoiceAnswer SteamCore::get_voice(const Environment& environment, void* to, uint32_t room) {
  VoiceAnswer answer = kClosed;
  call(environment, [&](const SteamFunctions& steam, void* self) {
    std::lock_guard<std::mutex> voice(voice_);
    uint32_t written = 0;
    const int32_t result = steam.get_voice(self, true, to, room, &written, false, nullptr, 0, nullptr, 0);
    answer = within(result, written, room);
  });
  return answer;
}

VoiceAnswer SteamCore::decompress_voice(const Environment& environment, const void* voice, uint32_t bytes, void* to,
                                        uint32_t room, uint32_t rate) {
  VoiceAnswer answer = kClosed;
  call(environment, [&](const SteamFunctions& steam, void* self) {
    std::lock_guard<std::mutex> decompress(decompress_);
    uint32_t written = 0;
    const int32_t result = steam.decompress_voice(self, voice, bytes, to, room, &written, rate);
    answer = within(result, written, room);
  });
  return answer;
}

}  // namespace hotmic
