// A certificate with its key, and the OpenSSL context that shows it. OpenSSL is Node's own.

#pragma once

#include <openssl/ssl.h>

#include <string>

namespace hotmic::sockets {

// What JavaScript has read and checked. The key and the passphrase are wiped when it is destroyed.
struct Certificate {
  Certificate() = default;
  ~Certificate();
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;

  // PEM: the certificate, followed by those of its issuers.
  std::string chain;
  // PEM, encrypted if there is a passphrase.
  std::string key;
  std::string passphrase;
  // Suites of TLS 1.2, and groups, in OpenSSL's form.
  std::string ciphers;
  std::string groups;
  // A session can be resumed only under the certificate under which it began: at most 32 bytes that tell certificates apart.
  std::string identity;
};

// Sets up a context that has nothing yet. Null, or what is not accepted.
const char* apply(const Certificate& certificate, SSL_CTX* context);

// A context of its own, as the library sets up those of its apps. Null on failure, with the reason in `failure`.
SSL_CTX* make_context(const Certificate& certificate, const char** failure);

}  // namespace hotmic::sockets
