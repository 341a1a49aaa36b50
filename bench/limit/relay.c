/**
 * The limit to compare relays with: one thread, one epoll, and one send() per delivery. It does what the bare uWebSockets relay does (see
 * bench/relay/bare.ts), with the least that the kernel's interface needs, and reads, checks and counts nothing.
 *
 *     relay [certificate.pem key.pem ciphers] > port
 *
 * A client that sends a hello enters its lobby. A binary message goes to everyone else there: it is unmasked where it was received, and its
 * header is written over the end of the mask. Nothing is allocated for a frame, except when a listener's socket is full.
 *
 * With TLS it is not a limit: OpenSSL 3.0 spends more on a record than what uWebSockets.js is built with.
 *
 * It accepts WebSockets only of the load generator: it answers the one example key of RFC 6455 without computing anything. It listens on
 * a free port of 127.0.0.1, which it prints, and ends with its standard input.
 */

#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef HOTMIC_TLS
#include <openssl/ssl.h>
#endif

#include "websocket.h"

enum {
  MAX_CONNECTIONS = 20000,
  MAX_LOBBIES = 4096,
  MAX_NAME_BYTES = 64,
  /** As the other relays: what may wait for a listener, and the longest message. */
  MAX_UNSENT_BYTES = 64 * 1024,
  MAX_REST_BYTES = 16 * 1024,
  RECEIVE_BYTES = 512 * 1024,
  EVENTS_AT_ONCE = 1024,
  LISTEN_QUEUE = 512,
};

enum stage { FREE, SECURING, UPGRADING, OPEN };

struct connection {
  enum stage stage;
  int fd;
  /** Index of its lobby, and its place among the members; -1 before the hello. */
  int lobby;
  uint32_t place;
  /** Part of a message until the rest arrives; null otherwise. */
  uint8_t *rest;
  size_t rest_bytes;
  /** What the socket did not accept; null until that happens. */
  uint8_t *unsent;
  size_t unsent_bytes;
  struct connection *next_free;
#ifdef HOTMIC_TLS
  SSL *tls;
#endif
};

struct lobby {
  char name[MAX_NAME_BYTES];
  struct connection **members;
  uint32_t count, room;
};

static struct connection connections[MAX_CONNECTIONS];
static struct connection *free_connections;
/** Closed in this batch of events, which may still name them. */
static struct connection *closed_connections;
static struct lobby lobbies[MAX_LOBBIES];
static int lobby_count;
static uint8_t received[RECEIVE_BYTES];
static int epoll_fd, listen_fd;
#ifdef HOTMIC_TLS
static SSL_CTX *tls_context;
#endif

static void give_up(const char *why) {
  fprintf(stderr, "relay: %s: %s\n", why, strerror(errno));
  exit(1);
}

static void watch(int operation, int fd, uint32_t events, void *what) {
  struct epoll_event event = {.events = events, .data.ptr = what};
  if (epoll_ctl(epoll_fd, operation, fd, &event) != 0 && what != NULL) give_up("cannot watch a socket");
}

static void leave(struct connection *it) {
  if (it->lobby < 0) return;
  struct lobby *lobby = &lobbies[it->lobby];
  struct connection *last = lobby->members[--lobby->count];
  lobby->members[it->place] = last;
  last->place = it->place;
  it->lobby = -1;
}

static void end(struct connection *it) {
  if (it->stage == FREE) return;
  leave(it);
#ifdef HOTMIC_TLS
  if (it->tls != NULL) SSL_free(it->tls);
#endif
  close(it->fd);
  free(it->rest);
  free(it->unsent);
  memset(it, 0, sizeof *it);
  it->next_free = closed_connections;
  closed_connections = it;
}

/** Bytes written, 0 if the socket accepts none, -1 if it is broken. */
static ssize_t write_some(struct connection *it, const uint8_t *data, size_t bytes) {
#ifdef HOTMIC_TLS
  if (it->tls != NULL) {
    const int wrote = SSL_write(it->tls, data, (int)bytes);
    if (wrote > 0) return wrote;
    const int error = SSL_get_error(it->tls, wrote);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
  }
#endif
  const ssize_t wrote = send(it->fd, data, bytes, MSG_NOSIGNAL);
  if (wrote >= 0) return wrote;
  return errno == EAGAIN || errno == EINTR ? 0 : -1;
}

/** Sends a whole message, or keeps what the socket does not accept. Beyond MAX_UNSENT_BYTES the message is dropped. */
static void transmit(struct connection *it, const uint8_t *data, size_t bytes) {
  size_t wrote = 0;
  if (it->unsent_bytes == 0) {
    const ssize_t some = write_some(it, data, bytes);
    // A broken socket is closed by its own event: this may be in the middle of a lobby.
    if (some < 0 || (size_t)some == bytes) return;
    wrote = (size_t)some;
  }
  const size_t left = bytes - wrote;
  if (it->unsent_bytes + left > MAX_UNSENT_BYTES) return;
  if (it->unsent == NULL && (it->unsent = malloc(MAX_UNSENT_BYTES)) == NULL) give_up("cannot keep unsent bytes");
  if (it->unsent_bytes == 0) watch(EPOLL_CTL_MOD, it->fd, EPOLLIN | EPOLLOUT, it);
  memcpy(it->unsent + it->unsent_bytes, data + wrote, left);
  it->unsent_bytes += left;
}

static void flush(struct connection *it) {
  if (it->unsent_bytes == 0) return;
  const ssize_t some = write_some(it, it->unsent, it->unsent_bytes);
  if (some < 0) return end(it);
  it->unsent_bytes -= (size_t)some;
  memmove(it->unsent, it->unsent + some, it->unsent_bytes);
  if (it->unsent_bytes == 0) watch(EPOLL_CTL_MOD, it->fd, EPOLLIN, it);
}

/** `payload` has room for the header before it: the client's own header, with its mask. */
static void publish(const struct connection *from, uint8_t *payload, size_t bytes) {
  if (from->lobby < 0) return;
  const size_t head = server_head_bytes(bytes);
  uint8_t *message = payload - head;
  write_server_head(message, BINARY, bytes);
  const struct lobby *lobby = &lobbies[from->lobby];
  for (uint32_t i = 0; i < lobby->count; ++i)
    if (lobby->members[i] != from) transmit(lobby->members[i], message, head + bytes);
}

static int lobby_named(const char *name, size_t bytes) {
  for (int i = lobby_count - 1; i >= 0; --i)
    if (strncmp(lobbies[i].name, name, bytes) == 0 && lobbies[i].name[bytes] == 0) return i;
  if (lobby_count == MAX_LOBBIES) return -1;
  memcpy(lobbies[lobby_count].name, name, bytes);
  return lobby_count++;
}

/** Enters the lobby that the hello names, and answers as the bare relay does. */
static void enter(struct connection *it, const char *text, size_t bytes) {
  static const char field[] = "\"lobby\":\"", welcome[] = "\x81\x12{\"type\":\"welcome\"}";
  const char *name = memmem(text, bytes, field, sizeof field - 1);
  if (name == NULL || it->lobby >= 0) return end(it);
  name += sizeof field - 1;
  const char *name_end = memchr(name, '"', bytes - (size_t)(name - text));
  if (name_end == NULL || name_end == name || name_end - name >= MAX_NAME_BYTES) return end(it);
  const int found = lobby_named(name, (size_t)(name_end - name));
  if (found < 0) return end(it);
  struct lobby *lobby = &lobbies[found];
  if (lobby->count == lobby->room) {
    lobby->room = lobby->room == 0 ? 16 : 2 * lobby->room;
    lobby->members = realloc(lobby->members, lobby->room * sizeof *lobby->members);
    if (lobby->members == NULL) give_up("cannot grow a lobby");
  }
  it->lobby = found;
  it->place = lobby->count;
  lobby->members[lobby->count++] = it;
  transmit(it, (const uint8_t *)welcome, sizeof welcome - 1);
}

static void upgrade(struct connection *it) {
  static const char accepted[] =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
  it->stage = OPEN;
  transmit(it, (const uint8_t *)accepted, sizeof accepted - 1);
}

/** Reads whole messages from the front, and returns the number of bytes read. The connection may have ended after it. */
static size_t parse(struct connection *it, uint8_t *data, size_t bytes) {
  size_t at = 0;
  if (it->stage == UPGRADING) {
    static const char key[] = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    const uint8_t *head_end = memmem(data, bytes, "\r\n\r\n", 4);
    if (head_end == NULL) return 0;
    if (memmem(data, bytes, key, sizeof key - 1) == NULL) return end(it), bytes;
    at = (size_t)(head_end - data) + 4;
    upgrade(it);
  }
  while (it->stage == OPEN && bytes - at >= 6) {
    size_t length = data[at + 1] & 0x7f, head = 6;
    if ((data[at] & 0xf0) != 0x80 || (data[at + 1] & 0x80) == 0 || length == 127) return end(it), bytes;
    if (length == 126) {
      length = (size_t)data[at + 2] << 8 | data[at + 3];
      head = 8;
    }
    if (head + length > MAX_REST_BYTES) return end(it), bytes;
    if (bytes - at < head + length) break;
    uint8_t *payload = data + at + head;
    unmask(payload, length, payload - 4);
    switch (data[at] & 0x0f) {
      case BINARY:
        publish(it, payload, length);
        break;
      case TEXT:
        enter(it, (const char *)payload, length);
        break;
      case CLOSE:
        return end(it), bytes;
    }
    at += head + length;
  }
  return at;
}

/** Parses what arrived, together with what was left over before, and keeps what is not whole. */
static void take(struct connection *it, size_t bytes) {
  uint8_t *data = received;
  if (it->rest_bytes > 0) {
    // There is room: what is received is at most RECEIVE_BYTES - MAX_REST_BYTES.
    memmove(received + it->rest_bytes, received, bytes);
    memcpy(received, it->rest, it->rest_bytes);
    bytes += it->rest_bytes;
    it->rest_bytes = 0;
  }
  const size_t used = parse(it, data, bytes), left = bytes - used;
  if (it->stage == FREE || left == 0) return;
  if (left > MAX_REST_BYTES) return end(it);
  if (it->rest == NULL && (it->rest = malloc(MAX_REST_BYTES)) == NULL) give_up("cannot keep part of a message");
  memcpy(it->rest, data + used, left);
  it->rest_bytes = left;
}

static void receive(struct connection *it) {
  const size_t room = RECEIVE_BYTES - MAX_REST_BYTES;
#ifdef HOTMIC_TLS
  // Until OpenSSL's buffer is empty: epoll only sees what is in the kernel.
  while (it->stage != FREE && it->tls != NULL) {
    const int got = SSL_read(it->tls, received, (int)room);
    if (got > 0) {
      take(it, (size_t)got);
      if (it->stage != FREE && SSL_has_pending(it->tls) != 1) return;
      continue;
    }
    const int error = SSL_get_error(it->tls, got);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) end(it);
    return;
  }
  if (it->stage == FREE) return;
#endif
  const ssize_t got = recv(it->fd, received, room, 0);
  if (got > 0) return take(it, (size_t)got);
  if (got == 0 || (errno != EAGAIN && errno != EINTR)) end(it);
}

/** Continues the TLS handshake; true when it is done. */
static bool secure(struct connection *it) {
#ifdef HOTMIC_TLS
  const int done = SSL_do_handshake(it->tls);
  if (done == 1) {
    it->stage = UPGRADING;
    return true;
  }
  const int error = SSL_get_error(it->tls, done);
  if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) end(it);
#else
  (void)it;
#endif
  return false;
}

static void accept_all(void) {
  for (;;) {
    const int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    struct connection *it = free_connections;
    if (it == NULL) {
      close(fd);
      continue;
    }
    free_connections = it->next_free;
    *it = (struct connection){.stage = UPGRADING, .fd = fd, .lobby = -1};
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
#ifdef HOTMIC_TLS
    if (tls_context != NULL) {
      it->stage = SECURING;
      it->tls = SSL_new(tls_context);
      SSL_set_fd(it->tls, fd);
      SSL_set_accept_state(it->tls);
    }
#endif
    watch(EPOLL_CTL_ADD, fd, EPOLLIN, it);
  }
}

static void use_tls(char **files) {
#ifdef HOTMIC_TLS
  tls_context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_set_session_cache_mode(tls_context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_read_ahead(tls_context, 1);
  SSL_CTX_set_mode(tls_context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(tls_context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  if (SSL_CTX_use_certificate_chain_file(tls_context, files[0]) != 1 ||
      SSL_CTX_use_PrivateKey_file(tls_context, files[1], SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_set_cipher_list(tls_context, files[2]) != 1 ||
      SSL_CTX_set_ciphersuites(tls_context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384") != 1)
    give_up("cannot use the certificate");
#else
  (void)files;
  give_up("built without TLS");
#endif
}

static void start_listening(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listen_fd < 0 || bind(listen_fd, (struct sockaddr *)&address, length) != 0 || listen(listen_fd, LISTEN_QUEUE) != 0 ||
      getsockname(listen_fd, (struct sockaddr *)&address, &length) != 0)
    give_up("cannot listen on 127.0.0.1");
  watch(EPOLL_CTL_ADD, listen_fd, EPOLLIN, &listen_fd);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
}

int main(int count, char **arguments) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  for (int i = MAX_CONNECTIONS - 1; i >= 0; --i) {
    connections[i].next_free = free_connections;
    free_connections = &connections[i];
  }
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (count == 4) use_tls(arguments + 1);
  start_listening();
  watch(EPOLL_CTL_ADD, STDIN_FILENO, EPOLLIN, NULL);
  static struct epoll_event events[EVENTS_AT_ONCE];
  for (;;) {
    const int ready = epoll_wait(epoll_fd, events, EVENTS_AT_ONCE, -1);
    for (int i = 0; i < ready; ++i) {
      struct connection *it = events[i].data.ptr;
      if (it == NULL) return 0;
      if ((void *)it == &listen_fd) {
        accept_all();
        continue;
      }
      if (it->stage == SECURING && !secure(it)) continue;
      if (it->stage != FREE && (events[i].events & EPOLLOUT) != 0) flush(it);
      if (it->stage != FREE && (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) receive(it);
    }
    while (closed_connections != NULL) {
      struct connection *it = closed_connections;
      closed_connections = it->next_free;
      it->next_free = free_connections;
      free_connections = it;
    }
  }
}
