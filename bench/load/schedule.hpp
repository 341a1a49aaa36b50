/** When each talker sends its next frame, and how the frames form talkspurts. No relay can delay it. */

#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "options.hpp"
#include "random.hpp"
#include "tally.hpp"

namespace hotmic {

class Schedule {
 public:
  Schedule(const Options& options, size_t talkers, Random& random)
      : interval_(options.number("interval_us") * 1000),
        talkspurt_(static_cast<uint32_t>(options.number("talkspurt"))),
        takes_turns_(options.number("turns") != 0),
        period_(takes_turns_ ? interval_ * talkspurt_ * static_cast<int64_t>(talkers) : interval_) {
    for (uint32_t i = 0; i < talkers; ++i) {
      if (!takes_turns_) phases_.emplace_back(random.between(0, interval_ - 1), i);
      for (uint32_t j = 0; takes_turns_ && j < talkspurt_; ++j) phases_.emplace_back((i * talkspurt_ + j) * interval_, i);
    }
    std::sort(phases_.begin(), phases_.end());
  }

  void start(int64_t at) { cycle_at_ = at; }
  /** When the next frame is due, and whose it is. */
  int64_t due() const { return cycle_at_ + phases_[turn_].first; }
  uint32_t talker() const { return phases_[turn_].second; }
  void next() {
    if (++turn_ < phases_.size()) return;
    turn_ = 0;
    cycle_at_ += period_;
  }

  /** The first byte of the talker's next frame. The talkspurts of different talkers begin at different frames. */
  uint8_t first_byte(const Talker& talker) const {
    const uint32_t at = (talker.sent + (takes_turns_ ? 0 : talker.connection * 7)) % talkspurt_;
    const uint8_t marker = talker.sent == 0 || at == 0 ? wire::kMarker : 0;
    const uint8_t terminator = at == talkspurt_ - 1 ? wire::kTerminator : 0;
    return wire::kVersion | marker | terminator;
  }
  /** In samples at 24 kHz. */
  uint32_t timestamp(const Talker& talker) const {
    return static_cast<uint32_t>(talker.sent * (interval_ / 1000 * 24 / 1000));
  }

 private:
  /** Between frames of a talker, in ns. */
  const int64_t interval_;
  /** Frames per talkspurt. */
  const uint32_t talkspurt_;
  const bool takes_turns_;
  /** After it the schedule repeats. */
  const int64_t period_;
  /** When in a period each talker sends, in due order. */
  std::vector<std::pair<int64_t, uint32_t>> phases_;
  int64_t cycle_at_ = 0;
  size_t turn_ = 0;
};

}  // namespace hotmic
