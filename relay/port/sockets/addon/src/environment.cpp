#include "environment.hpp"

#include <App.h>

namespace hotmic::sockets {

const Slot* Environment::socket(uint32_t id) const {
  if (id >= sockets_.size() || sockets_[id].socket == nullptr) return nullptr;
  return &sockets_[id];
}

uint32_t Environment::add_socket(Server* server, void* socket) {
  if (free_sockets_.empty()) {
    sockets_.push_back({server, socket});
    return static_cast<uint32_t>(sockets_.size() - 1);
  }
  const uint32_t id = free_sockets_.back();
  free_sockets_.pop_back();
  sockets_[id] = {server, socket};
  return id;
}

void Environment::remove_socket(uint32_t id) {
  sockets_[id] = {};
  free_sockets_.push_back(id);
}

Server* Environment::server(uint32_t id) const { return id < servers_.size() ? servers_[id].get() : nullptr; }

uint32_t Environment::add_server(std::unique_ptr<Server> server) {
  uint32_t id = static_cast<uint32_t>(servers_.size());
  if (free_servers_.empty()) {
    servers_.emplace_back();
  } else {
    id = free_servers_.back();
    free_servers_.pop_back();
  }
  server->id = id;
  servers_[id] = std::move(server);
  return id;
}

void Environment::close_server(uint32_t id) {
  Server* closed = server(id);
  if (closed == nullptr || closed->is_closing) return;
  closed->is_closing = true;
  closed->close();
  reap_later(id);
}

void Environment::reap_later(uint32_t id) {
  uWS::Loop::get()->defer([this, id] {
    if (has_ended_ || !servers_[id]) return;
    if (!servers_[id]->close()) {
      // Some connections wait for their turn of the TLS handshake, a few in each turn of the event loop.
      reap_later(id);
      return;
    }
    const HandleScope scope(env_);
    servers_[id].reset();
    free_servers_.push_back(id);
  });
}

bool Environment::call(napi_ref function, size_t count, const napi_value* arguments, napi_value* result) {
  if (has_ended_) return false;
  napi_value callee = nullptr;
  napi_value receiver = nullptr;
  napi_value unused = nullptr;
  if (result == nullptr) result = &unused;
  if (napi_get_reference_value(env_, function, &callee) != napi_ok || napi_get_global(env_, &receiver) != napi_ok) return false;
  // Outside of JavaScript, promises and next ticks have to run after the call.
  const napi_status status = entered_ > 0 ? napi_call_function(env_, receiver, callee, count, arguments, result)
                                          : napi_make_callback(env_, nullptr, receiver, callee, count, arguments, result);
  if (status == napi_ok) return true;
  bool is_pending = false;
  napi_value thrown = nullptr;
  if (napi_is_exception_pending(env_, &is_pending) == napi_ok && is_pending && napi_get_and_clear_last_exception(env_, &thrown) == napi_ok) {
    napi_fatal_exception(env_, thrown);
  }
  return false;
}

bool Environment::end() {
  has_ended_ = true;
  for (const auto& server : servers_) {
    if (server) server->close();
  }
  return servers_.empty();
}

}  // namespace hotmic::sockets
