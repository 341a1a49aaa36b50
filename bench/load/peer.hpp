/**
 * Where the load generator connects to: the relay's address and URL, and whether with TLS.
 *
 * With HOTMIC_TLS it supports TLS through OpenSSL. The certificate is checked if the options name the relay (`verify`), but not that of a
 * benchmark on this machine.
 */

#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <string>

#ifdef HOTMIC_TLS
#include <openssl/ssl.h>
#endif

#include "options.hpp"
#include "random.hpp"

namespace hotmic {

struct Peer {
  sockaddr_storage address{};
  socklen_t address_bytes = 0;
  /** As in a Host header. */
  std::string host;
  std::string path;
  /** The name in the certificate, if that is checked; otherwise empty. */
  std::string verify;
  /** An SSL_CTX, or null for plain TCP. */
  void* tls = nullptr;
};

inline void* make_tls(bool verifies) {
#ifdef HOTMIC_TLS
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_verify(context, verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (verifies) SSL_CTX_set_default_verify_paths(context);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  // One read from the kernel for a record's header and body.
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return context;
#else
  (void)verifies;
  give_up("built without TLS");
#endif
}

/** `address` and `port`, and for a relay elsewhere `host`, `path` and `verify`. */
inline Peer read_peer(const Options& options) {
  Peer peer;
  const std::string address = options.text("address", "127.0.0.1");
  const auto port = htons(static_cast<uint16_t>(options.number("port")));
  auto* v4 = reinterpret_cast<sockaddr_in*>(&peer.address);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&peer.address);
  if (inet_pton(AF_INET, address.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = port;
    peer.address_bytes = sizeof *v4;
  } else if (inet_pton(AF_INET6, address.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = port;
    peer.address_bytes = sizeof *v6;
  } else {
    give_up("the address is " + address + ", expected an IP address");
  }
  peer.host = options.text("host", address + ":" + options.text("port"));
  peer.path = options.text("path", "/");
  peer.verify = options.text("verify", "");
  if (options.number("tls") != 0) peer.tls = make_tls(!peer.verify.empty());
  return peer;
}

}  // namespace hotmic
