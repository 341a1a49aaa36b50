// The functions that JavaScript calls: thin, and without a C++ exception that crosses them. Their types are in addon/binding.ts.
//
// Sockets belong to the event loop of the main thread: the library's handles in a loop of a worker thread would keep it from ending.

#include <node_api.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <App.h>

#include <memory>
#include <string>

#include "arguments.hpp"
#include "environment.hpp"

namespace hotmic::sockets {

namespace {

constexpr uint32_t kMaxMessageBytes = 16 * 1024 * 1024;
constexpr uint32_t kMaxUnsentBytes = 1024 * 1024 * 1024;
// What the library allows.
constexpr uint32_t kMinIdleS = 8;
constexpr uint32_t kMaxIdleS = 960;

// A call of ours, with at most `N` arguments; those that are missing are undefined.
template <size_t N>
struct Call {
  Call(napi_env env, napi_callback_info info) : env(env) {
    size_t count = N;
    void* data = nullptr;
    napi_get_cb_info(env, info, &count, arguments, nullptr, &data);
    environment = static_cast<Environment*>(data);
  }

  // The socket of the first argument; null if it is closed, or no socket.
  const Slot* socket() const {
    uint32_t id = 0;
    return napi_get_value_uint32(env, arguments[0], &id) == napi_ok ? environment->socket(id) : nullptr;
  }

  // The server of the first argument; null, with a TypeError, for anything else.
  Server* server() const {
    uint32_t id = 0;
    Server* found = napi_get_value_uint32(env, arguments[0], &id) == napi_ok ? environment->server(id) : nullptr;
    if (found != nullptr && !found->is_closing) return found;
    refuse(env, "expected the number of an open server");
    return nullptr;
  }

  napi_env env;
  Environment* environment = nullptr;
  napi_value arguments[N];
};

napi_value boolean(napi_env env, bool value) {
  napi_value made = nullptr;
  napi_get_boolean(env, value, &made);
  return made;
}

napi_value number(napi_env env, uint32_t value) {
  napi_value made = nullptr;
  napi_create_uint32(env, value, &made);
  return made;
}

// For what is called often. Used only for open sockets, which are the main thread's, and never while JavaScript runs.
TextBuffer topic_buffer;
TextBuffer message_buffer;

bool read_certificate(napi_env env, napi_value value, Certificate& into) {
  Properties given(env, value);
  into.chain = given.text("chain");
  into.key = given.text("key");
  into.passphrase = given.text("passphrase");
  into.ciphers = given.text("ciphers");
  into.groups = given.text("groups");
  into.identity = given.text("identity");
  return given.ok();
}

// `open(options)`: the number of a server, which does not listen yet. Throws a TypeError for wrong options, an Error for a certificate.
napi_value open(napi_env env, napi_callback_info info) {
  const Call<1> call(env, info);
  if (syscall(SYS_gettid) != getpid()) {
    refuse(env, "expected the main thread");
    return nullptr;
  }
  Properties given(env, call.arguments[0]);
  ServerOptions options;
  options.path = given.text("path");
  options.max_message_bytes = given.number("maxMessageBytes", 1, kMaxMessageBytes);
  options.max_unsent_bytes = given.number("maxUnsentBytes", 1, kMaxUnsentBytes);
  options.idle_timeout_s = static_cast<uint16_t>(given.number("idleTimeoutS", kMinIdleS, kMaxIdleS));
  options.healthy = given.answer("healthy");
  options.not_found = given.answer("notFound");
  if (given.ok() && !given.is_null("certificate")) {
    options.certificate = std::make_unique<Certificate>();
    if (!read_certificate(env, given.get("certificate"), *options.certificate)) return nullptr;
  }
  if (!given.ok()) return nullptr;
  Properties functions(env, given.get("handlers"));
  Handlers& handlers = options.handlers;
  handlers.admit = functions.function("admit");
  handlers.release = functions.function("release");
  handlers.upgrade = functions.function("upgrade");
  handlers.open = functions.function("open");
  handlers.message = functions.function("message");
  handlers.heartbeat = functions.function("heartbeat");
  handlers.dropped = functions.function("dropped");
  handlers.close = functions.function("close");
  if (functions.ok() && !functions.is_null("page")) handlers.page = functions.function("page");
  uv_loop_s* loop = nullptr;
  const char* failure = "there is no event loop";
  std::unique_ptr<Server> server;
  if (functions.ok() && napi_get_uv_event_loop(env, &loop) == napi_ok) {
    uWS::Loop::get(loop);
    server = make_server(*call.environment, std::move(options), &failure);
  }
  if (server) return number(env, call.environment->add_server(std::move(server)));
  if (functions.ok()) napi_throw_error(env, "ERR_HOTMIC_ADDON", failure);
  return nullptr;
}

// `listen(server, host, port)`: the port, or 0.
napi_value listen(napi_env env, napi_callback_info info) {
  const Call<3> call(env, info);
  Server* server = call.server();
  std::string host;
  uint32_t port = 0;
  if (server == nullptr) return nullptr;
  if (!read_text(env, call.arguments[1], host) || napi_get_value_uint32(env, call.arguments[2], &port) != napi_ok || port > 0xffff) {
    refuse(env, "expected a host and a port");
    return nullptr;
  }
  return number(env, static_cast<uint32_t>(server->listen(host, static_cast<int>(port))));
}

// `stopListening(server)`
napi_value stop_listening(napi_env env, napi_callback_info info) {
  const Call<1> call(env, info);
  if (Server* server = call.server()) server->stop_listening();
  return nullptr;
}

// `replaceCertificate(server, certificate)`. Throws an Error if it is not accepted.
napi_value replace_certificate(napi_env env, napi_callback_info info) {
  const Call<2> call(env, info);
  Certificate certificate;
  Server* server = call.server();
  if (server == nullptr || !read_certificate(env, call.arguments[1], certificate)) return nullptr;
  const char* failure = server->replace_certificate(certificate);
  if (failure != nullptr) napi_throw_error(env, "ERR_HOTMIC_ADDON", failure);
  return nullptr;
}

// `close(server)`: nothing for one that is closed already.
napi_value close(napi_env env, napi_callback_info info) {
  const Call<1> call(env, info);
  const Environment::Entered entered(*call.environment);
  uint32_t id = 0;
  if (napi_get_value_uint32(env, call.arguments[0], &id) == napi_ok) call.environment->close_server(id);
  return nullptr;
}

// `send(socket, text)`: false if it was dropped.
napi_value send(napi_env env, napi_callback_info info) {
  const Call<2> call(env, info);
  const Slot* slot = call.socket();
  if (slot == nullptr) return boolean(env, true);
  std::string_view text;
  if (!message_buffer.read(env, call.arguments[1], text)) {
    refuse(env, "expected a text");
    return nullptr;
  }
  return boolean(env, slot->server->send(slot->socket, text));
}

// `publish(socket, topic, bytes)`
napi_value publish(napi_env env, napi_callback_info info) {
  const Call<3> call(env, info);
  const Slot* slot = call.socket();
  if (slot == nullptr) return nullptr;
  std::string_view topic;
  std::string_view bytes;
  if (!topic_buffer.read(env, call.arguments[1], topic) || !read_bytes(env, call.arguments[2], bytes)) {
    refuse(env, "expected a topic and a Uint8Array");
    return nullptr;
  }
  slot->server->publish(slot->socket, topic, bytes);
  return nullptr;
}

// `subscribe(socket, topic)` and `unsubscribe(socket, topic)`
template <void (Server::*Change)(void*, std::string_view)>
napi_value change_topic(napi_env env, napi_callback_info info) {
  const Call<2> call(env, info);
  const Slot* slot = call.socket();
  if (slot == nullptr) return nullptr;
  std::string_view topic;
  if (!topic_buffer.read(env, call.arguments[1], topic)) {
    refuse(env, "expected a topic");
    return nullptr;
  }
  (slot->server->*Change)(slot->socket, topic);
  return nullptr;
}

// `end(socket, code, reason)`
napi_value end(napi_env env, napi_callback_info info) {
  const Call<3> call(env, info);
  const Slot* slot = call.socket();
  if (slot == nullptr) return nullptr;
  uint32_t code = 0;
  std::string reason;
  if (napi_get_value_uint32(env, call.arguments[1], &code) != napi_ok || code > 0xffff || !read_text(env, call.arguments[2], reason)) {
    refuse(env, "expected a code and a reason");
    return nullptr;
  }
  const Environment::Entered entered(*call.environment);
  slot->server->end_socket(slot->socket, static_cast<int>(code), reason);
  return nullptr;
}

// `cut(socket)`
napi_value cut(napi_env env, napi_callback_info info) {
  const Call<1> call(env, info);
  const Environment::Entered entered(*call.environment);
  if (const Slot* slot = call.socket()) slot->server->cut(slot->socket);
  return nullptr;
}

napi_value start(napi_env env, napi_value exports) {
  // Never freed if it had a server: the library's handles stay in the event loop until the process ends, and may call it.
  auto* environment = new Environment(env);
  const auto end_environment = [](void* data) {
    auto* ending = static_cast<Environment*>(data);
    if (ending->end()) delete ending;
  };
  napi_add_env_cleanup_hook(env, end_environment, environment);
  const auto method = [environment](const char* name, napi_callback function) {
    return napi_property_descriptor{name, nullptr, function, nullptr, nullptr, nullptr, napi_enumerable, environment};
  };
  const napi_property_descriptor methods[] = {
      method("open", open),
      method("listen", listen),
      method("stopListening", stop_listening),
      method("replaceCertificate", replace_certificate),
      method("close", close),
      method("send", send),
      method("publish", publish),
      method("subscribe", change_topic<&Server::subscribe>),
      method("unsubscribe", change_topic<&Server::unsubscribe>),
      method("end", end),
      method("cut", cut),
  };
  napi_define_properties(env, exports, std::size(methods), methods);
  return exports;
}

}  // namespace

}  // namespace hotmic::sockets

NAPI_MODULE_INIT() { return hotmic::sockets::start(env, exports); }
