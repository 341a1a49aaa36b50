/**
 * The memory protocol of voice/ring.ts once more in C++, for ThreadSanitizer: what a JavaScript engine compiles is invisible
 * to it. Same layout, same steps in the same order. JavaScript's Atomics are sequentially consistent, so are these; what
 * is a plain access there is one here. A change of voice/ring.ts that touches shared memory comes here, too.
 *
 * Each mutation breaks one promise that the ring's comment makes, to prove that the harness would see it:
 * MUTATE_PUBLISH_EARLY the position before the data, MUTATE_PLAIN_POSITION no atomic store of the write position,
 * MUTATE_LATE_CLEAR the signal raised before the waiting word is taken back.
 */

#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <ctime>

namespace hotmic {

constexpr uint32_t kMagic = 0x474e5248;
constexpr uint32_t kDataAt = 256;
constexpr uint32_t kEntryHeaderBytes = 16;
constexpr uint32_t kPadding = 0xffffffff;

/** Places of the words, in words of 32 bits. */
namespace word {
constexpr uint32_t magic = 0, capacity = 1, written = 16, refused = 17, committed = 18, read = 32, discarded = 33,
                   signal = 48, closed = 49, waiting = 50;
}

/** Bytes that an entry of `bytes` takes. */
constexpr uint32_t entry_bytes(uint32_t bytes) { return kEntryHeaderBytes + ((bytes + 7) & ~7u); }

/** The shared words and bytes; `storage` is 8-aligned, holds kDataAt + capacity bytes, and outlives this. */
class RingMemory {
 public:
  explicit RingMemory(uint8_t* storage)
      : words(reinterpret_cast<uint32_t*>(storage)), data(storage + kDataAt), capacity(words[word::capacity]) {}

  /** What allocateRing does. `storage` is all zero. */
  static void format(uint8_t* storage, uint32_t capacity, uint32_t first_position) {
    auto* words = reinterpret_cast<uint32_t*>(storage);
    words[word::capacity] = capacity;
    words[word::written] = first_position;
    words[word::read] = first_position;
    std::atomic_ref<uint32_t>(words[word::magic]).store(kMagic);
  }

  uint32_t load(uint32_t at) const { return std::atomic_ref<uint32_t>(words[at]).load(); }
  void store(uint32_t at, uint32_t value) { std::atomic_ref<uint32_t>(words[at]).store(value); }
  void add(uint32_t at, uint32_t value) { std::atomic_ref<uint32_t>(words[at]).fetch_add(value); }

  void signal() {
#ifdef MUTATE_LATE_CLEAR
    add(word::signal, 1);
    if (load(word::waiting) == 0) return;
    store(word::waiting, 0);
    notify();
#else
    const bool is_waiting = load(word::waiting) != 0;
    if (is_waiting) store(word::waiting, 0);
    add(word::signal, 1);
    if (is_waiting) notify();
#endif
  }

  /** Atomics.wait on the signal. False when the time was over. */
  bool wait(uint32_t seen, int timeout_ms) {
    const timespec limit{timeout_ms / 1000, (timeout_ms % 1000) * 1000000L};
    const long said = syscall(SYS_futex, &words[word::signal], FUTEX_WAIT_PRIVATE, seen, &limit, nullptr, 0);
    return said == 0 || errno != ETIMEDOUT;
  }

  template <typename T>
  T get(uint32_t place) const {
    T value;
    std::memcpy(&value, data + place, sizeof value);
    return value;
  }
  template <typename T>
  void set(uint32_t place, T value) {
    std::memcpy(data + place, &value, sizeof value);
  }

  void notify() { syscall(SYS_futex, &words[word::signal], FUTEX_WAKE_PRIVATE, INT32_MAX, nullptr, nullptr, 0); }

  uint32_t* const words;
  uint8_t* const data;
  const uint32_t capacity;
};

class RingProducer {
 public:
  explicit RingProducer(uint8_t* storage) : memory_(storage), known_read_(memory_.load(word::read)) {}

  /** Room for `max_bytes`, or null when the ring is full. */
  uint8_t* reserve(uint32_t max_bytes) {
    const uint32_t need = entry_bytes(max_bytes);
    const uint32_t written = memory_.words[word::written];
    const uint32_t place = written & (memory_.capacity - 1);
    const uint32_t to_end = memory_.capacity - place;
    const uint32_t padding = to_end < need ? to_end : 0;
    const int64_t most_used = int64_t{memory_.capacity} - padding - need;
    if (uint32_t(written - known_read_) > most_used) {
      known_read_ = memory_.load(word::read);
      if (uint32_t(written - known_read_) > most_used) return nullptr;
    }
    if (padding > 0) memory_.set<uint32_t>(place, kPadding);
    reserved_at_ = written + padding;
    return memory_.data + (reserved_at_ & (memory_.capacity - 1)) + kEntryHeaderBytes;
  }

  void commit(uint32_t bytes, uint32_t tag, double captured_at) {
    const uint32_t place = reserved_at_ & (memory_.capacity - 1);
    const uint32_t written = reserved_at_ + entry_bytes(bytes);
#ifdef MUTATE_PUBLISH_EARLY
    memory_.store(word::written, written);
#endif
    memory_.set<uint32_t>(place, bytes);
    memory_.set<uint32_t>(place + 4, tag);
    memory_.set<double>(place + 8, captured_at);
    memory_.add(word::committed, 1);
#if defined(MUTATE_PLAIN_POSITION)
    memory_.words[word::written] = written;
#elif !defined(MUTATE_PUBLISH_EARLY)
    memory_.store(word::written, written);
#endif
    memory_.signal();
  }

  void close() {
    memory_.store(word::closed, 1);
    memory_.store(word::waiting, 0);
    memory_.add(word::signal, 1);
    memory_.notify();
  }

 private:
  RingMemory memory_;
  uint32_t reserved_at_ = 0;
  uint32_t known_read_;
};

struct RingEntry {
  const uint8_t* bytes;
  uint32_t size;
  uint32_t tag;
  double captured_at;
};

class RingConsumer {
 public:
  explicit RingConsumer(uint8_t* storage) : memory_(storage), known_written_(memory_.words[word::read]) {}

  /** False when the ring is empty. */
  bool read(RingEntry* entry) {
    const int64_t place = oldest();
    if (place < 0) return false;
    const auto at = static_cast<uint32_t>(place);
    const auto size = memory_.get<uint32_t>(at);
    held_ = entry_bytes(size);
    *entry = {memory_.data + at + kEntryHeaderBytes, size, memory_.get<uint32_t>(at + 4), memory_.get<double>(at + 8)};
    return true;
  }

  void release() {
    give(held_);
    held_ = 0;
  }

  uint32_t discard_older_than(double instant) {
    held_ = 0;
    uint32_t count = 0;
    for (int64_t place = oldest(); place >= 0; place = oldest()) {
      const auto at = static_cast<uint32_t>(place);
      if (memory_.get<double>(at + 8) >= instant) break;
      give(entry_bytes(memory_.get<uint32_t>(at)));
      count += 1;
    }
    if (count > 0) memory_.add(word::discarded, count);
    return count;
  }

  bool closed() const { return memory_.load(word::closed) == 1 && is_read(); }

  /** False when the time was over. */
  bool wait(int timeout_ms) {
    if (!idle()) return true;
    const uint32_t seen = memory_.load(word::signal);
    memory_.store(word::waiting, 1);
    return idle() ? memory_.wait(seen, timeout_ms) : true;
  }

  /** True when there is nothing to do. */
  bool idle() const { return is_read() && memory_.load(word::closed) == 0; }

 private:
  bool is_read() const { return memory_.load(word::written) == memory_.words[word::read]; }

  int64_t oldest() {
    const uint32_t read = memory_.words[word::read];
    if (known_written_ == read) {
#ifdef MUTATE_PLAIN_POSITION
      known_written_ = *const_cast<volatile uint32_t*>(&memory_.words[word::written]);
#else
      known_written_ = memory_.load(word::written);
#endif
      if (known_written_ == read) return -1;
    }
    const uint32_t place = read & (memory_.capacity - 1);
    if (memory_.get<uint32_t>(place) != kPadding) return place;
    give(memory_.capacity - place);
    return 0;
  }

  void give(uint32_t bytes) { memory_.store(word::read, memory_.words[word::read] + bytes); }

  RingMemory memory_;
  uint32_t held_ = 0;
  uint32_t known_written_;
};

}  // namespace hotmic
