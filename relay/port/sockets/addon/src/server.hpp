// A port with its sockets, without saying whether it has TLS. server_of.hpp has both kinds.

#pragma once

#include <node_api.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "certificate.hpp"

namespace hotmic::sockets {

class Environment;
class Server;

// Where an open socket is: the library's pointer, and the server whose kind it has.
struct Slot {
  Server* server = nullptr;
  void* socket = nullptr;
};

struct HttpAnswer {
  std::string status;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

// An answer whose body stays in JavaScript's memory, and is not copied.
class PageAnswer {
 public:
  HttpAnswer head;

  PageAnswer(napi_env env, HttpAnswer answer, napi_ref owner, std::string_view bytes)
      : head(std::move(answer)), env_(env), owner_(owner), bytes_(bytes) {}
  ~PageAnswer() {
    if (owner_ != nullptr) napi_delete_reference(env_, owner_);
  }
  PageAnswer(const PageAnswer&) = delete;
  PageAnswer& operator=(const PageAnswer&) = delete;

  std::string_view body() const { return owner_ != nullptr ? bytes_ : std::string_view(head.body); }

 private:
  napi_env env_;
  // Keeps the bytes. Null for a body that is text.
  napi_ref owner_;
  std::string_view bytes_;
};

// Functions of JavaScript, which the server keeps. addon/binding.ts says what each gets.
struct Handlers {
  napi_ref admit = nullptr;
  napi_ref release = nullptr;
  napi_ref upgrade = nullptr;
  napi_ref open = nullptr;
  napi_ref message = nullptr;
  napi_ref heartbeat = nullptr;
  napi_ref dropped = nullptr;
  napi_ref close = nullptr;
  // Null on a port without a page.
  napi_ref page = nullptr;
};

struct ServerOptions {
  std::string path;
  uint32_t max_message_bytes = 0;
  uint32_t max_unsent_bytes = 0;
  uint16_t idle_timeout_s = 0;
  HttpAnswer healthy;
  HttpAnswer not_found;
  // Null for a plain port.
  std::unique_ptr<Certificate> certificate;
  Handlers handlers;
};

class Server {
 public:
  virtual ~Server() = default;

  // Its own number, for what comes of it later.
  uint32_t id = 0;
  // Set once: it is freed in a later turn.
  bool is_closing = false;

  // The port that it listens on, or 0 on failure. `port` 0 stands for any free one.
  virtual int listen(const std::string& host, int port) = 0;
  virtual void stop_listening() = 0;
  // New connections get this certificate. Null, or why it is not accepted; then the previous one stays.
  virtual const char* replace_certificate(const Certificate& certificate) = 0;
  // Closes what listens and all connections, with calls of the handlers. True when the library has none left, so that the server can be freed.
  virtual bool close() = 0;

  // False if more than max_unsent_bytes wait already.
  virtual bool send(void* socket, std::string_view text) = 0;
  virtual void publish(void* socket, std::string_view topic, std::string_view bytes) = 0;
  virtual void subscribe(void* socket, std::string_view topic) = 0;
  virtual void unsubscribe(void* socket, std::string_view topic) = 0;
  // Both call the handler `close` before they return.
  virtual void end_socket(void* socket, int code, std::string_view reason) = 0;
  virtual void cut(void* socket) = 0;
};

// Null if the certificate is not accepted, with the reason in `failure`. Takes over the references in the options, whatever comes back.
std::unique_ptr<Server> make_server(Environment& environment, ServerOptions options, const char** failure);

}  // namespace hotmic::sockets
