// The callbacks of the fake client: broadcasts and call completions, in order, and the results that wait to be fetched.
//
// What was posted comes out behind the next runFrame, as manual dispatch has it. Not thread-safe: FakeClient locks around it.

#pragma once

#include <deque>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "abi.hpp"

using Bytes = std::vector<std::uint8_t>;

// How the next call is completed instead.
enum class CallFault {
  none,
  // GetAPICallResult says true and failed, and leaves garbage: what a Steam client's IO failure looks like.
  failed,
  // GetAPICallResult says false.
  refused,
};

// Called when a callback is given out by `next`; not at all when it is lost.
using OnGiven = std::function<void()>;

class CallbackQueue {
 public:
  void post(std::int32_t id, const void* payload, std::size_t bytes, OnGiven onGiven = {});

  template <typename Payload>
  void post(const Payload& payload, OnGiven onGiven = {}) {
    post(Payload::ID, &payload, sizeof payload, std::move(onGiven));
  }

  // Takes a call: its completion is posted at once. Never 0.
  steam_abi::CallHandle postCall(std::int32_t id, const void* payload, std::size_t bytes, CallFault fault,
                                 OnGiven onGiven);

  template <typename Payload>
  steam_abi::CallHandle postCall(const Payload& payload, CallFault fault = CallFault::none, OnGiven onGiven = {}) {
    return postCall(Payload::ID, &payload, sizeof payload, fault, std::move(onGiven));
  }

  void runFrame();

  // `message->param` is valid until freeLast. Ends the process when the last one was not freed.
  bool next(steam_abi::HSteamUser user, steam_abi::CallbackMsg* message);
  void freeLast();

  // Each result can be taken once.
  bool takeResult(steam_abi::CallHandle call, void* buffer, std::int32_t bytes, std::int32_t expectedId, bool* failed);

  // Everything, also the last one that was not freed: the pipe is gone.
  void clear();

  // For the next call only.
  void answerNext(CallFault fault) { nextFault_ = fault; }
  void answerNext(Bytes payload);
  bool nextCallFails() const { return nextFault_ != CallFault::none; }

  std::size_t waiting() const { return posted_.size() + due_.size(); }
  std::size_t resultsWaiting() const { return results_.size(); }

 private:
  struct Posted {
    std::int32_t id;
    Bytes payload;
    OnGiven onGiven;
  };
  struct CallResult {
    std::int32_t id;
    Bytes payload;
    CallFault fault;
  };

  std::deque<Posted> posted_;
  std::deque<Posted> due_;
  std::map<steam_abi::CallHandle, CallResult> results_;
  // The payload that next gave out: its own allocation of the exact size, so that reading past it or after freeLast shows.
  std::uint8_t* given_ = nullptr;
  std::size_t givenBytes_ = 0;
  // Above 32 bits, so that a handle cut short shows.
  steam_abi::CallHandle nextCall_ = 0x1122334400000001;
  CallFault nextFault_ = CallFault::none;
  bool hasNextPayload_ = false;
  Bytes nextPayload_;
};
