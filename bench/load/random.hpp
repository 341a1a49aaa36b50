/** The load generator's randomness, and how it gives up. */

#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace hotmic {

[[noreturn]] inline void give_up(const std::string& why) {
  std::fprintf(stderr, "load: %s\n", why.c_str());
  std::exit(1);
}

/** xorshift64*: seeded, for masks, phases and trouble. */
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15ull + 1) {}
  uint64_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545f4914f6cdd1dull;
  }
  /** From `least` to `most`. */
  int64_t between(int64_t least, int64_t most) {
    return least + static_cast<int64_t>((next() >> 16) % static_cast<uint64_t>(most - least + 1));
  }

 private:
  uint64_t state_;
};

}  // namespace hotmic
