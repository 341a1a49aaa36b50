// What one Node environment has: its open sockets by number, its servers by number, and the way from C++ to its JavaScript.
//
// JavaScript names sockets and servers by small integers, which are looked up here: a wrong number finds nothing, and does nothing.

#pragma once

#include <node_api.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "server.hpp"

namespace hotmic::sockets {

class Environment {
 public:
  explicit Environment(napi_env env) : env_(env) {}
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  napi_env env() const { return env_; }

  // An open socket, or null for any other number.
  const Slot* socket(uint32_t id) const;
  // The number of a socket that opens. Numbers of closed sockets are used again.
  uint32_t add_socket(Server* server, void* socket);
  void remove_socket(uint32_t id);

  // Null for any number but that of an open server.
  Server* server(uint32_t id) const;
  uint32_t add_server(std::unique_ptr<Server> server);
  // Closes its connections now. Its memory is freed in a later turn of the event loop, when nothing of it is on the stack.
  void close_server(uint32_t id);

  // Calls JavaScript with values of the current handle scope. False if it threw: then the process has an uncaught exception, with its
  // usual consequences, and what comes back is not set.
  bool call(napi_ref function, size_t count, const napi_value* arguments, napi_value* result = nullptr);

  // The environment ends: no JavaScript runs any more. Closes all connections. True if there never was a server, so that nothing refers to this.
  bool end();

  // While one exists, JavaScript is on the stack and has called us.
  class Entered {
   public:
    explicit Entered(Environment& environment) : environment_(environment) { environment_.entered_ += 1; }
    ~Entered() { environment_.entered_ -= 1; }
    Entered(const Entered&) = delete;
    Entered& operator=(const Entered&) = delete;

   private:
    Environment& environment_;
  };

 private:
  // Frees the closed server as soon as the library has let go of all its connections.
  void reap_later(uint32_t id);

  napi_env env_;
  std::vector<Slot> sockets_;
  std::vector<uint32_t> free_sockets_;
  std::vector<std::unique_ptr<Server>> servers_;
  std::vector<uint32_t> free_servers_;
  unsigned entered_ = 0;
  bool has_ended_ = false;
};

// Values that are made in it live until it ends.
class HandleScope {
 public:
  explicit HandleScope(napi_env env) : env_(env) { napi_open_handle_scope(env, &scope_); }
  ~HandleScope() { napi_close_handle_scope(env_, scope_); }
  HandleScope(const HandleScope&) = delete;
  HandleScope& operator=(const HandleScope&) = delete;

 private:
  napi_env env_;
  napi_handle_scope scope_ = nullptr;
};

}  // namespace hotmic::sockets
