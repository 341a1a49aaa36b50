// The core's manual dispatch: callbacks are copied and returned to Steam; nothing is called from here.
// See steam_core.hpp.

#include <algorithm>
#include <cstring>

#include "steam_core.hpp"

namespace hotmic {

namespace {

template <typename Value>
Value at(const uint8_t* bytes, size_t offset) {
  Value value;
  std::memcpy(&value, bytes + offset, sizeof value);
  return value;
}

bool is_users(int32_t id) { return id >= kUserCallbacksFrom && id < kUserCallbacksTo; }

// Steam must get each message back before it gives the next, whatever happens in between.
class Freed {
 public:
  Freed(const SteamFunctions& steam, int32_t pipe) : steam_(steam), pipe_(pipe) {}
  ~Freed() { steam_.free_callback(pipe_); }
  Freed(const Freed&) = delete;
  Freed& operator=(const Freed&) = delete;

 private:
  const SteamFunctions& steam_;
  int32_t pipe_;
};

}  // namespace

PumpOutcome SteamCore::pump(Environment& environment, std::vector<SteamMessage>& messages) {
  PumpOutcome outcome = PumpOutcome::closed;
  call(environment, [&](const SteamFunctions& steam, void*) {
    std::lock_guard<std::mutex> dispatch(dispatch_);
    if (dispatch_owner_ == nullptr) dispatch_owner_ = &environment;
    if (dispatch_owner_ != &environment) {
      outcome = PumpOutcome::not_owner;
      return;
    }
    outcome = PumpOutcome::pumped;
    steam.run_frame(pipe_);
    for (int taken = 0; taken < kMaxCallbacksPerPump; taken++) {
      alignas(8) uint8_t message[kCallbackBytes] = {};
      if (!steam.next_callback(pipe_, message)) break;
      const Freed freed(steam, pipe_);
      read_message(steam, message, messages);
    }
  });
  return outcome;
}

void SteamCore::read_message(const SteamFunctions& steam, const uint8_t* message,
                             std::vector<SteamMessage>& messages) {
  const auto id = at<int32_t>(message, kCallbackIdAt);
  const auto* payload = at<const uint8_t*>(message, kCallbackPayloadAt);
  const auto size = at<int32_t>(message, kCallbackSizeAt);
  if (id != kCallCompletedId) {
    if (!is_users(id)) {
      foreign_ += 1;
    } else if (payload == nullptr || size < 0 || static_cast<size_t>(size) > kMaxPayloadBytes) {
      refused_ += 1;
    } else {
      messages.push_back({id, 0, false, std::vector<uint8_t>(payload, payload + size)});
    }
    return;
  }
  if (payload == nullptr || size < static_cast<int32_t>(kCallCompletedBytes)) {
    refused_ += 1;
    return;
  }
  const auto call = at<uint64_t>(payload, 0);
  const auto result_id = at<int32_t>(payload, kCallCompletedResultIdAt);
  const auto result_size = at<uint32_t>(payload, kCallCompletedSizeAt);
  if (!is_users(result_id)) {
    foreign_ += 1;
    return;
  }
  if (result_size > kMaxPayloadBytes) {
    // Reported as failed, so that nobody waits for it for ever.
    refused_ += 1;
    messages.push_back({result_id, call, true, {}});
    return;
  }
  std::vector<uint8_t> result(std::max<size_t>(result_size, 1), 0);
  bool failed = false;
  const bool is_there =
      steam.call_result(pipe_, call, result.data(), static_cast<int>(result_size), result_id, &failed);
  // After a failure the contents of the buffer are meaningless.
  if (!is_there || failed) {
    messages.push_back({result_id, call, true, {}});
    return;
  }
  result.resize(result_size);
  messages.push_back({result_id, call, false, std::move(result)});
}

}  // namespace hotmic
