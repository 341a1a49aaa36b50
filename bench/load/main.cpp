/**
 * The load generator of `hotmic bench relay` and `make bench ONLY=relay`: thousands of connections to one relay from one thread, voice frames
 * on a schedule that no relay can slow down, and a check of every frame that is delivered.
 *
 *     load port=7800 tls=0 hellos=FILE packets=FILE lobby=10 talkers=2 interval_us=60000 … > result.json
 *
 * Each connection sends one hello from FILE. When all have their welcome with its pages, it prints `{"joined":…}`. Without talkers it then waits for the
 * end of its input or of the relay. With talkers it speaks for `warmup_ms`, which do not count, then for `measure_ms`, which do, and then
 * waits for the last frames. With `turns=1` the talkers of all lobbies speak one after the other, a talkspurt each. The connections of one lobby are
 * adjacent in FILE, its talkers first. The generator measures its own lateness and processor time, to show whether it was the bottleneck.
 *
 * With `tolerant=1` a closed connection is counted, and does not end the run; with `details=1` it also prints a line per second, and all histograms
 * in the line before the last. trouble.hpp has the options for listeners in trouble. A line `healed` on its input says that a link is whole again.
 */

#include <sys/resource.h>

#include <algorithm>
#include <memory>

#include "clock.hpp"
#include "crowd.hpp"
#include "hearing.hpp"
#include "listener.hpp"
#include "measures.hpp"
#include "options.hpp"
#include "schedule.hpp"
#include "socket.hpp"
#include "trouble.hpp"

namespace hotmic {
namespace {

constexpr size_t kScratchBytes = 256 * 1024;
constexpr int kEventsAtOnce = 512;
constexpr uint32_t kStdin = UINT32_MAX;
/** Concurrent handshakes: a hello must arrive within 5 s, and the listen queue is bounded. */
constexpr uint32_t kMaxJoining = 64;
constexpr int64_t kMs = 1'000'000, kSecond = 1000 * kMs, kJoinWithinNs = 180 * kSecond;
/** Between the last welcome and the first frame, to read the messages about joins. */
constexpr int64_t kSettleNs = 500 * kMs;
/** Time for the last frames. */
constexpr int64_t kDrainNs = 3 * kSecond;
/** A frame sent later than this after its due time is late. */
constexpr int64_t kLateUs = 5000;

class Load final : public Socket::Events {
 public:
  explicit Load(const Options& options)
      : random_(static_cast<uint64_t>(options.number("seed"))),
        peer_(read_peer(options)),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        is_tolerant_(options.number("tolerant", 0) != 0),
        has_details_(options.number("details", 0) != 0),
        are_guests_(options.number("guests", 0) != 0),
        budget_(options.number("stale_ms", 150) * kMs) {
    crowd_.lobby = static_cast<uint32_t>(options.number("lobby"));
    crowd_.talkers_per_lobby = static_cast<uint32_t>(options.number("talkers"));
    crowd_.read_hellos(options.text("hellos"));
    if (crowd_.talkers_per_lobby > 0) crowd_.read_packets(options.text("packets"));
    for (uint32_t i = 0; i < crowd_.hellos.size(); ++i) sockets_.push_back(std::make_unique<Socket>(i, epoll_, this));
    // Whether the hellos say that these clients acknowledge.
    answers_ = crowd_.hellos[0].find("\"stale\"") != std::string::npos;
    receptions_.resize(crowd_.hellos.size() * crowd_.talkers_per_lobby);
    listeners_.resize(crowd_.hellos.size());
    troubles_ = std::make_unique<Troubles>(options, crowd_, random_);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = kStdin;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, 0, &event);
  }

  void join_all() {
    const int64_t begun = now_ns();
    while (joined_ < sockets_.size()) {
      while (begun_ < sockets_.size() && begun_ - joined_ < kMaxJoining) connect(begun_++, now_ns());
      serve(10 * kMs);
      if (is_over_) std::exit(1);
      if (measures_.closed > 0) give_up("not all joined: " + why_);
      if (now_ns() - begun > kJoinWithinNs) give_up("not all joined in time: " + std::to_string(joined_));
    }
    measures_.print_joined(sockets_.size(), now_ns() - begun, welcome_bytes_);
  }

  /** Answers pings until the input or the relay ends. */
  void hold() {
    while (!is_over_ && measures_.closed < sockets_.size()) serve(100 * kMs);
  }

  void speak(const Options& options) {
    const int64_t warmup = options.number("warmup_ms") * kMs, measure = options.number("measure_ms") * kMs;
    const ProcessClock relay(static_cast<pid_t>(options.number("relay_pid")));
    Schedule schedule(options, crowd_.talkers.size(), random_);
    const int64_t settled = now_ns() + kSettleNs;
    while (now_ns() < settled) serve(settled - now_ns());

    is_speaking_ = true;
    start_ = now_ns() + 10 * kMs;
    schedule.start(start_);
    const int64_t from = start_ + warmup, until = from + measure;
    troubles_->start(from);
    if (has_details_) troubles_->plan(Action::Kind::progress, 0, start_ + kSecond);
    Mark first, last;
    while (schedule.due() < until && !is_over_ && (is_tolerant_ || measures_.closed == 0)) {
      int64_t now = now_ns();
      if (first.at == 0 && now >= from) first = mark(relay);
      for (; schedule.due() <= now && schedule.due() < until; now = now_ns()) {
        send(crowd_.talkers[schedule.talker()], schedule, schedule.due() >= from);
        schedule.next();
      }
      while (troubles_->next_at() <= now) act(troubles_->take(), now);
      serve(std::min(schedule.due(), troubles_->next_at()) - now);
    }
    while (now_ns() < until) serve(until - now_ns());
    last = mark(relay);
    for (const auto& socket : sockets_) socket->pause(false);
    const uint64_t wanted = measures_.counts.sent * (crowd_.lobby - 1);
    const int64_t end = now_ns() + kDrainNs;
    while (measures_.counts.deliveries < wanted && now_ns() < end && (is_tolerant_ || measures_.closed == 0)) serve(kMs);
    report(first, last);
  }

  void opened(uint32_t index) override {
    const std::string& hello = crowd_.hellos[index];
    sockets_[index]->send(opcode::text, reinterpret_cast<const uint8_t*>(hello.data()), hello.size(), mask());
  }

  void closed(uint32_t index, const std::string& why) override {
    Listener& it = listeners_[index];
    if (it.parked_at != 0) --parked_;
    it.parked_at = 0;
    it.is_in = false;
    if (it.is_leaving) return troubles_->plan(Action::Kind::connect, index, 0);
    measures_.close(why);
    if (measures_.closed == 1) why_ = "connection " + std::to_string(index) + ": " + why;
  }

  void message(uint32_t index, uint8_t op, const uint8_t* data, size_t bytes) override {
    switch (op) {
      case opcode::binary:
        return hear(index, data, bytes);
      case opcode::text:
        return read_control(index, std::string_view(reinterpret_cast<const char*>(data), bytes));
      case opcode::ping:
        return sockets_[index]->send(opcode::pong, data, bytes, mask());
      case opcode::close: {
        const std::string code = bytes < 2 ? "" : " with " + std::to_string(data[0] << 8 | data[1]);
        return sockets_[index]->close("closed by the relay" + code);
      }
      default:
        return;
    }
  }

 private:
  void connect(uint32_t index, int64_t now) {
    listeners_[index] = Listener();
    listeners_[index].began_at = now;
    sockets_[index]->connect(peer_);
  }

  uint32_t mask() { return static_cast<uint32_t>(random_.next() >> 32); }

  /** Waits for the sockets for at most `within_ns`, and reads what arrived. */
  void serve(int64_t within_ns) {
    epoll_event events[kEventsAtOnce];
    const int64_t within = std::max<int64_t>(within_ns, 0);
    const timespec timeout{static_cast<time_t>(within / kSecond), static_cast<long>(within % kSecond)};
    const int count = epoll_pwait2(epoll_, events, kEventsAtOnce, &timeout, nullptr);
    if (count < 0 && errno != EINTR) give_up(std::string("cannot wait: ") + std::strerror(errno));
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u32 == kStdin) read_input();
      else sockets_[events[i].data.u32]->ready(events[i].events, scratch_, kScratchBytes);
    }
  }

  void read_input() {
    char text[64];
    if (read(0, text, sizeof text) <= 0) is_over_ = true;
    else for (Listener& it : listeners_) thaw(it, now_ns());
  }

  void thaw(Listener& it, int64_t now) {
    it.thawed_at = now;
    it.stale = 0;
  }

  void act(const Action& action, int64_t now) {
    Socket& socket = *sockets_[action.connection];
    Listener& it = listeners_[action.connection];
    switch (action.kind) {
      case Action::Kind::stall:
        measures_.counts.stalls += it.is_in;
        socket.pause(true);
        return troubles_->plan(Action::Kind::thaw, action.connection, now + troubles_->stall_ns());
      case Action::Kind::thaw:
        socket.pause(false);
        thaw(it, now);
        return troubles_->plan(Action::Kind::stall, action.connection, now + troubles_->stall_ns());
      case Action::Kind::read:
        socket.pause(true);
        socket.read_some(scratch_, troubles_->slow_turn_bytes());
        return troubles_->plan(Action::Kind::read, action.connection, action.at + troubles_->read_every());
      case Action::Kind::leave:
        leave(troubles_->leaver());
        return troubles_->plan(Action::Kind::leave, 0, action.at + troubles_->leave_every());
      case Action::Kind::connect:
        return connect(action.connection, now);
      case Action::Kind::progress:
        measures_.print_progress(now - start_, parked_);
        return troubles_->plan(Action::Kind::progress, 0, action.at + kSecond);
    }
  }

  /** Leaves, to join again when the relay has closed the connection. */
  void leave(uint32_t index) {
    static const std::string text = "{\"type\":\"leave\"}";
    if (!listeners_[index].is_in || listeners_[index].is_leaving) return;
    listeners_[index].is_leaving = true;
    ++measures_.counts.leaves;
    for (uint32_t i = 0; i < crowd_.talkers_per_lobby; ++i) {
      Reception& it = receptions_[static_cast<size_t>(index) * crowd_.talkers_per_lobby + i];
      it = Reception();
      it.is_known = false;
    }
    sockets_[index]->send(opcode::text, reinterpret_cast<const uint8_t*>(text.data()), text.size(), mask());
  }

  void send(Talker& talker, const Schedule& schedule, bool counts) {
    const auto sequence = static_cast<uint16_t>(talker.sent);
    const std::vector<uint8_t>& frame = talker.frame(sequence);
    const uint32_t timestamp = schedule.timestamp(talker);
    std::memcpy(sent_frame_, frame.data(), frame.size());
    sent_frame_[0] = schedule.first_byte(talker);
    std::memcpy(sent_frame_ + wire::kSequenceAt, &sequence, 2);
    std::memcpy(sent_frame_ + wire::kTimestampAt, &timestamp, 4);
    talker.due[talker.sent % Talker::kRemembered] = schedule.due();
    ++talker.sent;
    ++measures_.counts.sent;
    sockets_[talker.connection]->send(opcode::binary, sent_frame_, frame.size(), mask());
    if (counts) measures_.lateness.add(now_ns() - schedule.due());
  }

  void hear(uint32_t index, const uint8_t* frame, size_t bytes) {
    Listener& listener = listeners_[index];
    Faults& faults = faults_of(index);
    ++measures_.counts.deliveries;
    measures_.counts.bytes += bytes;
    if (crowd_.talkers_per_lobby == 0 || bytes < wire::kSteamIdAt + 8) return static_cast<void>(++faults.foreign);
    if (answers_ && listener.owes(frame)) {
      ++measures_.counts.acknowledgements;
      listener.answer(*sockets_[index], wire::u32(frame + wire::kRelayTimeAt), mask());
    }
    // What was under way when it left is not checked.
    if (listener.is_leaving) return;
    const uint64_t steam_id = wire::u64(frame + wire::kSteamIdAt);
    const uint32_t first = index / crowd_.lobby * crowd_.talkers_per_lobby;
    for (uint32_t i = 0; i < crowd_.talkers_per_lobby; ++i) {
      const Talker& talker = crowd_.talkers[first + i];
      if (talker.steam_id != steam_id || talker.connection == index) continue;
      receptions_[static_cast<size_t>(index) * crowd_.talkers_per_lobby + i].hear(talker, frame, bytes, faults);
      const int64_t due = talker.due_of(wire::u16(frame + wire::kSequenceAt));
      if (is_counted_ || has_details_) time(index, listener, now_ns(), due);
      return;
    }
    ++faults.foreign;
  }

  /** Measures how long after its due time a frame arrived. */
  void time(uint32_t index, Listener& listener, int64_t now, int64_t due) {
    const int64_t took = now - due;
    measures_.least = std::min(measures_.least, took);
    const Trouble trouble = troubles_->of(index);
    const bool is_behind = trouble == Trouble::stalls || trouble == Trouble::slow;
    if (is_counted_) (is_behind ? measures_.age : measures_.latency).add(took);
    if (has_details_ && !is_behind) measures_.recent.add(took);
    if (listener.thawed_at == 0) return;
    if (took > budget_ + measures_.least) return static_cast<void>(++listener.stale);
    measures_.live_after.add(now - listener.thawed_at);
    measures_.stale += listener.stale;
    measures_.most_stale = std::max(measures_.most_stale, listener.stale);
    listener.thawed_at = 0;
  }

  Faults& faults_of(uint32_t index) {
    const Trouble trouble = troubles_->of(index);
    return trouble == Trouble::stalls || trouble == Trouble::slow ? measures_.troubled : measures_.faults;
  }

  void read_control(uint32_t index, std::string_view text) {
    ++measures_.counts.controls;
    Listener& it = listeners_[index];
    const std::string_view head = text.substr(0, 40);
    const auto is = [head](std::string_view type) { return head.find(type) != std::string_view::npos; };
    if (is("\"type\":\"welcome\"") || is("\"type\":\"participants\"")) return read_welcome(index, text);
    if (is("\"type\":\"hears\"")) return read_hears(index, text);
    if (is("\"type\":\"refused\"")) return sockets_[index]->close(std::string(text.substr(0, 300)));
    if (is("\"type\":\"heartbeat\"")) ++measures_.counts.heartbeats;
    if (is("\"type\":\"parked\"")) {
      ++measures_.counts.parks;
      if (it.parked_at == 0) ++parked_;
      it.parked_at = now_ns();
      it.answer(*sockets_[index], static_cast<uint32_t>(number_in(text, "\"relayTimeMs\":")), mask());
    }
    if (is("\"type\":\"live\"") && it.parked_at != 0) {
      measures_.parked.add(now_ns() - it.parked_at);
      it.parked_at = 0;
      --parked_;
    }
  }

  void read_welcome(uint32_t index, std::string_view text) {
    Listener& it = listeners_[index];
    it.welcome_bytes += text.size();
    if (text.substr(0, 40).find("\"welcome\"") != std::string_view::npos) {
      it.slot = static_cast<uint16_t>(number_in(text, "\"slot\":"));
      const size_t you = text.find("\"you\":{");
      if (are_guests_ && crowd_.talks(index) && you != std::string_view::npos)
        Crowd::rename(crowd_.talker_at(index), number_in(text.substr(you), "\"steamId\":\""));
    }
    if (text.find("\"more\":") != std::string_view::npos) return;
    it.is_in = true;
    (is_speaking_ ? measures_.rejoining : measures_.joining).add(now_ns() - it.began_at);
    if (is_speaking_) ++measures_.counts.joins;
    else ++joined_;
    welcome_bytes_ = std::max(welcome_bytes_, it.welcome_bytes);
  }

  /** What the listener hears of the talker with this slot in its lobby; null for somebody who does not talk. */
  Reception* reception(uint32_t index, uint32_t slot) {
    const uint32_t first = index / crowd_.lobby * crowd_.lobby;
    for (uint32_t i = 0; i < crowd_.talkers_per_lobby; ++i)
      if (listeners_[first + i].slot == slot) return &receptions_[static_cast<size_t>(index) * crowd_.talkers_per_lobby + i];
    return nullptr;
  }

  /** Another hearing set, or the end of being parked, with where the streams stand. */
  void read_hears(uint32_t index, std::string_view text) {
    ++measures_.counts.hears;
    Reception* own = &receptions_[static_cast<size_t>(index) * crowd_.talkers_per_lobby];
    const auto talker = [this, index](uint32_t slot) { return reception(index, slot); };
    Faults& faults = faults_of(index);
    apply_hears(text, own, crowd_.talkers_per_lobby, talker, listeners_[index].parked_at == 0 ? faults.lost : faults.skipped);
  }

  Mark mark(const ProcessClock& relay) {
    is_counted_ = !is_counted_;
    return {now_ns(), clock_ns(CLOCK_PROCESS_CPUTIME_ID), relay.ns(), measures_.counts};
  }

  void report(const Mark& first, const Mark& last) {
    for (size_t i = 0; i < receptions_.size(); ++i) {
      const auto connection = static_cast<uint32_t>(i / crowd_.talkers_per_lobby);
      const Talker& talker = crowd_.talkers[connection / crowd_.lobby * crowd_.talkers_per_lobby + i % crowd_.talkers_per_lobby];
      const bool is_missed = is_tolerant_ && !listeners_[connection].is_in;
      if (talker.connection != connection && !is_missed) receptions_[i].close(talker, faults_of(connection));
    }
    for (const auto& socket : sockets_) measures_.blocked += socket->blocked();
    if (has_details_) measures_.print_details();
    measures_.print(first, last, kLateUs);
    if (measures_.closed > 0) std::fprintf(stderr, "load: %s\n", why_.c_str());
  }

  Random random_;
  const Peer peer_;
  const int epoll_;
  const bool is_tolerant_, has_details_, are_guests_;
  /** A frame that arrives this much later than the least of all latencies is stale, in ns. */
  const int64_t budget_;
  Crowd crowd_;
  std::vector<std::unique_ptr<Socket>> sockets_;
  std::vector<Listener> listeners_;
  /** By listener, then by talker in its lobby. */
  std::vector<Reception> receptions_;
  std::unique_ptr<Troubles> troubles_;
  Measures measures_;
  int64_t start_ = 0;
  uint32_t begun_ = 0, joined_ = 0, parked_ = 0;
  bool is_over_ = false, is_counted_ = false, is_speaking_ = false, answers_ = false;
  std::string why_;
  size_t welcome_bytes_ = 0;
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
