/**
 * The counts of the load generator: whether each listener hears each voice frame once, intact and in order.
 */

#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

namespace hotmic {

/** The header of a voice frame, as in docs/protocol.md. Integers are little-endian, like those of this machine. */
namespace wire {
constexpr size_t kHeaderBytes = 16;
constexpr size_t kSequenceAt = 2, kTimestampAt = 4, kSlotAt = 8, kRelaySequenceAt = 10, kRelayTimeAt = 12, kSteamIdAt = 16;
constexpr uint8_t kVersion = 0x10, kMarker = 0x01, kTerminator = 0x02, kAcknowledge = 0x04;

inline uint16_t u16(const uint8_t* at) {
  uint16_t value;
  std::memcpy(&value, at, 2);
  return value;
}
inline uint32_t u32(const uint8_t* at) {
  uint32_t value;
  std::memcpy(&value, at, 4);
  return value;
}
inline uint64_t u64(const uint8_t* at) {
  uint64_t value;
  std::memcpy(&value, at, 8);
  return value;
}
}  // namespace wire

/** A talker: its frames, which are sent in turn, and the due times of the latest ones. */
struct Talker {
  static constexpr size_t kRemembered = 4096;

  uint32_t connection = 0;
  uint64_t steam_id = 0;
  /** Whole voice frames. Their number is a power of two, so that a wrapping sequence selects them. */
  std::vector<std::vector<uint8_t>> frames;
  /** The number of frames sent. */
  uint32_t sent = 0;
  /** Due times in ns of the latest kRemembered frames, by sequence. */
  std::array<int64_t, kRemembered> due{};

  /** When the frame with this sequence was due, if it is one of the latest kRemembered. */
  int64_t due_of(uint16_t sequence) const { return due[sequence % kRemembered]; }
  const std::vector<uint8_t>& frame(uint16_t sequence) const { return frames[sequence & (frames.size() - 1)]; }
};

/** What went wrong. All 0 in a valid run. */
struct Faults {
  /** Published, and never arrived. */
  uint64_t lost = 0;
  /** Never published by the relay, as its sequence shows: the talker was too late or too fast. */
  uint64_t withheld = 0;
  /** Arrived again. */
  uint64_t doubled = 0;
  /** Arrived after its successor; also counted as lost. */
  uint64_t reordered = 0;
  /** From another lobby, from someone who does not talk, or the listener's own. */
  uint64_t foreign = 0;
  /** With another packet than was sent, or another slot than the talker had. */
  uint64_t damaged = 0;
  /** From a talker who was not in the listener's hearing set. */
  uint64_t outside = 0;
  /** Not sent to a listener who was parked. */
  uint64_t skipped = 0;
};

/** What one listener hears of one talker. */
struct Reception {
  uint16_t expected = 0;
  uint16_t slot = 0;
  /** The relay's sequence minus the talker's own, which differ when the relay drops frames of the talker. */
  uint16_t ahead = 0;
  uint32_t heard = 0;
  /** Whether the listener's hearing set has the talker, or there is no set. */
  bool is_within = true;
  /** False for a listener who joined while the talker spoke, until the first frame. */
  bool is_known = true;

  /** The listener no longer hears the talker. `mark`: the relay sequence after the last frame for them. */
  void end(uint16_t mark, uint64_t& missing) const {
    if (is_known) missing += static_cast<uint16_t>(static_cast<uint16_t>(mark - ahead) - expected);
  }
  /** The listener hears the talker from this relay sequence on. */
  void begin(uint16_t mark) { expected = static_cast<uint16_t>(mark - ahead); }

  /** Checks a frame of `talker`. The first one has sequence 0, because all have joined before anyone talks. */
  void hear(const Talker& talker, const uint8_t* frame, size_t bytes, Faults& faults) {
    const uint16_t sequence = wire::u16(frame + wire::kSequenceAt);
    if (!is_within) ++faults.outside;
    if (!is_known) {
      expected = sequence;
      ahead = static_cast<uint16_t>(wire::u16(frame + wire::kRelaySequenceAt) - sequence);
    }
    is_known = true;
    const auto step = static_cast<int16_t>(sequence - expected);
    if (step < 0) return static_cast<void>(++(step == -1 ? faults.doubled : faults.reordered));
    expected = static_cast<uint16_t>(sequence + 1);
    const uint16_t relay_sequence = wire::u16(frame + wire::kRelaySequenceAt);
    // A relay that only publishes leaves the talker's zero.
    const uint16_t before = ahead;
    if (relay_sequence != 0) ahead = static_cast<uint16_t>(relay_sequence - sequence);
    const uint16_t withheld = step > 0 ? static_cast<uint16_t>(before - ahead) : 0;
    const uint64_t counted = withheld <= step ? withheld : 0;
    faults.withheld += counted;
    faults.lost += static_cast<uint64_t>(step) - counted;
    const std::vector<uint8_t>& sent = talker.frame(sequence);
    const uint16_t its_slot = wire::u16(frame + wire::kSlotAt);
    if (heard == 0) slot = its_slot;
    ++heard;
    const bool is_whole = bytes == sent.size() && its_slot == slot &&
                          std::memcmp(frame + wire::kHeaderBytes, sent.data() + wire::kHeaderBytes,
                                      bytes - wire::kHeaderBytes) == 0;
    if (!is_whole) ++faults.damaged;
  }

  /** Counts as lost what was sent and had not arrived at the end. */
  void close(const Talker& talker, Faults& faults) const {
    if (!is_within || !is_known) return;
    faults.lost += static_cast<uint16_t>(static_cast<uint16_t>(talker.sent) - expected);
  }
};

}  // namespace hotmic
