/**
 * The load generator of `make bench ONLY=relay`: thousands of connections to one relay from one thread, voice frames on a schedule that
 * no relay can slow down, and a check of every frame that is delivered.
 *
 *     load port=7800 hellos=FILE packets=FILE lobby=10 talkers=2 interval_us=60000 … > result.json
 *
 * Each connection sends one hello from FILE. When all have their welcome with its pages, it prints `{"joined":…}`. Without talkers it then waits for the
 * end of its input or of the relay. With talkers it speaks for `warmup_ms`, which do not count, then for `measure_ms`, which do, and then
 * waits for the last frames. With `turns=1` the talkers of all lobbies speak one after the other, a talkspurt each. The connections of one lobby are adjacent in FILE, its talkers first. The generator measures its own lateness
 * and processor time, to show whether it was the bottleneck.
 */

#include <sys/resource.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <memory>

#include "clock.hpp"
#include "hearing.hpp"
#include "options.hpp"
#include "socket.hpp"
#include "tally.hpp"

namespace hotmic {
namespace {

constexpr size_t kScratchBytes = 256 * 1024;
constexpr int kEventsAtOnce = 512;
constexpr uint32_t kStdin = UINT32_MAX;
/** Concurrent handshakes: a hello must arrive within 5 s, and the listen queue is bounded. */
constexpr uint32_t kMaxJoining = 64;
constexpr int64_t kMs = 1'000'000, kJoinWithinNs = 180'000 * kMs;
/** Between the last welcome and the first frame, to read the messages about joins. */
constexpr int64_t kSettleNs = 500 * kMs;
/** Time for the last frames. */
constexpr int64_t kDrainNs = 3000 * kMs;
/** A frame sent later than this after its due time is late. */
constexpr int64_t kLateUs = 5000;

/** The readings at the start and the end of the time that counts. */
struct Mark {
  int64_t at = 0, own_cpu = 0, relay_cpu = 0;
  uint64_t sent = 0, deliveries = 0, controls = 0, hears = 0;
};

class Load final : public Socket::Events {
 public:
  explicit Load(const Options& options)
      : lobby_(static_cast<uint32_t>(options.number("lobby"))),
        talkers_per_lobby_(static_cast<uint32_t>(options.number("talkers"))),
        random_(static_cast<uint64_t>(options.number("seed"))),
        host_("127.0.0.1:" + options.text("port")),
        epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    read_hellos(options.text("hellos"));
    if (talkers_per_lobby_ > 0) read_packets(options.text("packets"));
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address_.sin_port = htons(static_cast<uint16_t>(options.number("port")));
    if (options.number("tls") != 0) tls_ = make_tls();
    for (uint32_t i = 0; i < hellos_.size(); ++i) sockets_.push_back(std::make_unique<Socket>(i, epoll_, this));
    receptions_.resize(static_cast<size_t>(hellos_.size()) * talkers_per_lobby_);
    began_at_.resize(hellos_.size());
    own_welcome_.resize(hellos_.size());
    slots_.resize(hellos_.size());
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = kStdin;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, 0, &event);
  }

  void join_all() {
    const int64_t begun = now_ns();
    while (joined_ < sockets_.size()) {
      while (begun_ < sockets_.size() && begun_ - joined_ < kMaxJoining)
      {
        began_at_[begun_] = now_ns();
        sockets_[begun_++]->connect(address_, host_, tls_);
      }
      serve(10 * kMs);
      if (is_over_) std::exit(1);
      if (failed_ > 0) give_up("not all joined: " + why_);
      if (now_ns() - begun > kJoinWithinNs) give_up("not all joined in time: " + std::to_string(joined_));
    }
    const auto us = [this](double share) { return static_cast<long long>(joining_.quantile_us(share)); };
    std::printf("{\"joined\":%zu,\"joinMs\":%lld,", sockets_.size(), static_cast<long long>((now_ns() - begun) / kMs));
    std::printf("\"joinP50Us\":%lld,\"joinP99Us\":%lld,\"joinMaxUs\":%lld,", us(0.5), us(0.99),
                static_cast<long long>(joining_.max_us()));
    std::printf("\"joinMessages\":%llu,\"welcomeBytes\":%zu}\n", static_cast<unsigned long long>(controls_), welcome_bytes_);
    std::fflush(stdout);
  }

  /** Answers pings until the input or the relay ends. */
  void hold() {
    while (!is_over_ && failed_ < sockets_.size()) serve(100 * kMs);
  }

  void speak(const Options& options) {
    interval_ = options.number("interval_us") * 1000;
    talkspurt_ = static_cast<uint32_t>(options.number("talkspurt"));
    takes_turns_ = options.number("turns") != 0;
    const int64_t warmup = options.number("warmup_ms") * kMs, measure = options.number("measure_ms") * kMs;
    const ProcessClock relay(static_cast<pid_t>(options.number("relay_pid")));
    const std::vector<std::pair<int64_t, uint32_t>> phases = schedule();
    const int64_t settled = now_ns() + kSettleNs;
    while (now_ns() < settled) serve(settled - now_ns());

    const int64_t start = now_ns() + 10 * kMs, from = start + warmup, until = from + measure;
    Mark first, last;
    size_t turn = 0;
    int64_t cycle = 0;
    for (int64_t due = start + phases[0].first; due < until && failed_ == 0 && !is_over_;) {
      int64_t now = now_ns();
      if (first.at == 0 && now >= from) first = mark(relay);
      for (; due <= now && due < until; now = now_ns()) {
        send(talkers_[phases[turn].second], due, due >= from);
        if (++turn == phases.size()) {
          turn = 0;
          cycle += period_;
        }
        due = start + cycle + phases[turn].first;
      }
      serve(due - now);
    }
    while (now_ns() < until) serve(until - now_ns());
    last = mark(relay);
    const uint64_t wanted = sent_ * (lobby_ - 1);
    for (const int64_t end = now_ns() + kDrainNs; deliveries_ < wanted && now_ns() < end && failed_ == 0;) serve(kMs);
    report(first, last);
  }

  void opened(uint32_t index) override {
    const std::string& hello = hellos_[index];
    sockets_[index]->send(opcode::text, reinterpret_cast<const uint8_t*>(hello.data()), hello.size(), mask());
  }

  void closed(uint32_t index, const std::string& why) override {
    ++failed_;
    if (failed_ == 1) why_ = "connection " + std::to_string(index) + ": " + why;
  }

  void message(uint32_t index, uint8_t op, const uint8_t* data, size_t bytes) override {
    switch (op) {
      case opcode::binary:
        return hear(index, data, bytes);
      case opcode::text:
        return read_control(index, std::string_view(reinterpret_cast<const char*>(data), bytes));
      case opcode::ping:
        return sockets_[index]->send(opcode::pong, data, bytes, mask());
      case opcode::close:
        return sockets_[index]->close("closed by the relay");
      default:
        return;
    }
  }

 private:
  void read_hellos(const std::string& path) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) hellos_.push_back(line);
    if (hellos_.empty() || hellos_.size() % lobby_ != 0) give_up("the hellos do not fill their lobbies");
  }

  /** u32 talkers, u32 frames of each, then the frames: u32 bytes, and the bytes. */
  void read_packets(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const auto u32 = [&file] {
      uint32_t value = 0;
      file.read(reinterpret_cast<char*>(&value), 4);
      return value;
    };
    const uint32_t talkers = u32(), frames = u32();
    if (talkers != hellos_.size() / lobby_ * talkers_per_lobby_) give_up("the number of talkers does not match the lobbies");
    if (frames == 0 || (frames & (frames - 1)) != 0) give_up("the number of frames per talker is not a power of two");
    talkers_.resize(talkers);
    for (uint32_t i = 0; i < talkers; ++i) {
      Talker& talker = talkers_[i];
      talker.connection = i / talkers_per_lobby_ * lobby_ + i % talkers_per_lobby_;
      for (uint32_t j = 0; j < frames; ++j) {
        std::vector<uint8_t> frame(u32());
        if (frame.size() < wire::kSteamIdAt + 8 || frame.size() > kMaxSentBytes) give_up("the length of a frame is invalid");
        file.read(reinterpret_cast<char*>(frame.data()), static_cast<std::streamsize>(frame.size()));
        talker.frames.push_back(std::move(frame));
      }
      talker.steam_id = wire::u64(talker.frames[0].data() + wire::kSteamIdAt);
    }
    if (!file) give_up("the packets end too early");
  }

  static void* make_tls() {
#ifdef HOTMIC_TLS
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    // One read from the kernel for a record's header and body.
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return context;
#else
    give_up("built without TLS");
#endif
  }

  /** When in a period each talker sends, in due order. */
  std::vector<std::pair<int64_t, uint32_t>> schedule() {
    std::vector<std::pair<int64_t, uint32_t>> phases;
    period_ = takes_turns_ ? interval_ * talkspurt_ * static_cast<int64_t>(talkers_.size()) : interval_;
    for (uint32_t i = 0; i < talkers_.size(); ++i) {
      if (!takes_turns_) phases.emplace_back(static_cast<int64_t>(random_.next() % static_cast<uint64_t>(interval_)), i);
      for (uint32_t j = 0; takes_turns_ && j < talkspurt_; ++j) phases.emplace_back((i * talkspurt_ + j) * interval_, i);
    }
    std::sort(phases.begin(), phases.end());
    return phases;
  }

  uint32_t mask() { return static_cast<uint32_t>(random_.next() >> 32); }

  /** Waits for the sockets for at most `within_ns`, and reads what arrived. */
  void serve(int64_t within_ns) {
    epoll_event events[kEventsAtOnce];
    const int64_t within = std::max<int64_t>(within_ns, 0);
    const timespec timeout{static_cast<time_t>(within / 1'000'000'000), static_cast<long>(within % 1'000'000'000)};
    const int count = epoll_pwait2(epoll_, events, kEventsAtOnce, &timeout, nullptr);
    if (count < 0 && errno != EINTR) give_up(std::string("cannot wait: ") + std::strerror(errno));
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u32 == kStdin) is_over_ = true;
      else sockets_[events[i].data.u32]->ready(events[i].events, scratch_, kScratchBytes);
    }
  }

  void send(Talker& talker, int64_t due, bool counts) {
    const auto sequence = static_cast<uint16_t>(talker.sent);
    const std::vector<uint8_t>& frame = talker.frame(sequence);
    std::memcpy(sent_frame_, frame.data(), frame.size());
    // The talkspurts of different talkers begin at different frames.
    const uint32_t in_talkspurt = (talker.sent + (takes_turns_ ? 0 : talker.connection * 7)) % talkspurt_;
    sent_frame_[0] = wire::kVersion;
    if (talker.sent == 0 || in_talkspurt == 0) sent_frame_[0] |= wire::kMarker;
    if (in_talkspurt == talkspurt_ - 1) sent_frame_[0] |= wire::kTerminator;
    const auto timestamp = static_cast<uint32_t>(talker.sent * (interval_ / 1000 * 24 / 1000));
    std::memcpy(sent_frame_ + wire::kSequenceAt, &sequence, 2);
    std::memcpy(sent_frame_ + wire::kTimestampAt, &timestamp, 4);
    talker.due[talker.sent % Talker::kRemembered] = due;
    ++talker.sent;
    ++sent_;
    sockets_[talker.connection]->send(opcode::binary, sent_frame_, frame.size(), mask());
    if (counts) lateness_.add(now_ns() - due);
  }

  void hear(uint32_t index, const uint8_t* frame, size_t bytes) {
    ++deliveries_;
    delivered_bytes_ += bytes;
    if (talkers_per_lobby_ == 0 || bytes < wire::kSteamIdAt + 8) return static_cast<void>(++faults_.foreign);
    const uint64_t steam_id = wire::u64(frame + wire::kSteamIdAt);
    const uint32_t first = index / lobby_ * talkers_per_lobby_;
    for (uint32_t i = 0; i < talkers_per_lobby_; ++i) {
      const Talker& talker = talkers_[first + i];
      if (talker.steam_id != steam_id || talker.connection == index) continue;
      receptions_[static_cast<size_t>(index) * talkers_per_lobby_ + i].hear(talker, frame, bytes, faults_);
      if (is_counted_) latency_.add(now_ns() - talker.due[wire::u16(frame + wire::kSequenceAt) % Talker::kRemembered]);
      return;
    }
    ++faults_.foreign;
  }

  void read_control(uint32_t index, std::string_view text) {
    ++controls_;
    const std::string_view head = text.substr(0, 40);
    const auto is = [head](std::string_view type) { return head.find(type) != std::string_view::npos; };
    if (is("\"type\":\"welcome\"") || is("\"type\":\"participants\"")) {
      own_welcome_[index] += text.size();
      const size_t slot = text.find("\"slot\":");
      if (is("\"type\":\"welcome\"") && slot != std::string_view::npos) {
        slots_[index] = static_cast<uint16_t>(std::strtoul(text.data() + slot + 7, nullptr, 10));
      }
      if (text.find("\"more\":") != std::string_view::npos) return;
      ++joined_;
      joining_.add(now_ns() - began_at_[index]);
      welcome_bytes_ = std::max(welcome_bytes_, own_welcome_[index]);
    }
    if (is("\"type\":\"hears\"")) read_hears(index, text);
    if (is("\"type\":\"refused\"")) sockets_[index]->close(std::string(text.substr(0, 300)));
  }

  /** What the listener hears of the talker with this slot in its lobby; null for somebody who does not talk. */
  Reception* reception(uint32_t index, uint32_t slot) {
    const uint32_t first = index / lobby_ * lobby_;
    for (uint32_t i = 0; i < talkers_per_lobby_; ++i) {
      if (slots_[first + i] == slot) return &receptions_[static_cast<size_t>(index) * talkers_per_lobby_ + i];
    }
    return nullptr;
  }

  /** Another hearing set, with where its streams stand. The talkers count their frames from 0, as the relay does. */
  void read_hears(uint32_t index, std::string_view text) {
    ++hears_;
    Reception* own = &receptions_[static_cast<size_t>(index) * talkers_per_lobby_];
    const auto talker = [this, index](uint32_t slot) { return reception(index, slot); };
    apply_hears(text, own, talkers_per_lobby_, talker, faults_);
  }

  Mark mark(const ProcessClock& relay) {
    is_counted_ = !is_counted_;
    Mark mark;
    mark.at = now_ns();
    mark.own_cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    mark.relay_cpu = relay.ns();
    mark.sent = sent_;
    mark.deliveries = deliveries_;
    mark.controls = controls_;
    mark.hears = hears_;
    return mark;
  }

  void report(const Mark& first, const Mark& last) {
    for (size_t i = 0; i < receptions_.size(); ++i) {
      const size_t connection = i / talkers_per_lobby_;
      const Talker& talker = talkers_[connection / lobby_ * talkers_per_lobby_ + i % talkers_per_lobby_];
      if (talker.connection != connection) receptions_[i].close(talker, faults_);
    }
    uint64_t blocked = 0;
    for (const auto& socket : sockets_) blocked += socket->blocked();
    const auto ms = [](int64_t ns) { return static_cast<double>(ns) / 1e6; };
    const auto number = [](uint64_t value) { return static_cast<unsigned long long>(value); };
    std::printf("{\"elapsedMs\":%.3f,\"relayCpuMs\":%.3f,\"ownCpuMs\":%.3f,", ms(last.at - first.at),
                ms(last.relay_cpu - first.relay_cpu), ms(last.own_cpu - first.own_cpu));
    std::printf("\"sent\":%llu,\"deliveries\":%llu,\"controls\":%llu,", number(last.sent - first.sent),
                number(last.deliveries - first.deliveries), number(last.controls - first.controls));
    std::printf("\"frameBytes\":%.1f,", deliveries_ == 0 ? 0 : static_cast<double>(delivered_bytes_) / static_cast<double>(deliveries_));
    std::printf("\"paced\":%llu,\"late\":%llu,\"lateP99Us\":%lld,\"lateMaxUs\":%lld,", number(lateness_.count()),
                number(lateness_.above_us(kLateUs)), static_cast<long long>(lateness_.quantile_us(0.99)),
                static_cast<long long>(lateness_.max_us()));
    std::printf("\"latencyP50Us\":%lld,\"latencyP99Us\":%lld,\"latencyMaxUs\":%lld,",
                static_cast<long long>(latency_.quantile_us(0.5)), static_cast<long long>(latency_.quantile_us(0.99)),
                static_cast<long long>(latency_.max_us()));
    std::printf("\"lost\":%llu,\"doubled\":%llu,\"reordered\":%llu,\"foreign\":%llu,\"damaged\":%llu,\"blocked\":%llu,",
                number(faults_.lost), number(faults_.doubled), number(faults_.reordered), number(faults_.foreign),
                number(faults_.damaged), number(blocked));
    std::printf("\"outside\":%llu,\"hears\":%llu,", number(faults_.outside), number(last.hears - first.hears));
    std::printf("\"closed\":%u}\n", failed_);
    if (failed_ > 0) std::fprintf(stderr, "load: %s\n", why_.c_str());
    std::fflush(stdout);
  }

  const uint32_t lobby_, talkers_per_lobby_;
  Random random_;
  const std::string host_;
  const int epoll_;
  sockaddr_in address_{};
  void* tls_ = nullptr;
  std::vector<std::string> hellos_;
  std::vector<std::unique_ptr<Socket>> sockets_;
  std::vector<Talker> talkers_;
  /** By listener, then by talker in its lobby. */
  std::vector<Reception> receptions_;
  int64_t interval_ = 1;
  /** After which the schedule repeats. */
  int64_t period_ = 1;
  bool takes_turns_ = false;
  /** Frames per talkspurt. */
  uint32_t talkspurt_ = 1;
  uint32_t begun_ = 0, joined_ = 0, failed_ = 0;
  bool is_over_ = false, is_counted_ = false;
  std::string why_;
  uint64_t sent_ = 0, deliveries_ = 0, delivered_bytes_ = 0, controls_ = 0, hears_ = 0;
  /** When each connection began, and the bytes of its welcome with all pages. */
  std::vector<int64_t> began_at_;
  std::vector<size_t> own_welcome_;
  /** Of each connection, from its welcome. */
  std::vector<uint16_t> slots_;
  size_t welcome_bytes_ = 0;
  Histogram lateness_, latency_, joining_;
  Faults faults_;
  uint8_t sent_frame_[kMaxSentBytes];
  uint8_t scratch_[kScratchBytes];
};

}  // namespace
}  // namespace hotmic

int main(int count, char** arguments) {
  const hotmic::Options options(count, arguments);
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const auto load = std::make_unique<hotmic::Load>(options);
  load->join_all();
  if (options.number("talkers") == 0) load->hold();
  else load->speak(options);
  return 0;
}
