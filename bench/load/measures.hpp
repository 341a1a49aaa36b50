/** What the load generator counts and measures, and how it prints that: one JSON object per line. */

#pragma once

#include <cinttypes>
#include <cstdio>
#include <map>
#include <string>

#include "clock.hpp"
#include "histogram.hpp"
#include "tally.hpp"

namespace hotmic {

struct Counts {
  uint64_t sent = 0, deliveries = 0, controls = 0, hears = 0, bytes = 0;
  uint64_t acknowledgements = 0, parks = 0, heartbeats = 0, stalls = 0, leaves = 0, joins = 0;
};

/** The readings at the start and the end of the time that counts. */
struct Mark {
  int64_t at = 0, own_cpu = 0, relay_cpu = 0;
  Counts counts;
};

struct Measures {
  Counts counts;
  /** Of listeners without trouble, and of those with. */
  Faults faults, troubled;
  /** Due to sent; due to delivered, for listeners without trouble and for those with, who may be seconds behind. */
  Histogram lateness, latency, age;
  /** Connection to whole welcome, at the start and while others talk. */
  Histogram joining, rejoining;
  /** From the end of a stall to the first frame that is not stale. */
  Histogram live_after;
  /** How long a listener was parked. */
  Histogram parked;
  /** Stale frames that were read after stalls, and the most after one of them. */
  uint64_t stale = 0, most_stale = 0;
  /** The least latency, in ns. */
  int64_t least = INT64_MAX;
  /** Connections that the relay or the network closed, by reason. At most kMaxReasons of these. */
  uint64_t closed = 0, blocked = 0;
  std::map<std::string, uint64_t> reasons;
  /** The last second. */
  Histogram recent;
  uint64_t recent_sent = 0, recent_deliveries = 0;

  void close(const std::string& why) {
    static constexpr size_t kMaxReasons = 8;
    ++closed;
    if (reasons.count(why) != 0 || reasons.size() < kMaxReasons) ++reasons[why];
  }

  void print_joined(size_t joined, int64_t took_ns, size_t welcome_bytes) const {
    std::printf("{\"joined\":%zu,\"joinMs\":%" PRId64 ",", joined, took_ns / 1'000'000);
    std::printf("\"joinP50Us\":%" PRId64 ",\"joinP99Us\":%" PRId64 ",\"joinMaxUs\":%" PRId64 ",", joining.quantile_us(0.5),
                joining.quantile_us(0.99), joining.max_us());
    std::printf("\"joinMessages\":%" PRIu64 ",\"welcomeBytes\":%zu}\n", counts.controls, welcome_bytes);
    std::fflush(stdout);
  }

  /** A line of progress. The next one begins with it. */
  void print_progress(int64_t elapsed_ns, uint64_t parked_now) {
    std::printf("{\"atMs\":%" PRId64 ",\"sent\":%" PRIu64 ",\"deliveries\":%" PRIu64 ",", elapsed_ns / 1'000'000,
                counts.sent - recent_sent, counts.deliveries - recent_deliveries);
    std::printf("\"p50Us\":%" PRId64 ",\"p99Us\":%" PRId64 ",\"parked\":%" PRIu64 ",\"closed\":%" PRIu64 "}\n",
                recent.quantile_us(0.5), recent.quantile_us(0.99), parked_now, closed);
    std::fflush(stdout);
    recent_sent = counts.sent;
    recent_deliveries = counts.deliveries;
    recent.clear();
  }

  void print(const Mark& first, const Mark& last, int64_t late_us) const {
    const auto ms = [](int64_t ns) { return static_cast<double>(ns) / 1e6; };
    const auto count = [](const char* name, uint64_t value) { std::printf("\"%s\":%" PRIu64 ",", name, value); };
    const auto grown = [&](const char* name, uint64_t Counts::* of) { count(name, last.counts.*of - first.counts.*of); };
    std::printf("{\"elapsedMs\":%.3f,\"relayCpuMs\":%.3f,\"ownCpuMs\":%.3f,", ms(last.at - first.at),
                ms(last.relay_cpu - first.relay_cpu), ms(last.own_cpu - first.own_cpu));
    grown("sent", &Counts::sent);
    grown("deliveries", &Counts::deliveries);
    grown("controls", &Counts::controls);
    grown("hears", &Counts::hears);
    grown("acknowledgements", &Counts::acknowledgements);
    grown("heartbeats", &Counts::heartbeats);
    grown("stalls", &Counts::stalls);
    grown("leaves", &Counts::leaves);
    grown("rejoins", &Counts::joins);
    std::printf("\"frameBytes\":%.1f,",
                counts.deliveries == 0 ? 0 : static_cast<double>(counts.bytes) / static_cast<double>(counts.deliveries));
    count("paced", lateness.count());
    count("late", lateness.above_us(late_us));
    count("lateP99Us", static_cast<uint64_t>(lateness.quantile_us(0.99)));
    count("lateMaxUs", static_cast<uint64_t>(lateness.max_us()));
    count("latencyP50Us", static_cast<uint64_t>(latency.quantile_us(0.5)));
    count("latencyP99Us", static_cast<uint64_t>(latency.quantile_us(0.99)));
    count("latencyMaxUs", static_cast<uint64_t>(latency.max_us()));
    count("lost", faults.lost);
    count("withheld", faults.withheld + troubled.withheld);
    count("doubled", faults.doubled + troubled.doubled);
    count("reordered", faults.reordered + troubled.reordered);
    count("foreign", faults.foreign + troubled.foreign);
    count("damaged", faults.damaged + troubled.damaged);
    count("outside", faults.outside + troubled.outside);
    count("skipped", faults.skipped + troubled.skipped);
    count("missed", troubled.lost);
    count("parks", counts.parks);
    count("staleFrames", stale);
    count("mostStaleFrames", most_stale);
    count("blocked", blocked);
    std::printf("\"closed\":%" PRIu64 "}\n", closed);
    std::fflush(stdout);
  }

  /** The histograms, and why connections were closed, before the result itself. */
  void print_details() const {
    const auto histogram = [](const char* name, const Histogram& it, const char* end) {
      std::printf("\"%s\":", name);
      it.print();
      std::printf("%s", end);
    };
    std::printf("{\"histograms\":{");
    histogram("lateness", lateness, ",");
    histogram("latency", latency, ",");
    histogram("age", age, ",");
    histogram("joining", joining, ",");
    histogram("rejoining", rejoining, ",");
    histogram("liveAfter", live_after, ",");
    histogram("parked", parked, "},\"reasons\":[");
    const char* comma = "";
    for (const auto& [why, times] : reasons) {
      std::printf("%s[\"", comma);
      for (const char c : why)
        if (c >= ' ' && c != '"' && c != '\\' && static_cast<unsigned char>(c) < 0x7f) std::putchar(c);
      std::printf("\",%" PRIu64 "]", times);
      comma = ",";
    }
    std::printf("]}\n");
  }
};

}  // namespace hotmic
