// A server over the library, plain or with TLS.
//
// A TCP connection is in `connections_` from when it is admitted until it is released: when it closes, when its HTTP answer is sent, or when
// it becomes a WebSocket. After an answer of the page it stays open for the next request, up to kMaxAnswers of them. The library's HTTP sockets have no room for our data, so they are found by their pointers, which stay the same
// until then.
//
// JavaScript runs in the handlers, and may close anything, also what is being handled. The library then keeps the closed socket's memory until
// the end of the turn. While the library sends what was published, no JavaScript runs: it must not change the subscriptions then. So what is
// dropped is only counted, and reported in the next turn.

#pragma once

#include <App.h>

#include <unordered_map>
#include <utility>

#include "arguments.hpp"
#include "environment.hpp"
#include "server.hpp"

namespace hotmic::sockets {

template <bool SSL>
class ServerOf final : public Server {
  // What the library keeps with each WebSocket.
  struct SocketData {
    uint32_t id;
  };
  using App = uWS::TemplatedApp<SSL>;
  using Response = uWS::HttpResponse<SSL>;
  using Socket = uWS::WebSocket<SSL, true, SocketData>;

 public:
  // `app` was constructed successfully.
  ServerOf(Environment& environment, ServerOptions options, std::unique_ptr<App> app)
      : environment_(environment), options_(std::move(options)), app_(std::move(app)) {
    app_->filter([this](Response* response, int change) {
      if (change == 1) accepted(response);
      if (change == -1) closed(response);
    });
    add_route(options_.path);
    if (options_.path != "/") add_route(options_.path + "/");
    app_->get("/healthz", [this](Response* response, auto*) { answer_later(response, options_.healthy); });
    if (options_.handlers.page != nullptr) {
      app_->get("/*", [this](Response* response, uWS::HttpRequest* request) { serve(response, request); });
    }
    app_->any("/*", [this](Response* response, auto*) { answer_later(response, options_.not_found); });
  }

  ~ServerOf() override {
    app_.reset();
    if (newest_ != nullptr) SSL_CTX_free(newest_);
    const Handlers& all = options_.handlers;
    for (napi_ref reference :
         {all.admit, all.release, all.upgrade, all.open, all.message, all.heartbeat, all.dropped, all.close, all.page, buffer_}) {
      if (reference != nullptr) napi_delete_reference(environment_.env(), reference);
    }
  }

  int listen(const std::string& host, int port) override {
    // Otherwise the library would share the port, and a second relay on it would silently get half of the connections.
    app_->listen(host, port, LIBUS_LISTEN_EXCLUSIVE_PORT, [this](us_listen_socket_t* socket) { listening_ = socket; });
    return listening_ == nullptr ? 0 : us_socket_local_port(SSL, reinterpret_cast<us_socket_t*>(listening_));
  }

  void stop_listening() override {
    if (listening_ != nullptr) us_listen_socket_close(SSL, listening_);
    listening_ = nullptr;
  }

  const char* replace_certificate(const Certificate& certificate) override {
    const char* failure = nullptr;
    SSL_CTX* context = make_context(certificate, &failure);
    if (context == nullptr) return failure;
    // Connections that have the previous one keep it.
    if (newest_ != nullptr) SSL_CTX_free(newest_);
    newest_ = context;
    return nullptr;
  }

  bool close() override {
    stop_listening();
    // A handler that closes another connection makes the library lose its place in the list.
    uint64_t closed_before = 0;
    do {
      closed_before = closed_;
      app_->close();
    } while (closed_ != closed_before);
    return http_sockets_ == 0;
  }

  bool send(void* socket, std::string_view text) override {
    return of(socket)->send(text, uWS::OpCode::TEXT) != Socket::SendStatus::DROPPED;
  }

  void publish(void* socket, std::string_view topic, std::string_view bytes) override {
    // A socket that is not subscribed cannot publish; nor would it hear itself.
    if (of(socket)->isSubscribed(topic)) {
      of(socket)->publish(topic, bytes, uWS::OpCode::BINARY);
    } else {
      app_->publish(topic, bytes, uWS::OpCode::BINARY);
    }
  }

  void subscribe(void* socket, std::string_view topic) override { of(socket)->subscribe(topic); }
  void unsubscribe(void* socket, std::string_view topic) override { of(socket)->unsubscribe(topic); }
  void end_socket(void* socket, int code, std::string_view reason) override { of(socket)->end(code, reason); }
  void cut(void* socket) override { of(socket)->close(); }

 private:
  struct Connection {
    std::string peer;
    // Set while it waits to be sent.
    std::unique_ptr<HttpAnswer> answer;
    // The page's newest, until the next one: it may be half sent.
    std::unique_ptr<PageAnswer> page;
    bool is_begun = false;
    // Of the page.
    uint32_t answers = 0;
  };

  // A page and its parts are fewer. The last one closes the connection.
  static constexpr uint32_t kMaxAnswers = 16;

  static Socket* of(void* socket) { return static_cast<Socket*>(socket); }
  static uint32_t id_of(Socket* socket) { return socket->getUserData()->id; }

  void add_route(const std::string& path) {
    typename App::template WebSocketBehavior<SocketData> behavior;
    behavior.maxPayloadLength = options_.max_message_bytes;
    behavior.maxBackpressure = options_.max_unsent_bytes;
    behavior.idleTimeout = options_.idle_timeout_s;
    behavior.upgrade = [this](Response* response, uWS::HttpRequest* request, us_socket_context_t* context) {
      upgrade(response, request, context);
    };
    behavior.open = [this](Socket* socket) {
      socket->getUserData()->id = environment_.add_socket(this, socket);
      call_with_id(options_.handlers.open, socket);
    };
    behavior.message = [this](Socket* socket, std::string_view message, uWS::OpCode code) {
      received(socket, message, code == uWS::OpCode::TEXT);
    };
    behavior.dropped = [this](Socket*, std::string_view, uWS::OpCode code) {
      // For a text, `send` returns it.
      if (code == uWS::OpCode::BINARY) count_dropped();
    };
    const auto heartbeat = [this](Socket* socket, std::string_view) { call_with_id(options_.handlers.heartbeat, socket); };
    behavior.ping = heartbeat;
    behavior.pong = heartbeat;
    behavior.close = [this](Socket* socket, int, std::string_view) {
      closed_ += 1;
      const uint32_t id = id_of(socket);
      call_with_id(options_.handlers.close, socket);
      environment_.remove_socket(id);
    };
    app_->template ws<SocketData>(path, std::move(behavior));
  }

  void accepted(Response* response) {
    http_sockets_ += 1;
    if constexpr (SSL) {
      auto* ssl = static_cast<::SSL*>(response->getNativeHandle());
      if (newest_ != nullptr) SSL_set_SSL_CTX(ssl, newest_);
    }
    const std::string peer(response->getRemoteAddressAsText());
    const HandleScope scope(environment_.env());
    const napi_value arguments[] = {text(peer)};
    napi_value answer = nullptr;
    bool is_admitted = false;
    if (!environment_.call(options_.handlers.admit, 1, arguments, &answer) ||
        napi_get_value_bool(environment_.env(), answer, &is_admitted) != napi_ok || !is_admitted) {
      response->close();
      return;
    }
    if (us_socket_is_closed(SSL, reinterpret_cast<us_socket_t*>(response))) {
      // The handler has closed the server.
      release(peer);
      return;
    }
    connections_[response].peer = peer;
  }

  void closed(Response* response) {
    closed_ += 1;
    http_sockets_ -= 1;
    const auto found = connections_.find(response);
    if (found == connections_.end()) return;
    const std::string peer = std::move(found->second.peer);
    connections_.erase(found);
    release(peer);
  }

  void release(const std::string& peer) {
    const HandleScope scope(environment_.env());
    const napi_value arguments[] = {text(peer)};
    environment_.call(options_.handlers.release, 1, arguments);
  }

  void upgrade(Response* response, uWS::HttpRequest* request, us_socket_context_t* context) {
    const auto found = connections_.find(response);
    if (found == connections_.end()) {
      response->close();
      return;
    }
    napi_env env = environment_.env();
    const HandleScope scope(env);
    napi_value headers = nullptr;
    napi_create_array(env, &headers);
    uint32_t count = 0;
    for (const auto [name, value] : *request) {
      napi_set_element(env, headers, count++, text(name));
      napi_set_element(env, headers, count++, text(value));
    }
    const napi_value arguments[] = {text(found->second.peer), text(response->getProxiedRemoteAddressAsText()), headers};
    napi_value verdict = nullptr;
    const bool is_judged = environment_.call(options_.handlers.upgrade, 3, arguments, &verdict);
    if (us_socket_is_closed(SSL, reinterpret_cast<us_socket_t*>(response))) return;
    if (!is_judged) {
      response->close();
      return;
    }
    HttpAnswer refusal;
    if (read_answer(env, verdict, refusal)) {
      answer_later(response, refusal);
      return;
    }
    connections_.erase(response);
    http_sockets_ -= 1;
    response->template upgrade<SocketData>(SocketData{0}, request->getHeader("sec-websocket-key"), {}, {}, context);
  }

  void received(Socket* socket, std::string_view message, bool is_text) {
    napi_env env = environment_.env();
    const HandleScope scope(env);
    napi_value arguments[4] = {number(id_of(socket)), nullptr, number(static_cast<uint32_t>(message.size())), nullptr};
    if (!lend(message, arguments[1]) || napi_get_boolean(env, is_text, &arguments[3]) != napi_ok) return;
    environment_.call(options_.handlers.message, 4, arguments);
  }

  // Copies the message into the buffer that all messages are lent in. A new one is made if JavaScript has transferred it elsewhere.
  bool lend(std::string_view message, napi_value& buffer) {
    napi_env env = environment_.env();
    void* data = nullptr;
    size_t length = 0;
    if (buffer_ == nullptr || napi_get_reference_value(env, buffer_, &buffer) != napi_ok ||
        napi_get_arraybuffer_info(env, buffer, &data, &length) != napi_ok || length < message.size()) {
      if (buffer_ != nullptr) napi_delete_reference(env, buffer_);
      buffer_ = nullptr;
      if (napi_create_arraybuffer(env, options_.max_message_bytes, &data, &buffer) != napi_ok ||
          napi_create_reference(env, buffer, 1, &buffer_) != napi_ok) {
        return false;
      }
    }
    if (!message.empty()) std::memcpy(data, message.data(), message.size());
    return true;
  }

  void count_dropped() {
    dropped_ += 1;
    if (dropped_ == 1) later(&ServerOf::report_dropped);
  }

  void report_dropped() {
    const HandleScope scope(environment_.env());
    const napi_value arguments[] = {number(dropped_)};
    dropped_ = 0;
    environment_.call(options_.handlers.dropped, 1, arguments);
  }

  // In a later turn of the event loop, if this server is still there.
  void later(void (ServerOf::*work)()) {
    app_->getLoop()->defer([&environment = environment_, server = this, id = id, work] {
      if (environment.server(id) == server) (server->*work)();
    });
  }

  // A GET of anything else: an answer of the page, or that there is nothing.
  void serve(Response* response, uWS::HttpRequest* request) {
    napi_env env = environment_.env();
    std::unique_ptr<PageAnswer> page;
    {
      const HandleScope scope(env);
      const napi_value arguments[] = {text(request->getUrl()), text(request->getHeader("accept-encoding")),
                                      text(request->getHeader("if-none-match"))};
      napi_value answer = nullptr;
      if (environment_.call(options_.handlers.page, 3, arguments, &answer)) page = read_page(env, answer);
    }
    if (us_socket_is_closed(SSL, reinterpret_cast<us_socket_t*>(response))) return;
    if (!page) {
      answer_later(response, options_.not_found);
    } else if (Connection* connection = wait_for_turn(response)) {
      connection->page = std::move(page);
      connection->is_begun = false;
    }
  }

  // The library tells when the kernel takes more of it: nothing of it waits in our memory.
  void begin_page(Response* response, Connection& connection) {
    const PageAnswer& page = *connection.page;
    connection.is_begun = true;
    connection.answers += 1;
    const bool is_last = connection.answers >= kMaxAnswers;
    response->onWritable([response, &page, is_last](uintmax_t offset) {
      return response->tryEnd(page.body().substr(offset), page.body().size(), is_last).first;
    });
    response->cork([response, &page, is_last] {
      response->writeStatus(page.head.status);
      for (const auto& [name, value] : page.head.headers) response->writeHeader(name, value);
      response->tryEnd(page.body(), page.body().size(), is_last);
    });
  }

  // Within the turn the library would go on reading, and serve what else came in the same chunk. While an answer is pending it closes a connection
  // that sends another request.
  void answer_later(Response* response, const HttpAnswer& answer) {
    if (Connection* connection = wait_for_turn(response)) connection->answer = std::make_unique<HttpAnswer>(answer);
  }

  // Has `answer_all` answer it. Null for a connection that is not counted, which is closed.
  Connection* wait_for_turn(Response* response) {
    response->onAborted([] {});
    const auto found = connections_.find(response);
    if (found == connections_.end()) {
      response->close();
      return nullptr;
    }
    answering_.push_back(response);
    if (answering_.size() == 1) later(&ServerOf::answer_all);
    return &found->second;
  }

  void answer_all() {
    const std::vector<Response*> responses = std::move(answering_);
    answering_.clear();
    for (Response* response : responses) {
      auto found = connections_.find(response);
      if (found == connections_.end()) continue;
      if (found->second.page && !found->second.is_begun) begin_page(response, found->second);
      if (!found->second.answer) continue;
      const std::unique_ptr<HttpAnswer> answer = std::move(found->second.answer);
      response->cork([response, &answer] {
        response->writeStatus(answer->status);
        for (const auto& [name, value] : answer->headers) response->writeHeader(name, value);
        response->end(answer->body, true);
      });
      // The library has closed it already, unless a part of the answer waits.
      found = connections_.find(response);
      if (found == connections_.end()) continue;
      const std::string peer = std::move(found->second.peer);
      connections_.erase(found);
      release(peer);
    }
  }

  void call_with_id(napi_ref handler, Socket* socket) {
    const HandleScope scope(environment_.env());
    const napi_value arguments[] = {number(id_of(socket))};
    environment_.call(handler, 1, arguments);
  }

  napi_value number(uint32_t value) const {
    napi_value made = nullptr;
    napi_create_uint32(environment_.env(), value, &made);
    return made;
  }

  napi_value text(std::string_view value) const {
    napi_value made = nullptr;
    // Headers may have any bytes.
    napi_create_string_utf8(environment_.env(), value.data() == nullptr ? "" : value.data(), value.size(), &made);
    return made;
  }

  Environment& environment_;
  const ServerOptions options_;
  std::unique_ptr<App> app_;
  us_listen_socket_t* listening_ = nullptr;
  // For new connections; null while that is the app's own.
  SSL_CTX* newest_ = nullptr;
  std::unordered_map<Response*, Connection> connections_;
  std::vector<Response*> answering_;
  // Open in the library and not WebSockets, counted or not.
  size_t http_sockets_ = 0;
  // Connections that were reported as closed, to see progress.
  uint64_t closed_ = 0;
  uint32_t dropped_ = 0;
  napi_ref buffer_ = nullptr;
};

}  // namespace hotmic::sockets
