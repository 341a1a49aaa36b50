/**
 * The addon's core without Node: threads that open, call, record, decode, make tickets, pump, close and leave at once, over the
 * stand-in for libsteam_api that HARNESS_STEAM_LIBRARY names. The sanitizers look at the locks; the end at what is left.
 *
 *     core_locks [CALLS_A_THREAD [THREADS [SEED]]]
 */
// sources: native/src/steam_core.cpp native/src/steam_dispatch.cpp native/src/steam_library.cpp native/src/steam_tickets.cpp native/src/steam_voice.cpp

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "../../../native/src/steam_core.hpp"
#include "seeded_random.hpp"

using namespace hotmic;

namespace {

std::atomic<uint64_t> opened{0};
std::atomic<uint64_t> calls_made{0};
std::atomic<uint64_t> callbacks{0};

void open(Environment& environment, const std::string& library) {
  const InitOutcome outcome = SteamCore::instance().init(environment, library, 480);
  if (outcome.stage != InitStage::open) {
    std::fprintf(stderr, "core_locks: init failed: %s\n", outcome.text.c_str());
    std::exit(1);
  }
  opened += 1;
}

/** One thread: what a worker does, until it leaves. Every fourth leaves without closing, as a killed one does. */
void run(const std::string& library, uint32_t calls, uint32_t seed) {
  SeededRandom random(seed);
  SteamCore& core = SteamCore::instance();
  auto environment = std::make_unique<Environment>();
  open(*environment, library);
  std::vector<uint8_t> packet(8192);
  std::vector<uint8_t> pcm(65536);
  for (uint32_t made = 0; made < calls; made++) {
    switch (random.below(12)) {
      case 0:
        core.start_voice(*environment);
        break;
      case 1:
        core.stop_voice(*environment);
        break;
      case 2: {
        AuthTicketAnswer ticket;
        core.auth_ticket(*environment, nullptr, ticket);
        int32_t result = 0;
        core.begin_session(*environment, ticket.ticket.data(), static_cast<int>(ticket.ticket.size()), 76561197960265729u, result);
        core.end_session(*environment, 76561197960265729u);
        if (random.below(2) == 0) core.cancel_ticket(*environment, ticket.handle);
        break;
      }
      case 3: {
        std::vector<SteamMessage> messages;
        core.pump(*environment, messages);
        callbacks += messages.size();
        break;
      }
      case 4:
        if (random.below(8) == 0) {
          core.close(*environment);
          open(*environment, library);
        }
        break;
      case 5:
        core.counts();
        break;
      case 6:
        if (random.below(8) == 0) {
          core.leave(*environment);
          environment = std::make_unique<Environment>();
          open(*environment, library);
        }
        break;
      case 7:
        core.call(*environment, [](const SteamFunctions& steam, void* self) { steam.logged_on(self); });
        break;
      default: {
        const VoiceAnswer voice = core.get_voice(*environment, packet.data(), static_cast<uint32_t>(packet.size()));
        if (voice.result == kVoiceOk)
          core.decompress_voice(*environment, packet.data(), voice.bytes, pcm.data(), static_cast<uint32_t>(pcm.size()), 24000);
      }
    }
    calls_made += 1;
  }
  if (random.below(4) != 0) core.close(*environment);
  core.leave(*environment);
}

}  // namespace

int main(int argc, char** argv) {
  const char* const library = std::getenv("HARNESS_STEAM_LIBRARY");
  if (library == nullptr) {
    std::fprintf(stderr, "core_locks: HARNESS_STEAM_LIBRARY names no library\n");
    return 1;
  }
  const auto argument = [&](int at, uint32_t otherwise) {
    return argc > at ? static_cast<uint32_t>(std::strtoul(argv[at], nullptr, 10)) : otherwise;
  };
  const uint32_t calls = argument(1, 5000);
  const uint32_t threads = argument(2, 8);
  const uint32_t seed = argument(3, 1);

  // Opened and shut down with nobody else there.
  for (int round = 0; round < 100; round++) {
    Environment environment;
    open(environment, library);
    SteamCore::instance().close(environment);
  }
  std::vector<std::thread> running;
  for (uint32_t at = 0; at < threads; at++) running.emplace_back(run, std::string(library), calls, seed + at);
  for (std::thread& thread : running) thread.join();

  const CoreCounts left = SteamCore::instance().counts();
  const bool is_clean = left.environments == 0 && left.tickets == 0 && left.sessions == 0 && left.library.empty();
  std::printf("core_locks: %llu opened, %llu calls, %llu callbacks, %u threads; %s\n",
              static_cast<unsigned long long>(opened), static_cast<unsigned long long>(calls_made),
              static_cast<unsigned long long>(callbacks), threads, is_clean ? "nothing left" : "SOMETHING LEFT");
  return is_clean && calls_made == uint64_t{calls} * threads ? 0 : 1;
}
