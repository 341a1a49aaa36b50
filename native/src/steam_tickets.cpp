// The core's auth tickets and auth sessions, and the list of which environment holds which. See steam_core.hpp.

#include <algorithm>

#include "steam_core.hpp"

namespace hotmic {

namespace {

constexpr uint32_t kTicketBytes = 1024;
// The buffer of a second try, when the first was too small.
constexpr uint32_t kLargeTicketBytes = 8192;
constexpr uint32_t kMaxEncryptedTicketBytes = 65536;

template <typename Value>
void forget(std::vector<Value>& held, Value value) {
  held.erase(std::remove(held.begin(), held.end(), value), held.end());
}

}  // namespace

bool SteamCore::auth_ticket(Environment& environment, const SteamIdentity* remote, AuthTicketAnswer& answer) {
  return call(environment, [&](const SteamFunctions& steam, void* self) {
    if (remote != nullptr && !binds_tickets_) {
      answer.supported = false;
      return;
    }
    for (uint32_t room : {kTicketBytes, kLargeTicketBytes}) {
      answer.ticket.assign(room, 0);
      uint32_t written = 0;
      void* to = answer.ticket.data();
      answer.handle = binds_tickets_ ? steam.auth_ticket(self, to, static_cast<int>(room), &written, remote)
                                     : steam.auth_ticket_v021(self, to, static_cast<int>(room), &written);
      answer.ticket.resize(answer.handle == 0 ? 0 : std::min(written, room));
      if (answer.handle != 0 || written <= room) break;
    }
    track_ticket(environment, answer.handle);
  });
}

bool SteamCore::web_ticket(Environment& environment, const char* identity, bool& supported, uint32_t& handle) {
  return call(environment, [&](const SteamFunctions& steam, void* self) {
    supported = steam.web_ticket != nullptr;
    if (!supported) return;
    handle = steam.web_ticket(self, identity);
    track_ticket(environment, handle);
  });
}

void SteamCore::track_ticket(Environment& environment, uint32_t handle) {
  if (handle == 0) return;
  std::lock_guard<std::mutex> ledger(ledger_);
  if (environment.tickets_.size() < kMaxTracked) {
    environment.tickets_.push_back(handle);
  } else {
    untracked_ += 1;
  }
}

bool SteamCore::cancel_ticket(Environment& environment, uint32_t handle) {
  return call(environment, [&](const SteamFunctions& steam, void* self) {
    steam.cancel_ticket(self, handle);
    std::lock_guard<std::mutex> ledger(ledger_);
    for (Environment* other : environments_) forget(other->tickets_, handle);
  });
}

bool SteamCore::begin_session(Environment& environment, const void* ticket, int bytes, uint64_t steam_id,
                              int32_t& result) {
  return call(environment, [&](const SteamFunctions& steam, void* self) {
    result = steam.begin_session(self, ticket, bytes, steam_id);
    if (result != kBeginAuthSessionOk) return;
    std::lock_guard<std::mutex> ledger(ledger_);
    if (environment.sessions_.size() < kMaxTracked) {
      environment.sessions_.push_back(steam_id);
    } else {
      untracked_ += 1;
    }
  });
}

bool SteamCore::end_session(Environment& environment, uint64_t steam_id) {
  return call(environment, [&](const SteamFunctions& steam, void* self) {
    steam.end_session(self, steam_id);
    std::lock_guard<std::mutex> ledger(ledger_);
    for (Environment* other : environments_) forget(other->sessions_, steam_id);
  });
}

bool SteamCore::encrypted_ticket(const Environment& environment, bool& there, std::vector<uint8_t>& ticket) {
  return call(environment, [&](const SteamFunctions& steam, void* self) {
    uint32_t room = kTicketBytes;
    for (int attempt = 0; attempt < 2; attempt++) {
      ticket.assign(room, 0);
      uint32_t written = 0;
      there = steam.encrypted_ticket(self, ticket.data(), static_cast<int>(room), &written);
      ticket.resize(there ? std::min(written, room) : 0);
      if (there) return;
      // Steam may say how much it needs, or only that it did not fit.
      room = written > room ? std::min(written, kMaxEncryptedTicketBytes) : kLargeTicketBytes;
    }
  });
}

}  // namespace hotmic
