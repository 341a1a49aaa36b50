/**
 * The counts of the load generator: whether each listener hears each voice frame once, intact and in order, and how long it took.
 */

#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace hotmic {

/** Durations in steps of 1 µs below 100 ms and of 1 ms above. 10 s and more count as 10 s. */
class Histogram {
 public:
  void add(int64_t ns) {
    const int64_t us = ns < 0 ? 0 : ns / 1000;
    if (us > max_us_) max_us_ = us;
    ++count_;
    if (us < kFine) return static_cast<void>(++fine_[static_cast<size_t>(us)]);
    const int64_t ms = us / 1000;
    ++coarse_[static_cast<size_t>(ms < kCoarse ? ms : kCoarse - 1)];
  }

  /** The smallest value that `share` of them do not exceed, in µs; 0 without values. */
  int64_t quantile_us(double share) const {
    const auto wanted = static_cast<uint64_t>(share * static_cast<double>(count_) + 0.999999);
    uint64_t seen = 0;
    for (size_t us = 0; us < fine_.size(); ++us) {
      seen += fine_[us];
      if (seen >= wanted) return static_cast<int64_t>(us);
    }
    for (size_t ms = 0; ms < coarse_.size(); ++ms) {
      seen += coarse_[ms];
      if (seen >= wanted) return static_cast<int64_t>(ms) * 1000;
    }
    return max_us_;
  }

  /** How many were longer than this, up to 100 ms. */
  uint64_t above_us(int64_t limit) const {
    uint64_t below = 0;
    for (int64_t us = 0; us <= limit && us < kFine; ++us) below += fine_[static_cast<size_t>(us)];
    return count_ - below;
  }

  uint64_t count() const { return count_; }
  int64_t max_us() const { return max_us_; }

 private:
  static constexpr int64_t kFine = 100'000, kCoarse = 10'000;
  std::vector<uint32_t> fine_ = std::vector<uint32_t>(kFine);
  std::vector<uint32_t> coarse_ = std::vector<uint32_t>(kCoarse);
  uint64_t count_ = 0;
  int64_t max_us_ = 0;
};

/** The header of a voice frame, as in docs/protocol.md. Integers are little-endian, like those of this machine. */
namespace wire {
constexpr size_t kHeaderBytes = 16;
constexpr size_t kSequenceAt = 2, kTimestampAt = 4, kSlotAt = 8, kSteamIdAt = 16;
constexpr uint8_t kVersion = 0x10, kMarker = 0x01, kTerminator = 0x02;

inline uint16_t u16(const uint8_t* at) {
  uint16_t value;
  std::memcpy(&value, at, 2);
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
  static constexpr size_t kRemembered = 1024;

  uint32_t connection = 0;
  uint64_t steam_id = 0;
  /** Whole voice frames. Their number is a power of two, so that a wrapping sequence selects them. */
  std::vector<std::vector<uint8_t>> frames;
  /** The number of frames sent. */
  uint32_t sent = 0;
  /** Due times in ns of the latest kRemembered frames, by sequence. */
  std::array<int64_t, kRemembered> due{};

  const std::vector<uint8_t>& frame(uint16_t sequence) const { return frames[sequence & (frames.size() - 1)]; }
};

/** What went wrong. All 0 in a valid run. */
struct Faults {
  /** Never arrived. */
  uint64_t lost = 0;
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
};

/** What one listener hears of one talker. */
struct Reception {
  uint16_t expected = 0;
  uint16_t slot = 0;
  uint32_t heard = 0;
  /** Whether the listener's hearing set has the talker, or there is no set. */
  bool is_within = true;

  /** The listener no longer hears the talker. `sequence`: after the last frame for them. */
  void end(uint16_t sequence, Faults& faults) const {
    faults.lost += static_cast<uint16_t>(sequence - expected);
  }

  /** Checks a frame of `talker`. The first one has sequence 0, because all have joined before anyone talks. */
  void hear(const Talker& talker, const uint8_t* frame, size_t bytes, Faults& faults) {
    const uint16_t sequence = wire::u16(frame + wire::kSequenceAt);
    if (!is_within) ++faults.outside;
    const auto step = static_cast<int16_t>(sequence - expected);
    if (step < 0) return static_cast<void>(++(step == -1 ? faults.doubled : faults.reordered));
    faults.lost += static_cast<uint64_t>(step);
    expected = static_cast<uint16_t>(sequence + 1);
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
    if (!is_within) return;
    faults.lost += static_cast<uint16_t>(static_cast<uint16_t>(talker.sent) - expected);
  }
};

}  // namespace hotmic
