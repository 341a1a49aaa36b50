/**
 * The load generator's WebSocket client (RFC 6455), non-blocking, over TCP or TLS, with only what it needs to talk to a relay. It offers
 * no extension and does not check Sec-WebSocket-Accept, because it measures the relay's cost, not its handshake.
 *
 * With HOTMIC_TLS it supports TLS through OpenSSL. It does not check the certificate, which is the benchmark's own.
 */

#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#ifdef HOTMIC_TLS
#include <openssl/ssl.h>
#endif

namespace hotmic {

[[noreturn]] inline void give_up(const std::string& why) {
  std::fprintf(stderr, "load: %s\n", why.c_str());
  std::exit(1);
}

namespace opcode {
constexpr uint8_t text = 1, binary = 2, close = 8, ping = 9, pong = 10;
}

/** The longest header of a client's frame: two bytes, a length of two, and the mask. */
constexpr size_t kFrameHeadBytes = 8;
/** The longest message sent: a hello or a voice frame. */
constexpr size_t kMaxSentBytes = 16 * 1024;

/** xorshift64*: seeded, for masks and phases. */
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15ull + 1) {}
  uint64_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545f4914f6cdd1dull;
  }

 private:
  uint64_t state_;
};

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

  /** Starts to connect. `tls` is an SSL_CTX, or null for plain TCP. */
  void connect(const sockaddr_in& to, const std::string& host, void* tls) {
    host_ = host;
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) give_up(std::string("cannot open a socket: ") + std::strerror(errno));
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 && errno != EINPROGRESS)
      give_up(std::string("cannot connect: ") + std::strerror(errno));
#ifdef HOTMIC_TLS
    if (tls != nullptr) {
      ssl_ = SSL_new(static_cast<SSL_CTX*>(tls));
      SSL_set_fd(ssl_, fd_);
      SSL_set_connect_state(ssl_);
    }
#else
    (void)tls;
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
    if (error == SSL_ERROR_WANT_READ) return want(EPOLLIN);
    if (error == SSL_ERROR_WANT_WRITE) return want(EPOLLIN | EPOLLOUT);
    close("the TLS handshake failed");
#endif
  }

  void upgrade() {
    want(EPOLLIN);
    // The example key of RFC 6455, section 1.3: no cache in between needs a random one.
    const std::string request = "GET / HTTP/1.1\r\nHost: " + host_ +
                                "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    write(reinterpret_cast<const uint8_t*>(request.data()), request.size());
  }

  void want(uint32_t events) {
    epoll_event event{};
    event.events = events;
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
    want(EPOLLIN | EPOLLOUT);
  }

  void flush() {
    if (unsent_.empty()) return;
    const ssize_t some = write_some(reinterpret_cast<const uint8_t*>(unsent_.data()), unsent_.size());
    if (some < 0) return close("cannot write");
    unsent_.erase(0, static_cast<size_t>(some));
    if (unsent_.empty()) want(EPOLLIN);
  }

  void receive(uint8_t* scratch, size_t scratch_bytes) {
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
      } while (stage_ != Stage::closed && SSL_has_pending(ssl_) == 1);
      return;
    }
#endif
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
        close("not upgraded: " + std::string(reinterpret_cast<const char*>(data), bytes));
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
  std::string host_;
  /** Part of a message, until the rest arrives. */
  std::vector<uint8_t> rest_;
  std::string unsent_;
  uint64_t blocked_ = 0;
};

}  // namespace hotmic
