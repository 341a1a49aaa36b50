/**
 * An emulated network link: two network namespaces, a TUN device in each, and this program between them, which delays, loses, queues and
 * cuts what is sent from one to the other.
 *
 *     link seed=1 max_s=600
 *
 * It creates both namespaces itself and gives them no name: they end with this program and with the last process inside them. On standard
 * output it prints `{"near":"/proc/…","far":"/proc/…"}`, the files of the namespaces. Then it reads commands, one per line, and answers each with the
 * counts of both directions. `up` is from near to far.
 *
 *     set up delay_us jitter_us loss_ppm rate_kbit queue_bytes      0: no delay, no jitter, no loss, no limit of rate
 *     cut up          heal up          counts
 *
 * It ends with its standard input, and after max_s seconds. Only IPv4 is forwarded: the other packets that a kernel sends by itself would
 * change what the seed decides. Packets are never reordered.
 */

#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
  MAX_PACKET_BYTES = 1500,
  /** What is under way in one direction; more is dropped and counted as full. A power of two. */
  MAX_UNDER_WAY = 16384,
  /** Packets read before what is due is delivered again. */
  READ_AT_ONCE = 256,
  MAX_COMMAND_BYTES = 256,
};

struct packet {
  int64_t due;
  uint32_t bytes;
  uint8_t data[MAX_PACKET_BYTES];
};

struct counts {
  uint64_t arrived, delivered, lost, full, cut;
};

struct direction {
  const char *name;
  int from, to;
  int64_t delay, jitter;
  uint32_t loss_ppm, rate_kbit, queue_bytes;
  bool is_cut;
  uint64_t random;
  /** When the link has sent everything that it accepted, and when the last packet is delivered. */
  int64_t free_at, last_due;
  uint64_t head, tail;
  struct counts counts;
  struct packet under_way[MAX_UNDER_WAY];
};

static struct direction directions[2] = {{.name = "up"}, {.name = "down"}};

static void give_up(const char *why) {
  fprintf(stderr, "link: %s: %s\n", why, strerror(errno));
  exit(1);
}

static int64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/** xorshift64*, from 0 to `below` - 1. */
static uint64_t random_below(struct direction *it, uint64_t below) {
  it->random ^= it->random >> 12;
  it->random ^= it->random << 25;
  it->random ^= it->random >> 27;
  return ((it->random * 0x2545f4914f6cdd1dull) >> 33) % below;
}

static void configure(int socket, const char *device, const char *address) {
  struct ifreq request = {0};
  strncpy(request.ifr_name, device, IFNAMSIZ - 1);
  struct sockaddr_in *in = (struct sockaddr_in *)&request.ifr_addr;
  if (address != NULL) {
    in->sin_family = AF_INET;
    inet_pton(AF_INET, address, &in->sin_addr);
    if (ioctl(socket, SIOCSIFADDR, &request) != 0) give_up("cannot set an address");
    inet_pton(AF_INET, "255.255.255.0", &in->sin_addr);
    if (ioctl(socket, SIOCSIFNETMASK, &request) != 0) give_up("cannot set a netmask");
  }
  if (ioctl(socket, SIOCGIFFLAGS, &request) != 0) give_up("cannot read a device's flags");
  request.ifr_flags |= IFF_UP | IFF_RUNNING;
  if (ioctl(socket, SIOCSIFFLAGS, &request) != 0) give_up("cannot set a device up");
}

/** Creates a namespace with a TUN device, enters it, and returns the device. `space` is a file that keeps the namespace. */
static int make_side(const char *address, int *space) {
  if (unshare(CLONE_NEWNET) != 0) give_up("cannot create a network namespace");
  *space = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  const int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (*space < 0 || tun < 0) give_up("cannot open /dev/net/tun");
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
  strcpy(request.ifr_name, "link");
  if (ioctl(tun, TUNSETIFF, &request) != 0) give_up("cannot create a TUN device");
  const int socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  configure(socket_fd, "lo", NULL);
  configure(socket_fd, "link", address);
  close(socket_fd);
  return tun;
}

/** Decides what becomes of a packet that has entered the link. */
static void enter(struct direction *it, const uint8_t *data, size_t bytes, int64_t now) {
  ++it->counts.arrived;
  if (it->is_cut) return (void)++it->counts.cut;
  int64_t sent_at = now;
  if (it->rate_kbit > 0) {
    const int64_t backlog = it->free_at > now ? it->free_at - now : 0;
    const int64_t waiting_bytes = backlog * it->rate_kbit / 8 / 1000000;
    if (it->queue_bytes > 0 && waiting_bytes + (int64_t)bytes > it->queue_bytes) return (void)++it->counts.full;
    it->free_at = now + backlog + (int64_t)bytes * 8 * 1000000 / it->rate_kbit;
    sent_at = it->free_at;
  }
  if (it->loss_ppm > 0 && random_below(it, 1000000) < it->loss_ppm) return (void)++it->counts.lost;
  if (it->tail - it->head == MAX_UNDER_WAY) return (void)++it->counts.full;
  int64_t due = sent_at + it->delay;
  if (it->jitter > 0) due += (int64_t)random_below(it, (uint64_t)it->jitter);
  if (due < it->last_due) due = it->last_due;
  it->last_due = due;
  struct packet *packet = &it->under_way[it->tail++ % MAX_UNDER_WAY];
  packet->due = due;
  packet->bytes = (uint32_t)bytes;
  memcpy(packet->data, data, bytes);
}

static void read_some(struct direction *it) {
  uint8_t data[MAX_PACKET_BYTES];
  for (int i = 0; i < READ_AT_ONCE; ++i) {
    const ssize_t bytes = read(it->from, data, sizeof data);
    if (bytes <= 0) return;
    if (data[0] >> 4 == 4) enter(it, data, (size_t)bytes, now_ns());
  }
}

/** Delivers what is due, and returns when the next packet is; INT64_MAX without one. */
static int64_t deliver(struct direction *it) {
  while (it->head < it->tail) {
    const struct packet *packet = &it->under_way[it->head % MAX_UNDER_WAY];
    if (packet->due > now_ns()) return packet->due;
    ++it->head;
    if (it->is_cut) ++it->counts.cut;
    else if (write(it->to, packet->data, packet->bytes) == (ssize_t)packet->bytes) ++it->counts.delivered;
    else ++it->counts.full;
  }
  return INT64_MAX;
}

static void print_counts(void) {
  for (int i = 0; i < 2; ++i) {
    const struct direction *it = &directions[i];
    const struct counts *counts = &it->counts;
    printf("%s\"%s\":{\"arrived\":%llu,\"delivered\":%llu,\"lost\":%llu,\"full\":%llu,\"cut\":%llu,\"underWay\":%llu}", i == 0 ? "{" : ",",
           it->name, (unsigned long long)counts->arrived, (unsigned long long)counts->delivered,
           (unsigned long long)counts->lost, (unsigned long long)counts->full, (unsigned long long)counts->cut,
           (unsigned long long)(it->tail - it->head));
  }
  printf("}\n");
  fflush(stdout);
}

static void obey(const char *line) {
  char verb[8] = "", name[8] = "";
  uint32_t values[5] = {0};
  const int read = sscanf(line, "%7s %7s %u %u %u %u %u", verb, name, &values[0], &values[1], &values[2], &values[3], &values[4]);
  struct direction *it = strcmp(name, "down") == 0 ? &directions[1] : &directions[0];
  if (strcmp(verb, "set") == 0 && read == 7) {
    it->delay = (int64_t)values[0] * 1000;
    it->jitter = (int64_t)values[1] * 1000;
    it->loss_ppm = values[2];
    it->rate_kbit = values[3];
    it->queue_bytes = values[4];
  } else if (strcmp(verb, "cut") == 0) {
    it->is_cut = true;
  } else if (strcmp(verb, "heal") == 0) {
    it->is_cut = false;
  } else if (strcmp(verb, "counts") != 0) {
    errno = EINVAL;
    give_up(line);
  }
  print_counts();
}

/** Obeys each whole line. Ends the program with its input. */
static void read_commands(void) {
  static char text[MAX_COMMAND_BYTES];
  static size_t length;
  const ssize_t bytes = read(STDIN_FILENO, text + length, sizeof text - 1 - length);
  if (bytes <= 0) exit(0);
  length += (size_t)bytes;
  text[length] = 0;
  char *line = text;
  for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
    *end = 0;
    obey(line);
  }
  length -= (size_t)(line - text);
  memmove(text, line, length);
}

static uint64_t number(int count, char **arguments, const char *name) {
  const size_t length = strlen(name);
  for (int i = 1; i < count; ++i)
    if (strncmp(arguments[i], name, length) == 0 && arguments[i][length] == '=') return strtoull(arguments[i] + length + 1, NULL, 10);
  errno = EINVAL;
  give_up(name);
  return 0;
}

int main(int count, char **arguments) {
  const uint64_t seed = number(count, arguments, "seed");
  alarm((unsigned)number(count, arguments, "max_s"));
  int near_space, far_space;
  const int near = make_side("10.77.0.1", &near_space), far = make_side("10.77.0.2", &far_space);
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  const int inputs[3] = {near, far, STDIN_FILENO};
  for (int i = 0; i < 3; ++i) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = inputs[i]};
    epoll_ctl(epoll, EPOLL_CTL_ADD, inputs[i], &event);
  }
  for (int i = 0; i < 2; ++i) {
    directions[i].from = i == 0 ? near : far;
    directions[i].to = i == 0 ? far : near;
    directions[i].random = (2 * seed + (uint64_t)i) * 0x9e3779b97f4a7c15ull + 1;
  }
  printf("{\"near\":\"/proc/%d/fd/%d\",\"far\":\"/proc/%d/fd/%d\"}\n", getpid(), near_space, getpid(), far_space);
  fflush(stdout);
  for (;;) {
    const int64_t up_due = deliver(&directions[0]), down_due = deliver(&directions[1]);
    const int64_t due = up_due < down_due ? up_due : down_due, now = now_ns();
    const int64_t wait = due == INT64_MAX ? 1000000000 : due > now ? due - now : 0;
    const struct timespec timeout = {.tv_sec = wait / 1000000000, .tv_nsec = wait % 1000000000};
    struct epoll_event events[3];
    const int ready = epoll_pwait2(epoll, events, 3, &timeout, NULL);
    // Packets that were sent before a command are read before it.
    for (int i = 0; i < 2; ++i) read_some(&directions[i]);
    for (int i = 0; i < ready; ++i)
      if (events[i].data.fd == STDIN_FILENO) read_commands();
  }
}
