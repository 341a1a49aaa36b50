// Randomness that can be had again: mulberry32, as test/kit/random.ts has it.

#pragma once

#include <cstdint>

namespace hotmic {

class SeededRandom {
 public:
  explicit SeededRandom(uint32_t seed) : state_(seed) {}
  uint32_t next() {
    state_ += 0x6d2b79f5;
    uint32_t mixed = (state_ ^ (state_ >> 15)) * (1 | state_);
    mixed = (mixed + (mixed ^ (mixed >> 7)) * (61 | mixed)) ^ mixed;
    return mixed ^ (mixed >> 14);
  }
  uint32_t below(uint32_t limit) { return static_cast<uint32_t>((uint64_t{next()} * limit) >> 32); }

 private:
  uint32_t state_;
};

}  // namespace hotmic
