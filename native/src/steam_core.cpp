// The life of the core: init, attach, close. See steam_core.hpp.

#include "steam_core.hpp"

#include <algorithm>
#include <cstdlib>

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>
#endif

namespace hotmic {

namespace {

// ESteamAPIInitResult.
constexpr int32_t kInitOk = 0;

struct UserInterface {
  void*(HOTMIC_STEAM_CALL* accessor)();
  const char* version;
  // As SteamInternal_SteamAPI_Init expects it: names, each ended by a NUL, and another NUL at the end.
  const char* version_list;
  bool binds_tickets;
};

UserInterface user_interface(const SteamFunctions& steam) {
  if (steam.user_v023 != nullptr) return {steam.user_v023, "SteamUser023", "SteamUser023\0", true};
  if (steam.user_v022 != nullptr) return {steam.user_v022, "SteamUser022", "SteamUser022\0", true};
  return {steam.user_v021, "SteamUser021", "SteamUser021\0", false};
}

// In the process's own environment: process.env of a worker is a copy that Steam never sees.
void set_variable(const char* name, const std::string& value) {
#ifdef _WIN32
  SetEnvironmentVariableA(name, value.c_str());
#else
  setenv(name, value.c_str(), 1);
#endif
}

void initialise(const SteamFunctions& steam, const UserInterface& user, InitOutcome& outcome) {
  char error[kErrorMessageBytes] = {};
  const auto answered = [&](const char* entry_point, int32_t code) {
    error[kErrorMessageBytes - 1] = '\0';
    outcome.entry_point = entry_point;
    outcome.has_code = true;
    outcome.code = code;
    if (code == kInitOk) return;
    outcome.stage = InitStage::init;
    outcome.text = error;
  };
  const auto said = [&](const char* entry_point, bool is_ok) {
    outcome.entry_point = entry_point;
    if (is_ok) return;
    outcome.stage = InitStage::init;
    outcome.text = std::string(entry_point) + " failed and gave no reason";
    if (steam.is_steam_running == nullptr) return;
    outcome.text += steam.is_steam_running() ? "; Steam is running" : "; Steam is not running";
  };
  if (steam.init_internal != nullptr) {
    answered("SteamInternal_SteamAPI_Init", steam.init_internal(user.version_list, error));
  } else if (steam.init_flat != nullptr) {
    answered("SteamAPI_InitFlat", steam.init_flat(error));
  } else if (steam.init_safe != nullptr) {
    said("SteamAPI_InitSafe", steam.init_safe());
  } else {
    said("SteamAPI_Init", steam.init_plain());
  }
}

InitOutcome failed(InitStage stage, const std::string& library, const std::string& text) {
  InitOutcome outcome;
  outcome.stage = stage;
  outcome.library = library;
  outcome.text = text;
  return outcome;
}

}  // namespace

SteamCore& SteamCore::instance() {
  static SteamCore* const core = [] {
    pin_this_image();
    return new SteamCore();
  }();
  return *core;
}

InitOutcome SteamCore::init(Environment& environment, const std::string& library_path, uint32_t app_id) {
  std::lock_guard<LifeLock> life(life_);
  if (environments_.empty()) {
    // Reserved first: nothing may throw once Steam is open.
    environments_.reserve(1);
    InitOutcome outcome = open_first(library_path, app_id);
    if (outcome.stage != InitStage::open) return outcome;
    opened_ = outcome;
  } else if (canonical_path(library_path) != library_->path) {
    return failed(InitStage::library, library_path,
                  library_->path + " is open in this process already; close it before another is opened");
  } else if (app_id != 0 && app_id_ != 0 && app_id != app_id_) {
    return failed(InitStage::init, library_path,
                  "Steam is open in this process already, for app id " + std::to_string(app_id_));
  }
  if (std::find(environments_.begin(), environments_.end(), &environment) == environments_.end()) {
    environments_.push_back(&environment);
  }
  environment.opens_ += 1;
  return opened_;
}

InitOutcome SteamCore::open_first(const std::string& library_path, uint32_t app_id) {
  LibraryFailure failure;
  SteamLibrary* library = library_of(library_path, failure);
  if (library == nullptr) {
    const bool is_file = failure.stage == LibraryFailure::Stage::library;
    return failed(is_file ? InitStage::library : InitStage::symbols, library_path, failure.text);
  }
  const SteamFunctions& steam = library->functions;
  if (steam.pipe() != 0) {
    // Another binding or another copy of this addon has opened it. Steam does not count initialisations: the first shutdown leaves
    // the other's pointers dangling, and only one of the two gets callbacks.
    return failed(InitStage::dispatch, library->path,
                  library->path + " was initialised already, and not by this copy of Hotmic's addon");
  }
  if (app_id != 0) {
    set_variable("SteamAppId", std::to_string(app_id));
    set_variable("SteamGameId", std::to_string(app_id));
  }
  InitOutcome outcome;
  outcome.library = library->path;
  const UserInterface user = user_interface(steam);
  outcome.interface_version = user.version;
  initialise(steam, user, outcome);
  if (outcome.stage != InitStage::open) return outcome;
  const int32_t pipe = steam.pipe();
  void* self = user.accessor();
  if (self == nullptr || pipe == 0) {
    steam.shutdown();
    outcome.has_code = false;
    outcome.stage = self == nullptr ? InitStage::interface_missing : InitStage::dispatch;
    outcome.text = self == nullptr ? std::string("the Steam client does not offer ") + user.version
                                   : "Steam gave no pipe for its callbacks";
    return outcome;
  }
  // After each initialisation: it also tells the client.
  steam.dispatch_init();
  library_ = library;
  pipe_ = pipe;
  binds_tickets_ = user.binds_tickets;
  app_id_ = app_id;
  user_ = self;
  return outcome;
}

SteamLibrary* SteamCore::library_of(const std::string& path, LibraryFailure& failure) {
  const std::string canonical = canonical_path(path);
  for (const auto& library : libraries_) {
    if (library->path == canonical) return library.get();
  }
  if (libraries_.size() >= kMaxLibraries) {
    failure = {LibraryFailure::Stage::library,
               path + ": " + std::to_string(kMaxLibraries) + " libraries were loaded in this process already"};
    return nullptr;
  }
  libraries_.reserve(libraries_.size() + 1);
  SteamLibrary* library = load_steam_library(path, failure);
  if (library != nullptr) libraries_.emplace_back(library);
  return library;
}

void SteamCore::close(Environment& environment) {
  if (!environment.is_open()) return;
  std::lock_guard<LifeLock> life(life_);
  environment.opens_ -= 1;
  if (environment.opens_ == 0) detach(environment);
}

void SteamCore::leave(Environment& environment) {
  std::lock_guard<LifeLock> life(life_);
  // Also if it was closed long ago: Steam keeps memory for this thread until it is released.
  for (const auto& library : libraries_) {
    if (library->functions.release_thread_memory != nullptr) library->functions.release_thread_memory();
  }
  if (environment.opens_ == 0) return;
  environment.opens_ = 0;
  detach(environment);
}

// Under life, alone.
void SteamCore::detach(Environment& environment) {
  end_what_it_holds(environment);
  environments_.erase(std::remove(environments_.begin(), environments_.end(), &environment), environments_.end());
  {
    std::lock_guard<std::mutex> dispatch(dispatch_);
    if (dispatch_owner_ == &environment) dispatch_owner_ = nullptr;
  }
  if (environments_.empty()) shut_down();
}

void SteamCore::end_what_it_holds(Environment& environment) {
  const SteamFunctions& steam = library_->functions;
  {
    // The microphone must not stay open for an environment that is gone.
    std::lock_guard<std::mutex> voice(voice_);
    const bool recorded = environment.recording_;
    environment.recording_ = false;
    const bool others = std::any_of(environments_.begin(), environments_.end(),
                                    [](const Environment* other) { return other->recording_; });
    if (recorded && !others) steam.stop_voice(user_);
  }
  std::lock_guard<std::mutex> ledger(ledger_);
  for (uint32_t handle : environment.tickets_) steam.cancel_ticket(user_, handle);
  for (uint64_t steam_id : environment.sessions_) steam.end_session(user_, steam_id);
  environment.tickets_.clear();
  environment.sessions_.clear();
}

void SteamCore::shut_down() {
  user_ = nullptr;
  pipe_ = 0;
  app_id_ = 0;
  library_->functions.shutdown();
  library_ = nullptr;
}

CoreCounts SteamCore::counts() {
  std::shared_lock<LifeLock> life(life_);
  CoreCounts counts{};
  if (library_ != nullptr) counts.library = library_->path;
  counts.environments = static_cast<uint32_t>(environments_.size());
  {
    std::lock_guard<std::mutex> dispatch(dispatch_);
    counts.foreign = foreign_;
    counts.refused = refused_;
  }
  std::lock_guard<std::mutex> ledger(ledger_);
  counts.untracked = untracked_;
  for (const Environment* environment : environments_) {
    counts.tickets += static_cast<uint32_t>(environment->tickets_.size());
    counts.sessions += static_cast<uint32_t>(environment->sessions_.size());
  }
  return counts;
}

}  // namespace hotmic
