#include "fake_voice.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace {

constexpr std::size_t MAX_QUEUED = 4096;

constexpr std::size_t RATE_OP_BYTES = 3;
constexpr std::size_t AUDIO_OP_BYTES = 3;
constexpr std::size_t FRAME_HEADER_BYTES = 4;
constexpr std::size_t CRC_BYTES = 4;
constexpr std::size_t AROUND_FRAMES = 8 + RATE_OP_BYTES + AUDIO_OP_BYTES + CRC_BYTES;
// TOC of 20 ms of hybrid, mono: what Steam makes.
constexpr std::uint8_t TOC = 0x68;

void put16(Bytes& bytes, std::uint16_t value) {
  bytes.push_back(static_cast<std::uint8_t>(value & 0xff));
  bytes.push_back(static_cast<std::uint8_t>(value >> 8));
}

std::uint32_t crc32(const std::uint8_t* bytes, std::size_t count) {
  std::uint32_t crc = 0xffffffff;
  for (std::size_t i = 0; i < count; i += 1) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; bit += 1) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xedb88320 : crc >> 1;
  }
  return ~crc;
}

}  // namespace

void FakeVoice::start() {
  if (state_ == State::idle) sequence_ = 0;
  state_ = State::recording;
}

void FakeVoice::stop() {
  if (state_ != State::recording) return;
  state_ = State::ending;
  lingerLeft_ = linger_;
}

const Bytes* FakeVoice::front() {
  if (!packets_.empty()) return &packets_.front();
  return state_ == State::recording && !repeated_.empty() ? &repeated_ : nullptr;
}

VoiceResult FakeVoice::available(std::uint32_t* bytes) {
  *bytes = 0;
  if (state_ == State::idle) return VOICE_NOT_RECORDING;
  const Bytes* packet = front();
  if (packet == nullptr) return VOICE_NO_DATA;
  *bytes = static_cast<std::uint32_t>(packet->size());
  return VOICE_OK;
}

VoiceResult FakeVoice::read(void* target, std::uint32_t room, std::uint32_t* written) {
  const VoiceResult result = available(written);
  if (result == VOICE_NO_DATA && state_ == State::ending) {
    if (lingerLeft_ == 0) {
      state_ = State::idle;
      return VOICE_NOT_RECORDING;
    }
    lingerLeft_ -= 1;
  }
  if (result != VOICE_OK) return result;
  if (target == nullptr || room < *written) return VOICE_BUFFER_TOO_SMALL;
  std::memcpy(target, front()->data(), *written);
  if (!packets_.empty()) {
    packets_.pop_front();
  } else if (numbered_) {
    std::uint16_t frames = 0;
    repeated_ = makeVoicePacket(static_cast<std::uint32_t>(repeated_.size()), steamId_, sequence_, &frames);
    sequence_ = static_cast<std::uint16_t>(sequence_ + frames);
  }
  return VOICE_OK;
}

bool FakeVoice::queue(Bytes packet) {
  if (packets_.size() >= MAX_QUEUED) return false;
  packets_.push_back(std::move(packet));
  return true;
}

bool FakeVoice::repeat(std::uint32_t bytes, bool numbered, std::uint64_t steamId) {
  numbered_ = numbered;
  steamId_ = steamId;
  if (bytes == 0) {
    repeated_.clear();
    return true;
  }
  std::uint16_t frames = 0;
  repeated_ = makeVoicePacket(bytes, steamId, 0, &frames);
  sequence_ = frames;
  return !repeated_.empty();
}

void FakeVoice::end() {
  state_ = State::idle;
  packets_.clear();
}

Bytes makeVoicePacket(std::uint32_t bytes, std::uint64_t steamId, std::uint16_t firstSequence, std::uint16_t* frames) {
  *frames = 0;
  if (bytes < AROUND_FRAMES + FRAME_HEADER_BYTES + 1 || bytes - AROUND_FRAMES > 0xffff) return {};
  const std::size_t payload = bytes - AROUND_FRAMES;
  const std::size_t count = std::max<std::size_t>(1, payload / 84);
  Bytes packet;
  packet.reserve(bytes);
  for (int i = 0; i < 8; i += 1) packet.push_back(static_cast<std::uint8_t>(steamId >> (8 * i)));
  packet.push_back(0x0b);
  put16(packet, FakeVoice::OPTIMAL_RATE_HZ);
  packet.push_back(0x06);
  put16(packet, static_cast<std::uint16_t>(payload));
  for (std::size_t i = 0; i < count; i += 1) {
    const std::size_t size = (payload * (i + 1)) / count - (payload * i) / count - FRAME_HEADER_BYTES;
    const auto sequence = static_cast<std::uint16_t>(firstSequence + i);
    put16(packet, static_cast<std::uint16_t>(size));
    put16(packet, sequence);
    packet.push_back(TOC);
    for (std::size_t at = 1; at < size; at += 1) packet.push_back(static_cast<std::uint8_t>(sequence * 31 + at));
  }
  *frames = static_cast<std::uint16_t>(count);
  const std::uint32_t crc = crc32(packet.data(), packet.size());
  for (int i = 0; i < 4; i += 1) packet.push_back(static_cast<std::uint8_t>(crc >> (8 * i)));
  return packet;
}

namespace {

// A walk over a packet that never passes its end.
struct Walk {
  const std::uint8_t* at;
  const std::uint8_t* end;

  std::size_t left() const { return static_cast<std::size_t>(end - at); }
  std::uint8_t take8() { return *at++; }
  std::uint16_t take16() {
    const auto value = static_cast<std::uint16_t>(at[0] | at[1] << 8);
    at += 2;
    return value;
  }
};

// Samples at 48 kHz that an Opus packet plays, RFC 6716 section 3.1; -1 when it breaks the framing.
std::int64_t opusSamples48(const std::uint8_t* frame, std::size_t bytes) {
  const unsigned config = frame[0] >> 3;
  const unsigned code = frame[0] & 3;
  std::int64_t samples = 0;
  if (config < 12) {
    static constexpr std::int64_t SILK[] = {480, 960, 1920, 2880};
    samples = SILK[config & 3];
  } else if (config < 16) {
    samples = (config & 1) != 0 ? 960 : 480;
  } else {
    samples = std::int64_t{120} << (config & 3);
  }
  std::int64_t count = code == 0 ? 1 : 2;
  if (code == 3) {
    if (bytes < 2) return -1;
    count = frame[1] & 63;
    if (count == 0) return -1;
  }
  const std::int64_t sum = samples * count;
  return sum > 5760 ? -1 : sum;
}

// Adds what the frames of an op play, at 24 kHz. False when it is malformed.
bool walkFrames(Walk frames, std::uint64_t* samples) {
  while (frames.left() > 0) {
    if (frames.left() < 2) return false;
    const std::uint16_t length = frames.take16();
    if (length == 0xffff) continue;
    if (frames.left() < std::size_t{2} + length) return false;
    frames.take16();
    const std::int64_t at48 = length == 0 ? 960 : opusSamples48(frames.at, length);
    if (at48 < 0) return false;
    *samples += static_cast<std::uint64_t>(at48) / 2;
    frames.at += length;
  }
  return true;
}

bool knownRate(std::uint16_t rate) {
  return rate == 8000 || rate == 12000 || rate == 16000 || rate == 24000 || rate == 48000;
}

VoiceResult measure(Walk ops, std::uint64_t* samples) {
  std::uint32_t rate = FakeVoice::OPTIMAL_RATE_HZ;
  while (ops.left() > 0) {
    const std::uint8_t op = ops.take8();
    if (op != 0x00 && op != 0x06 && op != 0x0b) return VOICE_UNSUPPORTED_CODEC;
    if (ops.left() < 2) return VOICE_DATA_CORRUPTED;
    const std::uint16_t argument = ops.take16();
    if (op == 0x0b) {
      if (!knownRate(argument)) return VOICE_DATA_CORRUPTED;
      rate = argument;
    } else if (op == 0x00) {
      *samples += std::uint64_t{argument} * 24000 / rate;
    } else {
      if (ops.left() < argument) return VOICE_DATA_CORRUPTED;
      if (!walkFrames({ops.at, ops.at + argument}, samples)) return VOICE_DATA_CORRUPTED;
      ops.at += argument;
    }
  }
  return VOICE_OK;
}

}  // namespace

VoiceResult decompressVoice(const void* voice, std::uint32_t voiceBytes, void* target, std::uint32_t room,
                            std::uint32_t* written, std::uint32_t rateHz) {
  *written = 0;
  const auto* bytes = static_cast<const std::uint8_t*>(voice);
  if (bytes == nullptr || voiceBytes < 15 || rateHz < 11025 || rateHz > 48000) return VOICE_DATA_CORRUPTED;
  const std::uint8_t* crcAt = bytes + voiceBytes - CRC_BYTES;
  std::uint32_t crc = 0;
  for (int i = 0; i < 4; i += 1) crc |= std::uint32_t{crcAt[i]} << (8 * i);
  if (crc32(bytes, voiceBytes - CRC_BYTES) != crc) return VOICE_DATA_CORRUPTED;
  std::uint64_t samples = 0;
  const VoiceResult result = measure({bytes + 8, crcAt}, &samples);
  if (result != VOICE_OK) return result;
  if (samples > 72000) return VOICE_DATA_CORRUPTED;
  samples = samples * rateHz / 24000;
  *written = static_cast<std::uint32_t>(samples * 2);
  if (room < *written || (target == nullptr && *written > 0)) return VOICE_BUFFER_TOO_SMALL;
  auto* pcm = static_cast<std::uint8_t*>(target);
  for (std::uint64_t i = 0; i < samples; i += 1) {
    const auto sample = static_cast<std::uint16_t>(i * 7 % 32768);
    *pcm++ = static_cast<std::uint8_t>(sample & 0xff);
    *pcm++ = static_cast<std::uint8_t>(sample >> 8);
  }
  return VOICE_OK;
}
