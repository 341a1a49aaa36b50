// A shared mutex that prefers the writer. Every call into Steam holds it shared; init and shutdown hold it exclusively.
//
// glibc's std::shared_mutex prefers readers: eight workers that poll without a pause would block a shutdown for ever. Readers that
// come while a writer waits queue behind it, at the turnstile. A thread must not take it twice.

#pragma once

#include <atomic>
#include <mutex>
#include <shared_mutex>

namespace hotmic {

class LifeLock {
 public:
  void lock() {
    writers_.fetch_add(1);
    turnstile_.lock();
    mutex_.lock();
  }

  void unlock() {
    mutex_.unlock();
    turnstile_.unlock();
    writers_.fetch_sub(1);
  }

  void lock_shared() {
    if (writers_.load() > 0) {
      turnstile_.lock();
      turnstile_.unlock();
    }
    mutex_.lock_shared();
  }

  void unlock_shared() { mutex_.unlock_shared(); }

 private:
  std::atomic<int> writers_{0};
  std::mutex turnstile_;
  std::shared_mutex mutex_;
};

}  // namespace hotmic
