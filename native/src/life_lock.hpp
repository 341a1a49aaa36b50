// A shared mutex that lets the writer through. Every call into Steam holds it shared, init and shutdown hold it alone.
//
// std::shared_mutex of glibc prefers readers: eight workers that poll without a pause would keep a shutdown waiting for
// ever. Who comes while a writer waits, waits at the turnstile behind it. A thread must not take it twice.

#pragma once

#include <atomic>
#include <mutex>
#include <shared_mutex>

#include "old_glibc.hpp"

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
