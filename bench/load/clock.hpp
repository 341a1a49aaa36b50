/** The clocks of the load generator, in ns. */

#pragma once

#include <ctime>

#include "socket.hpp"

namespace hotmic {

inline int64_t clock_ns(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

inline int64_t now_ns() { return clock_ns(CLOCK_MONOTONIC); }

/** The processor time of a process, all threads included. */
class ProcessClock {
 public:
  explicit ProcessClock(pid_t pid) {
    if (clock_getcpuclockid(pid, &clock_) != 0) give_up("cannot read the relay's processor time");
  }
  int64_t ns() const { return clock_ns(clock_); }

 private:
  clockid_t clock_{};
};

}  // namespace hotmic
