/**
 * Listeners in trouble: those who stop reading for a while, those who read slowly, and those who leave and join again. Who they are and when
 * is random, by the seed. Talkers have no trouble, so that everything is always sent.
 */

#pragma once

#include <algorithm>
#include <queue>
#include <vector>

#include "crowd.hpp"
#include "options.hpp"
#include "random.hpp"

namespace hotmic {

enum class Trouble : uint8_t { none, stalls, slow, leaves };

/** Something to be done at an instant. */
struct Action {
  enum class Kind : uint8_t { stall, thaw, read, leave, connect, progress };
  int64_t at;
  Kind kind;
  uint32_t connection;
  bool operator>(const Action& other) const { return at > other.at; }
};

class Troubles {
 public:
  Troubles(const Options& options, const Crowd& crowd, Random& random)
      : random_(random),
        stall_least_(options.number("stall_least_ms", 100) * kMs),
        stall_most_(options.number("stall_most_ms", 5000) * kMs),
        slow_bytes_(static_cast<size_t>(options.number("slow_bytes", 1000))),
        leave_every_(options.number("leaves_per_s", 0) > 0 ? 1'000'000'000 / options.number("leaves_per_s", 0) : 0),
        of_(crowd.hellos.size()) {
    std::vector<uint32_t> listeners;
    for (uint32_t i = 0; i < crowd.hellos.size(); ++i)
      if (!crowd.talks(i)) listeners.push_back(i);
    for (size_t i = listeners.size(); i > 1; --i)
      std::swap(listeners[i - 1], listeners[static_cast<size_t>(random_.between(0, static_cast<int64_t>(i) - 1))]);
    size_t next = 0;
    const auto choose = [&](Trouble trouble, int64_t count) {
      for (; count > 0 && next < listeners.size(); --count) of_[listeners[next++]] = trouble;
    };
    choose(Trouble::stalls, options.number("stalling", 0));
    choose(Trouble::slow, options.number("slow", 0));
    for (; leave_every_ > 0 && next < listeners.size(); ++next) {
      of_[listeners[next]] = Trouble::leaves;
      leaving_.push_back(listeners[next]);
    }
  }

  Trouble of(uint32_t connection) const { return of_[connection]; }
  /** Bytes that a slow listener reads at each of its turns. */
  size_t slow_turn_bytes() const { return std::max<size_t>(1, slow_bytes_ * kReadEvery / 1'000'000'000); }

  /** From `now` on. */
  void start(int64_t now) {
    for (uint32_t i = 0; i < of_.size(); ++i) {
      if (of_[i] == Trouble::stalls) plan(Action::Kind::stall, i, now + random_.between(0, stall_most_));
      if (of_[i] == Trouble::slow) plan(Action::Kind::read, i, now + random_.between(0, kReadEvery));
    }
    if (!leaving_.empty()) plan(Action::Kind::leave, 0, now + leave_every_);
  }

  void plan(Action::Kind kind, uint32_t connection, int64_t at) { actions_.push({at, kind, connection}); }
  int64_t next_at() const { return actions_.empty() ? INT64_MAX : actions_.top().at; }
  Action take() {
    const Action action = actions_.top();
    actions_.pop();
    return action;
  }

  int64_t stall_ns() { return random_.between(stall_least_, stall_most_); }
  int64_t read_every() const { return kReadEvery; }
  int64_t leave_every() const { return leave_every_; }
  /** The next one who leaves, in turn. */
  uint32_t leaver() { return leaving_[next_leaver_++ % leaving_.size()]; }

 private:
  static constexpr int64_t kMs = 1'000'000, kReadEvery = 50 * kMs;
  Random& random_;
  const int64_t stall_least_, stall_most_;
  const size_t slow_bytes_;
  const int64_t leave_every_;
  std::vector<Trouble> of_;
  std::vector<uint32_t> leaving_;
  size_t next_leaver_ = 0;
  std::priority_queue<Action, std::vector<Action>, std::greater<Action>> actions_;
};

}  // namespace hotmic
