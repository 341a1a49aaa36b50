/** The clocks of the load generator, in ns. */

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <ctime>

#include "random.hpp"

namespace hotmic {

inline int64_t clock_ns(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

inline int64_t now_ns() { return clock_ns(CLOCK_MONOTONIC); }

/** The processor time of a process, all threads included. The process 0 uses none: a relay elsewhere. */
class ProcessClock {
 public:
  explicit ProcessClock(pid_t pid) : pid_(pid) {
    if (pid != 0 && clock_getcpuclockid(pid, &clock_) != 0) give_up("cannot read the relay's processor time");
  }
  int64_t ns() const { return pid_ == 0 ? 0 : clock_ns(clock_); }

 private:
  pid_t pid_;
  clockid_t clock_{};
};

}  // namespace hotmic
