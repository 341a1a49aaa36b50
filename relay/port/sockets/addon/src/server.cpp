// Makes servers of both kinds. The only file that compiles the library's templates.

#include "server_of.hpp"

namespace hotmic::sockets {

std::unique_ptr<Server> make_server(Environment& environment, ServerOptions options, const char** failure) {
  *failure = nullptr;
  if (!options.certificate) {
    return std::make_unique<ServerOf<false>>(environment, std::move(options), std::make_unique<uWS::App>());
  }
  const std::unique_ptr<Certificate> certificate = std::move(options.certificate);
  uWS::SocketContextOptions context_options;
  // Then a silent connection, as most are, has no buffers.
  context_options.ssl_prefer_low_memory_usage = 1;
  auto app = std::make_unique<uWS::SSLApp>(context_options);
  if (app->constructorFailed()) {
    *failure = "OpenSSL has no memory";
    return nullptr;
  }
  *failure = apply(*certificate, static_cast<SSL_CTX*>(app->getNativeHandle()));
  if (*failure != nullptr) return nullptr;
  return std::make_unique<ServerOf<true>>(environment, std::move(options), std::move(app));
}

}  // namespace hotmic::sockets
