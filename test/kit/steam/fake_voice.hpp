// The voice of the fake client: a recording whose packets a test scripts, and a decoder that makes silence's opposite, a ramp
// of the right length, from a Steam Voice packet (docs/steam-voice-packet.md). Not thread-safe: FakeClient locks around it.

#pragma once

#include <deque>

#include "callback_queue.hpp"

// EVoiceResult.
enum VoiceResult : std::int32_t {
  VOICE_OK = 0,
  VOICE_NOT_INITIALIZED = 1,
  VOICE_NOT_RECORDING = 2,
  VOICE_NO_DATA = 3,
  VOICE_BUFFER_TOO_SMALL = 4,
  VOICE_DATA_CORRUPTED = 5,
  VOICE_UNSUPPORTED_CODEC = 7,
};

class FakeVoice {
 public:
  static constexpr std::uint32_t OPTIMAL_RATE_HZ = 24000;

  void start();
  // What is queued still comes, then `linger` times no data, then NOT_RECORDING.
  void stop();
  VoiceResult available(std::uint32_t* bytes);
  VoiceResult read(void* target, std::uint32_t room, std::uint32_t* written);

  bool recording() const { return state_ != State::idle; }
  std::size_t queued() const { return packets_.size(); }

  // While it records, the packets come in order, each once. At most 4096 wait.
  bool queue(Bytes packet);
  // While it records and nothing is queued, each read gives a packet of `bytes`, always the same one; 0 ends that. With
  // `numbered`, its frames carry sequence numbers that go on, as real ones do.
  bool repeat(std::uint32_t bytes, bool numbered, std::uint64_t steamId);
  void linger(std::uint32_t answers) { linger_ = answers; }
  // Steam is shut down: the recording is over and what was queued is gone. What was set stays.
  void end();

 private:
  enum class State { idle, recording, ending };

  // The packet that the next read gives, or null.
  const Bytes* front();

  State state_ = State::idle;
  std::deque<Bytes> packets_;
  Bytes repeated_;
  bool numbered_ = false;
  std::uint64_t steamId_ = 0;
  std::uint16_t sequence_ = 0;
  std::uint32_t linger_ = 0;
  std::uint32_t lingerLeft_ = 0;
};

// A Steam Voice packet of exactly `bytes`: one rate op, one Opus op with frames of some 80 bytes. Empty when `bytes` is too
// little for a frame, under 23, or more than an op can hold.
Bytes makeVoicePacket(std::uint32_t bytes, std::uint64_t steamId, std::uint16_t firstSequence, std::uint16_t* frames);

// Checks and measures a packet, then writes the samples 0, 7, 14, … (modulo 32768). `written` is in bytes.
VoiceResult decompressVoice(const void* voice, std::uint32_t voiceBytes, void* target, std::uint32_t room,
                            std::uint32_t* written, std::uint32_t rateHz);
