/**
 * The load generator's WebSocket client (RFC 6455), non-blocking, over TCP or TLS, with only what it needs to talk to a relay. It offers
 * no extension and does not check Sec-WebSocket-Accept, because it measures the relay's cost, not its handshake. It can stop reading, or read
 * a few bytes at a time, as a machine or network does that stalls or is slow.
 */

#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "peer.hpp"
#include "random.hpp"

namespace hotmic {

namespace opcode {
constexpr uint8_t text = 1, binary = 2, close = 8, ping = 9, pong = 10;
}

/** The longest header of a client's frame: two bytes, a length of two, and the mask. */
constexpr size_t kFrameHeadBytes = 8;
/** The longest message sent: a hello or a voice frame. */
constexpr size_t kMaxSentBytes = 16 * 1024;
/** More than any message of a relay. */
constexpr size_t kMaxReceivedBytes = 1024 * 1024;

enum class Stage { connecting, securing, upgrading, open, closed };

class Socket {
 public:
  /** The receiver of messages. `data` is valid during the call. */
  struct Events {
    virtual void opened(uint32_t index) = 0;
    virtual void message(uint32_t index, uint8_t op, const uint8_t* data, size_t bytes) = 0;
    /** At most once. */
    virtual void closed(uint32_t index, const std::string& why) = 0;
    virtual ~Events() = default;
  };

  Socket(uint32_t index, int epoll, Events* events) : index_(index), epoll_(epoll), events_(events) {}

  Stage stage() const { return stage_; }
  /** The number of sends so far that found the socket's buffer full. */
  uint64_t blocked() const { return blocked_; }

  /** Starts to connect, for the first time or after it was closed. `to` stays valid. */
  void connect(const Peer& to) {
    peer_ = &to;
    stage_ = Stage::connecting;
    rest_.clear();
    unsent_.clear();
    is_paused_ = false;
    wants_out_ = true;
    fd_ = ::socket(to.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) give_up(std::string("cannot open a socket: ") + std::strerror(errno));
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to.address), to.address_bytes) != 0 && errno != EINPROGRESS)
      give_up(std::string("cannot connect: ") + std::strerror(errno));
#ifdef HOTMIC_TLS
    if (to.tls != nullptr) {
      ssl_ = SSL_new(static_cast<SSL_CTX*>(to.tls));
      SSL_set_fd(ssl_, fd_);
      SSL_set_connect_state(ssl_);
      const char* name = to.verify.c_str();
      const bool is_address = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_), name) == 1;
      if (!to.verify.empty() && !is_address) {
        SSL_set_tlsext_host_name(ssl_, name);
        SSL_set1_host(ssl_, name);
      }
    }
#endif
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT;
    event.data.u32 = index_;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd_, &event);
  }

  /** Handles an event of epoll. `scratch` is shared by all sockets and only used during the call. */
  void ready(uint32_t events, uint8_t* scratch, size_t scratch_bytes) {
    if (stage_ == Stage::connecting && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
      int error = 0;
      socklen_t length = sizeof error;
      getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &length);
      if (error != 0) return close(std::string("cannot connect: ") + std::strerror(error));
      stage_ = secured() ? Stage::securing : Stage::upgrading;
      if (stage_ == Stage::upgrading) upgrade();
    }
    if (stage_ == Stage::securing) {
      secure();
      if (stage_ != Stage::upgrading) return;
      upgrade();
    }
    if ((events & EPOLLOUT) != 0 && stage_ != Stage::closed) flush();
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && stage_ != Stage::closed) receive(scratch, scratch_bytes);
  }

  /** Stops reading, so that the kernels' buffers fill, or goes on. */
  void pause(bool is_paused) {
    if (stage_ != Stage::open || is_paused_ == is_paused) return;
    is_paused_ = is_paused;
    watch();
  }

  /** Reads at most this many bytes of a paused connection. */
  void read_some(uint8_t* scratch, size_t bytes) {
    if (stage_ == Stage::open) receive(scratch, bytes, Reading::once);
  }

  /** Sends one message, masked as a client must. `data` is not changed. */
  void send(uint8_t op, const uint8_t* data, size_t bytes, uint32_t mask) {
    static uint8_t frame[kFrameHeadBytes + kMaxSentBytes];
    if (bytes > kMaxSentBytes) give_up("a message is too long to be sent");
    if (stage_ != Stage::open) return;
    size_t at = 0;
    frame[at++] = 0x80 | op;
    if (bytes < 126) {
      frame[at++] = 0x80 | static_cast<uint8_t>(bytes);
    } else {
      frame[at++] = 0x80 | 126;
      frame[at++] = static_cast<uint8_t>(bytes >> 8);
      frame[at++] = static_cast<uint8_t>(bytes);
    }
    std::memcpy(frame + at, &mask, 4);
    at += 4;
    const uint64_t wide = static_cast<uint64_t>(mask) << 32 | mask;
    size_t done = 0;
    for (; done + 8 <= bytes; done += 8) {
      uint64_t word;
      std::memcpy(&word, data + done, 8);
      word ^= wide;
      std::memcpy(frame + at + done, &word, 8);
    }
    for (; done < bytes; ++done) frame[at + done] = data[done] ^ reinterpret_cast<const uint8_t*>(&mask)[done & 3];
    write(frame, at + bytes);
  }

  void close(const std::string& why) {
    if (stage_ == Stage::closed) return;
    stage_ = Stage::closed;
#ifdef HOTMIC_TLS
    if (ssl_ != nullptr) SSL_free(ssl_);
    ssl_ = nullptr;
#endif
    ::close(fd_);
    events_->closed(index_, why);
  }

 private:
  bool secured() const {
#ifdef HOTMIC_TLS
    return ssl_ != nullptr;
#else
    return false;
#endif
  }

  void secure() {
#ifdef HOTMIC_TLS
    const int done = SSL_do_handshake(ssl_);
    if (done == 1) {
      stage_ = Stage::upgrading;
      return;
    }
    const int error = SSL_get_error(ssl_, done);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
      wants_out_ = error == SSL_ERROR_WANT_WRITE;
      return watch();
    }
    const long verdict = SSL_get_verify_result(ssl_);
    close(verdict == X509_V_OK ? "the TLS handshake failed"
                               : std::string("the certificate is not trusted: ") + X509_verify_cert_error_string(verdict));
#endif
  }

  void upgrade() {
    wants_out_ = false;
    watch();
    // The example key of RFC 6455, section 1.3: no cache in between needs a random one.
    const std::string request = "GET " + peer_->path + " HTTP/1.1\r\nHost: " + peer_->host +
                                "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    write(reinterpret_cast<const uint8_t*>(request.data()), request.size());
  }

  void watch() {
    epoll_event event{};
    event.events = (is_paused_ ? 0u : EPOLLIN) | (wants_out_ ? EPOLLOUT : 0u);
    event.data.u32 = index_;
    epoll_ctl(epoll_, EPOLL_CTL_MOD, fd_, &event);
  }

  /** Bytes written, 0 if the socket accepts none, -1 if it is broken. */
  ssize_t write_some(const uint8_t* data, size_t bytes) {
#ifdef HOTMIC_TLS
    if (ssl_ != nullptr) {
      const int wrote = SSL_write(ssl_, data, static_cast<int>(bytes));
      if (wrote > 0) return wrote;
      const int error = SSL_get_error(ssl_, wrote);
      return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
    }
#endif
    const ssize_t wrote = ::send(fd_, data, bytes, MSG_NOSIGNAL);
    if (wrote >= 0) return wrote;
    return errno == EAGAIN || errno == EINTR ? 0 : -1;
  }

  void write(const uint8_t* data, size_t bytes) {
    size_t wrote = 0;
    if (unsent_.empty()) {
      const ssize_t some = write_some(data, bytes);
      if (some < 0) return close("cannot write");
      wrote = static_cast<size_t>(some);
    }
    if (wrote == bytes) return;
    ++blocked_;
    unsent_.append(reinterpret_cast<const char*>(data) + wrote, bytes - wrote);
    wants_out_ = true;
    watch();
  }

  void flush() {
    if (unsent_.empty()) return;
    const ssize_t some = write_some(reinterpret_cast<const uint8_t*>(unsent_.data()), unsent_.size());
    if (some < 0) return close("cannot write");
    unsent_.erase(0, static_cast<size_t>(some));
    wants_out_ = !unsent_.empty();
    if (!wants_out_) watch();
  }

  enum class Reading { all, once };

  void receive(uint8_t* scratch, size_t scratch_bytes, Reading reading = Reading::all) {
#ifdef HOTMIC_TLS
    if (ssl_ != nullptr) {
      // Read until OpenSSL's buffer is empty: epoll only sees what is in the kernel.
      do {
        const int got = SSL_read(ssl_, scratch, static_cast<int>(scratch_bytes));
        if (got <= 0) {
          const int error = SSL_get_error(ssl_, got);
          if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return;
          return close("the connection broke");
        }
        take(scratch, static_cast<size_t>(got));
      } while (reading == Reading::all && stage_ != Stage::closed && SSL_has_pending(ssl_) == 1);
      return;
    }
#endif
    (void)reading;
    const ssize_t got = ::recv(fd_, scratch, scratch_bytes, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return close("the connection broke");
    take(scratch, static_cast<size_t>(got));
  }

  void take(const uint8_t* data, size_t bytes) {
    if (rest_.empty()) {
      const size_t used = parse(data, bytes);
      if (used < bytes && stage_ != Stage::closed) rest_.assign(data + used, data + bytes);
      return;
    }
    rest_.insert(rest_.end(), data, data + bytes);
    const size_t used = parse(rest_.data(), rest_.size());
    rest_.erase(rest_.begin(), rest_.begin() + static_cast<ptrdiff_t>(used));
  }

  /** Reads whole frames from the front; returns the number of bytes read. */
  size_t parse(const uint8_t* data, size_t bytes) {
    size_t at = 0;
    if (stage_ == Stage::upgrading) {
      const void* end = memmem(data, bytes, "\r\n\r\n", 4);
      if (end == nullptr) return 0;
      if (bytes < 12 || std::memcmp(data, "HTTP/1.1 101", 12) != 0) {
        const void* line_end = std::memchr(data, '\r', bytes);
        close("not upgraded: " + std::string(reinterpret_cast<const char*>(data), static_cast<const char*>(line_end)));
        return bytes;
      }
      at = static_cast<size_t>(static_cast<const uint8_t*>(end) - data) + 4;
      stage_ = Stage::open;
      events_->opened(index_);
    }
    while (stage_ == Stage::open && bytes - at >= 2) {
      const uint8_t first = data[at];
      uint64_t length = data[at + 1];
      size_t head = 2;
      if (length > 127 || (first & 0xf0) != 0x80) {
        close("a WebSocket frame that is masked, in parts or extended");
        break;
      }
      if (length >= 126) {
        head = length == 126 ? 4 : 10;
        if (bytes - at < head) break;
        length = 0;
        for (size_t i = 2; i < head; ++i) length = length << 8 | data[at + i];
      }
      if (length > kMaxReceivedBytes) {
        close("a message of " + std::to_string(length) + " bytes");
        break;
      }
      if (bytes - at - head < length) break;
      events_->message(index_, first & 0x0f, data + at + head, length);
      at += head + length;
    }
    return at;
  }

  const uint32_t index_;
  const int epoll_;
  Events* const events_;
  int fd_ = -1;
#ifdef HOTMIC_TLS
  SSL* ssl_ = nullptr;
#endif
  Stage stage_ = Stage::connecting;
  const Peer* peer_ = nullptr;
  bool is_paused_ = false, wants_out_ = false;
  /** Part of a message, until the rest arrives. */
  std::vector<uint8_t> rest_;
  std::string unsent_;
  uint64_t blocked_ = 0;
};

}  // namespace hotmic
