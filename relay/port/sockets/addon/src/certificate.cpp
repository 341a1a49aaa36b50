// OpenSSL's contexts, with functions that Node 20 to 26 export.

#include "certificate.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstring>
#include <memory>

namespace hotmic::sockets {

namespace {

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeX509 {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;
using CertificatePointer = std::unique_ptr<X509, FreeX509>;
using KeyPointer = std::unique_ptr<EVP_PKEY, FreeKey>;

Bio read_from(const std::string& text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

// OpenSSL asks for the passphrase of a key. Without one it gets an empty one, and never asks at a terminal.
int give_passphrase(char* buffer, int size, int, void* data) {
  const auto& passphrase = *static_cast<const std::string*>(data);
  if (passphrase.size() > static_cast<size_t>(size)) return -1;
  std::memcpy(buffer, passphrase.data(), passphrase.size());
  return static_cast<int>(passphrase.size());
}

// Node looks at the same queue of errors, and must not find ours.
struct ClearErrors {
  ~ClearErrors() { ERR_clear_error(); }
};

void wipe(std::string& text) { OPENSSL_cleanse(text.data(), text.size()); }

}  // namespace

Certificate::~Certificate() {
  wipe(key);
  wipe(passphrase);
}

const char* apply(const Certificate& certificate, SSL_CTX* context) {
  const ClearErrors clear;
  std::string none;
  const Bio chain = read_from(certificate.chain);
  const CertificatePointer leaf(PEM_read_bio_X509_AUX(chain.get(), nullptr, give_passphrase, &none));
  if (!leaf || SSL_CTX_use_certificate(context, leaf.get()) != 1) return "OpenSSL does not accept the certificate";
  while (X509* issuer = PEM_read_bio_X509(chain.get(), nullptr, give_passphrase, &none)) {
    // Taken over by the context.
    if (SSL_CTX_add0_chain_cert(context, issuer) == 1) continue;
    X509_free(issuer);
    return "OpenSSL does not accept an issuer's certificate";
  }
  const Bio key_text = read_from(certificate.key);
  auto* passphrase = const_cast<std::string*>(&certificate.passphrase);
  const KeyPointer key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, give_passphrase, passphrase));
  if (!key || SSL_CTX_use_PrivateKey(context, key.get()) != 1) return "OpenSSL does not accept the key";
  if (SSL_CTX_check_private_key(context) != 1) return "the key does not belong to the certificate";
  if (SSL_CTX_set_cipher_list(context, certificate.ciphers.c_str()) != 1) return "there is no such cipher suite";
  if (SSL_CTX_set1_groups_list(context, certificate.groups.c_str()) != 1) return "there is no such group";
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
  // Sessions are in tickets, which clients keep.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  const auto* identity = reinterpret_cast<const unsigned char*>(certificate.identity.data());
  if (SSL_CTX_set_session_id_context(context, identity, static_cast<unsigned>(certificate.identity.size())) != 1) {
    return "its identity is longer than 32 bytes";
  }
  return nullptr;
}

SSL_CTX* make_context(const Certificate& certificate, const char** failure) {
  SSL_CTX* context = SSL_CTX_new(TLS_method());
  if (context == nullptr) {
    *failure = "OpenSSL has no memory";
    return nullptr;
  }
  // As the library's own: create_ssl_context_from_options in library/uSockets/src/crypto/openssl.c.
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_mode(context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  *failure = apply(certificate, context);
  if (*failure == nullptr) return context;
  SSL_CTX_free(context);
  return nullptr;
}

}  // namespace hotmic::sockets
