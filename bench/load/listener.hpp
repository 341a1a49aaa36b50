/** One connection as a listener: what it answers when the relay asks how far it has read (docs/protocol.md, "Staleness"). */

#pragma once

#include <cstdlib>
#include <string_view>

#include "socket.hpp"
#include "tally.hpp"

namespace hotmic {

struct Listener {
  /** From its welcome. */
  uint16_t slot = 0;
  size_t welcome_bytes = 0;
  int64_t began_at = 0;
  bool is_in = false;
  /** Left on purpose, to join again. */
  bool is_leaving = false;
  /** Since when it is parked, and since when it reads again after a stall; 0: neither. */
  int64_t parked_at = 0, thawed_at = 0;
  /** Stale frames read since then. */
  uint64_t stale = 0;

  /** Whether a frame asks for an answer. At most one is due per 10 ms of relay time. */
  bool owes(const uint8_t* frame) const {
    if ((frame[0] & wire::kAcknowledge) == 0) return false;
    const uint32_t time = wire::u32(frame + wire::kRelayTimeAt);
    return !has_answered_ || static_cast<int32_t>(time - answered_) >= kLeastMs;
  }

  void answer(Socket& socket, uint32_t time, uint32_t mask) {
    uint8_t message[5] = {wire::kVersion};
    std::memcpy(message + 1, &time, 4);
    socket.send(opcode::binary, message, sizeof message, mask);
    has_answered_ = true;
    answered_ = time;
  }

 private:
  static constexpr int32_t kLeastMs = 10;
  bool has_answered_ = false;
  uint32_t answered_ = 0;
};

/** A whole number in a message, behind `"name":`; 0 if it is missing. */
inline uint64_t number_in(std::string_view text, std::string_view name) {
  const size_t at = text.find(name);
  return at == std::string_view::npos ? 0 : std::strtoull(text.data() + at + name.size(), nullptr, 10);
}

}  // namespace hotmic
