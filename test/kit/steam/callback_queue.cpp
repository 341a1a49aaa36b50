#include "callback_queue.hpp"

#include <cstdlib>
#include <cstring>
#include <utility>

#include "misuse.hpp"

namespace {

// Steam flushes what nobody fetches, and says so with IPCFailure.
constexpr std::size_t MAX_WAITING = 16384;
constexpr std::uint8_t FLUSHED_CALLBACK_QUEUE = 0;

// A payload is given out at an address that is aligned to 4 and not to 8, as Valve's packing allows.
constexpr std::size_t MISALIGNMENT = 4;

// What is in memory that Steam did not write.
constexpr int GARBAGE = 0xcd;
constexpr int FREED = 0xdd;

}  // namespace

void CallbackQueue::post(std::int32_t id, const void* payload, std::size_t bytes, OnGiven onGiven) {
  if (waiting() >= MAX_WAITING) {
    posted_.clear();
    due_.clear();
    post(steam_abi::IpcFailure{FLUSHED_CALLBACK_QUEUE});
  }
  const auto* first = static_cast<const std::uint8_t*>(payload);
  posted_.push_back({id, Bytes(first, first + bytes), std::move(onGiven)});
}

steam_abi::CallHandle CallbackQueue::postCall(std::int32_t id, const void* payload, std::size_t bytes,
                                              CallFault fault, OnGiven onGiven) {
  const steam_abi::CallHandle call = nextCall_++;
  const auto* first = static_cast<const std::uint8_t*>(payload);
  Bytes result = std::exchange(hasNextPayload_, false) ? std::move(nextPayload_) : Bytes(first, first + bytes);
  const steam_abi::CallCompleted completed{call, id, static_cast<std::uint32_t>(result.size())};
  if (results_.size() >= MAX_WAITING) results_.erase(results_.begin());
  const CallFault told = std::exchange(nextFault_, CallFault::none);
  results_[call] = {id, std::move(result), told == CallFault::none ? fault : told};
  post(steam_abi::CALL_COMPLETED_ID, &completed, sizeof completed, std::move(onGiven));
  return call;
}

void CallbackQueue::answerNext(Bytes payload) {
  hasNextPayload_ = true;
  nextPayload_ = std::move(payload);
}

void CallbackQueue::runFrame() {
  for (Posted& each : posted_) due_.push_back(std::move(each));
  posted_.clear();
}

bool CallbackQueue::next(steam_abi::HSteamUser user, steam_abi::CallbackMsg* message) {
  if (given_ != nullptr) misuse("GetNextCallback before FreeLastCallback");
  if (due_.empty()) return false;
  const Posted& front = due_.front();
  givenBytes_ = MISALIGNMENT + front.payload.size();
  given_ = static_cast<std::uint8_t*>(std::malloc(givenBytes_));
  if (given_ == nullptr) misuse("no memory");
  if (!front.payload.empty()) std::memcpy(given_ + MISALIGNMENT, front.payload.data(), front.payload.size());
  message->user = user;
  message->id = front.id;
  message->param = given_ + MISALIGNMENT;
  message->paramBytes = static_cast<std::int32_t>(front.payload.size());
  const OnGiven onGiven = std::move(due_.front().onGiven);
  due_.pop_front();
  if (onGiven) onGiven();
  return true;
}

void CallbackQueue::freeLast() {
  if (given_ == nullptr) misuse("FreeLastCallback without a callback");
  std::memset(given_, FREED, givenBytes_);
  std::free(given_);
  given_ = nullptr;
}

bool CallbackQueue::takeResult(steam_abi::CallHandle call, void* buffer, std::int32_t bytes, std::int32_t expectedId,
                               bool* failed) {
  *failed = false;
  const auto found = results_.find(call);
  if (found == results_.end()) return false;
  const CallResult& result = found->second;
  if (result.id != expectedId || bytes < 0 || static_cast<std::size_t>(bytes) < result.payload.size()) return false;
  if (result.fault == CallFault::none) {
    if (!result.payload.empty()) std::memcpy(buffer, result.payload.data(), result.payload.size());
  } else {
    *failed = true;
    std::memset(buffer, GARBAGE, static_cast<std::size_t>(bytes));
  }
  const bool taken = result.fault != CallFault::refused;
  results_.erase(found);
  return taken;
}

void CallbackQueue::clear() {
  posted_.clear();
  due_.clear();
  results_.clear();
  std::free(given_);
  given_ = nullptr;
}
