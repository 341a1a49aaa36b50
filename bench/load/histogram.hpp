/** The durations that the load generator measures. */

#pragma once

#include <cstdint>
#include <cstdio>
#include <vector>

namespace hotmic {

/** Durations in steps of 1 µs below 100 ms and of 1 ms above. 100 s and more count as 100 s. */
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
  void clear() { *this = Histogram(); }

  /** Prints `[[us,count],…]`, rounded to three significant digits, so that another program can have any percentile. */
  void print() const {
    std::printf("[");
    const char* comma = "";
    int64_t of = 0;
    uint64_t count = 0;
    const auto flush = [&] {
      if (count > 0) std::printf("%s[%lld,%llu]", comma, static_cast<long long>(of), static_cast<unsigned long long>(count));
      if (count > 0) comma = ",";
      count = 0;
    };
    const auto take = [&](int64_t us, uint32_t some) {
      if (some == 0) return;
      int64_t step = 1;
      while (us / step >= 1000) step *= 10;
      if (us / step * step != of) flush();
      of = us / step * step;
      count += some;
    };
    for (size_t us = 0; us < fine_.size(); ++us) take(static_cast<int64_t>(us), fine_[us]);
    for (size_t ms = 0; ms < coarse_.size(); ++ms) take(static_cast<int64_t>(ms) * 1000, coarse_[ms]);
    flush();
    std::printf("]");
  }

 private:
  static constexpr int64_t kFine = 100'000, kCoarse = 100'000;
  std::vector<uint32_t> fine_ = std::vector<uint32_t>(kFine);
  std::vector<uint32_t> coarse_ = std::vector<uint32_t>(kCoarse);
  uint64_t count_ = 0;
  int64_t max_us_ = 0;
};

}  // namespace hotmic
