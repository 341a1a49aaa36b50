/**
 * Drives the C++ ring of packet_ring.hpp: two threads through it for the sanitizers, and images of its memory, which voice/ring.ts
 * must read and write alike.
 *
 *     ring_model [stress [ENTRIES [SEED]]]   a producer and a consumer; 1 and the first fault if anything came out wrong
 *     ring_model layout                      the layout's numbers, a name and a value a line
 *     ring_model write SEED ENTRIES          an image of a ring with entries in it, to stdout
 *     ring_model read                        the entries of an image from stdin: tag, captured_at, bytes in hex
 */

#include <atomic>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "packet_ring.hpp"
#include "seeded_random.hpp"

using namespace hotmic;

namespace {

constexpr uint32_t kCapacity = 4096;
constexpr uint32_t kMaxBytes = 1000;
/** So that the positions cross 2^32 early. */
constexpr uint32_t kFirstPosition = 0u - 8u * 1000u;
/** A consumer that sleeps this long beside an entry was not woken. */
constexpr int kLostWakeMs = 2000;

/** A ring with canaries on both sides. */
class Storage {
 public:
  Storage() : words_((kCanary + kDataAt + kCapacity + kCanary) / 8, kMark) {
    std::memset(ring(), 0, bytes());
    RingMemory::format(ring(), kCapacity, kFirstPosition);
  }
  uint8_t* ring() { return reinterpret_cast<uint8_t*>(words_.data()) + kCanary; }
  static constexpr size_t bytes() { return kDataAt + kCapacity; }

  /** The first place outside the ring, or in its head outside the words, that was written to; −1 if none. */
  int64_t damaged() {
    for (size_t at = 0; at < kCanary / 8; at++)
      if (words_[at] != kMark || words_[words_.size() - 1 - at] != kMark) return static_cast<int64_t>(at);
    const auto* words = reinterpret_cast<const uint32_t*>(ring());
    for (uint32_t at = 0; at < kDataAt / 4; at++) {
      const bool is_used = at <= word::capacity || (at >= word::written && at <= word::committed) ||
                           (at >= word::read && at <= word::discarded) || (at >= word::signal && at <= word::waiting);
      if (!is_used && words[at] != 0) return at;
    }
    return -1;
  }

 private:
  static constexpr size_t kCanary = 256;
  static constexpr uint64_t kMark = 0xc0ffee00c0ffee00;
  std::vector<uint64_t> words_;
};

/** Set at the first fault: what follows one tells nothing more. Relaxed, so that it orders nothing between the threads. */
std::atomic<bool> is_over{false};

/** Mostly small, now and then anything up to the most, sometimes nothing. */
uint32_t size_of(SeededRandom& random) { return random.below(random.below(8) == 0 ? kMaxBytes + 1 : 40); }

void produce(uint8_t* storage, uint32_t entries, uint32_t seed) {
  RingProducer producer(storage);
  SeededRandom made(seed);
  SeededRandom chance(seed + 1);
  for (uint32_t index = 0; index < entries; index++) {
    const uint32_t size = size_of(made);
    const uint32_t reserved = size + chance.below(kMaxBytes + 1 - size);
    uint8_t* room = producer.reserve(reserved);
    while (room == nullptr) {
      if (is_over.load(std::memory_order_relaxed)) return;
      std::this_thread::yield();
      room = producer.reserve(reserved);
    }
    for (uint32_t at = 0; at < size; at++) room[at] = static_cast<uint8_t>(made.next());
    std::memset(room + size, 0xee, reserved - size);
    producer.commit(size, index, index / 2.0);
    // Now and then the consumer is to run dry and wait.
    if (chance.below(16) == 0) std::this_thread::yield();
  }
  producer.close();
}

struct Consumed {
  uint32_t verified = 0, discarded = 0, waits = 0;
  std::string fault;
};

/** Reads until the ring is closed and holds each entry against what must have been made. */
void consume(uint8_t* storage, uint32_t seed, Consumed* consumed) {
  RingConsumer consumer(storage);
  SeededRandom made(seed);
  SeededRandom chance(seed + 2);
  uint32_t index = 0;
  const auto fault = [&](const std::string& what) {
    if (consumed->fault.empty()) consumed->fault = "entry " + std::to_string(index) + ": " + what;
    is_over.store(true, std::memory_order_relaxed);
  };
  while (!consumer.closed() && consumed->fault.empty()) {
    if (chance.below(64) == 0) {
      const uint32_t gone = consumer.discard_older_than((index + chance.below(8)) / 2.0);
      if (gone > 8) fault(std::to_string(gone) + " discarded, expected 8 at most");
      for (uint32_t count = 0; count < gone && count <= 8; count++, index++)
        for (uint32_t left = size_of(made); left > 0; left--) made.next();
      consumed->discarded += gone;
    }
    RingEntry entry;
    if (!consumer.read(&entry)) {
      consumed->waits += 1;
      if (!consumer.wait(kLostWakeMs) && !consumer.idle()) fault("the wake for it was lost");
      continue;
    }
    const uint32_t size = size_of(made);
    if (entry.tag != index) fault("its tag is " + std::to_string(entry.tag));
    if (entry.captured_at != index / 2.0) fault("captured at " + std::to_string(entry.captured_at));
    if (entry.size != size) fault(std::to_string(entry.size) + " bytes, expected " + std::to_string(size));
    for (uint32_t at = 0; at < size && at < entry.size; at++)
      if (entry.bytes[at] != static_cast<uint8_t>(made.next())) fault("byte " + std::to_string(at) + " is wrong");
    consumer.release();
    consumed->verified += 1;
    index += 1;
  }
}

int stress(uint32_t entries, uint32_t seed) {
  Storage storage;
  Consumed consumed;
  std::thread producer(produce, storage.ring(), entries, seed);
  std::thread consumer(consume, storage.ring(), seed, &consumed);
  producer.join();
  consumer.join();
  if (consumed.fault.empty() && consumed.verified + consumed.discarded != entries)
    consumed.fault = std::to_string(entries - consumed.verified - consumed.discarded) + " entries were lost";
  if (const int64_t at = storage.damaged(); consumed.fault.empty() && at >= 0)
    consumed.fault = "a canary was written over, " + std::to_string(at);
  std::printf("ring_model: seed %" PRIu32 ", %" PRIu32 " entries verified, %" PRIu32 " discarded, %" PRIu32 " waits: %s\n", seed,
              consumed.verified, consumed.discarded, consumed.waits, consumed.fault.empty() ? "ok" : consumed.fault.c_str());
  return consumed.fault.empty() ? 0 : 1;
}

int layout() {
  const std::pair<const char*, uint32_t> numbers[] = {
      {"magic", kMagic},
      {"dataAt", kDataAt},
      {"entryHeaderBytes", kEntryHeaderBytes},
      {"capacityAt", word::capacity * 4},
      {"writtenAt", word::written * 4},
      {"refusedAt", word::refused * 4},
      {"committedAt", word::committed * 4},
      {"readAt", word::read * 4},
      {"discardedAt", word::discarded * 4},
      {"signalAt", word::signal * 4},
      {"closedAt", word::closed * 4},
      {"waitingAt", word::waiting * 4},
  };
  for (const auto& [name, value] : numbers) std::printf("%s %" PRIu32 "\n", name, value);
  return 0;
}

/** Goes over the end of the memory and over 2^32 before it leaves `entries` of them in the ring. */
int write(uint32_t seed, uint32_t entries) {
  Storage storage;
  RingProducer producer(storage.ring());
  RingConsumer consumer(storage.ring());
  SeededRandom random(seed);
  for (uint32_t tag = 0; tag < 1000 + entries; tag++) {
    const uint32_t size = random.below(40);
    uint8_t* room = producer.reserve(size);
    if (room == nullptr) return 1;
    for (uint32_t at = 0; at < size; at++) room[at] = static_cast<uint8_t>(random.next());
    producer.commit(size, tag, tag / 2.0);
    RingEntry entry;
    if (tag < 1000 && consumer.read(&entry)) consumer.release();
  }
  return std::fwrite(storage.ring(), 1, Storage::bytes(), stdout) == Storage::bytes() ? 0 : 1;
}

int read() {
  std::vector<uint64_t> image(1 << 14);
  auto* storage = reinterpret_cast<uint8_t*>(image.data());
  const size_t bytes = std::fread(storage, 1, image.size() * 8, stdin);
  const RingMemory memory(storage);
  if (memory.load(word::magic) != kMagic || bytes != kDataAt + memory.capacity) return 1;
  RingConsumer consumer(storage);
  for (RingEntry entry; consumer.read(&entry); consumer.release()) {
    std::printf("%" PRIu32 " %g ", entry.tag, entry.captured_at);
    for (uint32_t at = 0; at < entry.size; at++) std::printf("%02x", entry.bytes[at]);
    std::printf("\n");
  }
  return 0;
}

uint32_t number(int argc, char** argv, int at, uint32_t otherwise) {
  return argc > at ? static_cast<uint32_t>(std::strtoul(argv[at], nullptr, 10)) : otherwise;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string job = argc > 1 ? argv[1] : "stress";
  if (job == "stress") return stress(number(argc, argv, 2, 300'000), number(argc, argv, 3, 20'240'613));
  if (job == "layout") return layout();
  if (job == "write") return write(number(argc, argv, 2, 1), number(argc, argv, 3, 20));
  if (job == "read") return read();
  std::fprintf(stderr, "ring_model: no job is called %s: expected stress, layout, write or read\n", job.c_str());
  return 2;
}
