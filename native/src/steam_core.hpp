// The one Steam of this process, for all environments (the main thread, workers) that loaded the addon. It knows nothing of Node.
//
// It is allocated once and never destroyed: threads may still be in a call while the process exits. An environment is a
// thread that uses Steam. What it holds (recording, auth tickets, auth sessions) ends with it. When the last one closes, Steam is
// shut down, and may be initialised again. Locks, in the order in which they are taken: life (shared by every call, exclusive for
// init and close), then one of voice, decompress or dispatch, then ledger.

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "life_lock.hpp"
#include "steam_library.hpp"

namespace hotmic {

// One thread that uses Steam. Only that thread calls its functions. Call SteamCore::leave before it ends.
class Environment {
 public:
  bool is_open() const { return opens_ > 0; }

 private:
  friend class SteamCore;
  uint32_t opens_ = 0;
  // Under the voice lock.
  bool recording_ = false;
  // Under the ledger lock.
  std::vector<uint32_t> tickets_;
  std::vector<uint64_t> sessions_;
};

enum class InitStage { open, library, symbols, init, interface_missing, dispatch };

struct InitOutcome {
  InitStage stage = InitStage::open;
  // Steam's own code, if the stage is init and Steam gave one.
  bool has_code = false;
  int32_t code = 0;
  // Steam's or the loader's own text. Empty when open.
  std::string text;
  std::string library;
  std::string interface_version;
  // The function that initialised Steam.
  std::string entry_point;
};

struct VoiceAnswer {
  int32_t result;
  // Bytes written, or needed.
  uint32_t bytes;
};

struct AuthTicketAnswer {
  // False when the library cannot bind a ticket to an identity, and one was given.
  bool supported = true;
  uint32_t handle = 0;
  std::vector<uint8_t> ticket;
};

// A callback, or a call result. The payload is a copy.
struct SteamMessage {
  int32_t id;
  // 0 for a callback.
  uint64_t call;
  // The call result never came: there is no payload.
  bool failed;
  std::vector<uint8_t> payload;
};

enum class PumpOutcome { closed, not_owner, pumped };

struct CoreCounts {
  uint32_t environments;
  uint32_t tickets;
  uint32_t sessions;
  // Tickets and sessions beyond kMaxTracked: Steam ends them at its shutdown.
  uint64_t untracked;
  // Callbacks of interfaces other than ISteamUser.
  uint64_t foreign;
  // Callbacks without a payload, or with one that is larger than kMaxPayloadBytes.
  uint64_t refused;
  // Empty while Steam is closed.
  std::string library;
};

class SteamCore {
 public:
  // The most tickets, and sessions, tracked per environment.
  static constexpr size_t kMaxTracked = 4096;
  static constexpr int kMaxCallbacksPerPump = 1024;
  static constexpr size_t kMaxPayloadBytes = 65536;
  // The most files loaded as Steam's library; none is ever unloaded.
  static constexpr size_t kMaxLibraries = 16;

  static SteamCore& instance();

  // Opens Steam, or attaches to the open one. `app_id` 0 leaves it to the environment and steam_appid.txt.
  InitOutcome init(Environment& environment, const std::string& library_path, uint32_t app_id);
  // Undoes one init.
  void close(Environment& environment);
  // Undoes all of them: the thread ends.
  void leave(Environment& environment);
  CoreCounts counts();

  // Runs call(functions, self) while Steam stays open. False, without a call, when it is closed to this environment.
  // `call` must not use the core.
  template <typename Call>
  bool call(const Environment& environment, Call&& call) {
    if (!environment.is_open()) return false;
    std::shared_lock<LifeLock> life(life_);
    if (user_ == nullptr) return false;
    call(library_->functions, user_);
    return true;
  }

  // Voice. Real-time: one shared lock, one mutex, no allocation. kVoiceNotInitialized when closed.
  bool start_voice(Environment& environment);
  bool stop_voice(Environment& environment);
  VoiceAnswer available_voice(const Environment& environment);
  VoiceAnswer get_voice(const Environment& environment, void* to, uint32_t room);
  VoiceAnswer decompress_voice(const Environment& environment, const void* voice, uint32_t bytes, void* to,
                               uint32_t room, uint32_t rate);

  // Tickets and sessions. False when closed.
  // `remote` is null for anyone.
  bool auth_ticket(Environment& environment, const SteamIdentity* remote, AuthTicketAnswer& answer);
  // `supported` is false before SDK 1.57. `identity` may be null.
  bool web_ticket(Environment& environment, const char* identity, bool& supported, uint32_t& handle);
  bool cancel_ticket(Environment& environment, uint32_t handle);
  bool begin_session(Environment& environment, const void* ticket, int bytes, uint64_t steam_id, int32_t& result);
  bool end_session(Environment& environment, uint64_t steam_id);
  bool encrypted_ticket(const Environment& environment, bool& there, std::vector<uint8_t>& ticket);

  // One frame of Steam. Only one environment at a time gets callbacks: the first that pumps (one that only records never does),
  // and when that is gone, the next that pumps.
  PumpOutcome pump(Environment& environment, std::vector<SteamMessage>& messages);

 private:
  SteamCore() = default;

  void detach(Environment& environment);
  void end_what_it_holds(Environment& environment);
  void shut_down();
  InitOutcome open_first(const std::string& library_path, uint32_t app_id);
  SteamLibrary* library_of(const std::string& path, LibraryFailure& failure);
  void track_ticket(Environment& environment, uint32_t handle);
  void read_message(const SteamFunctions& steam, const uint8_t* message, std::vector<SteamMessage>& messages);

  LifeLock life_;
  // Under life:
  std::vector<std::unique_ptr<SteamLibrary>> libraries_;
  SteamLibrary* library_ = nullptr;
  void* user_ = nullptr;
  int32_t pipe_ = 0;
  bool binds_tickets_ = false;
  uint32_t app_id_ = 0;
  InitOutcome opened_;
  std::vector<Environment*> environments_;

  std::mutex voice_;
  std::mutex decompress_;

  std::mutex dispatch_;
  Environment* dispatch_owner_ = nullptr;
  uint64_t foreign_ = 0;
  uint64_t refused_ = 0;

  std::mutex ledger_;
  uint64_t untracked_ = 0;
};

}  // namespace hotmic
