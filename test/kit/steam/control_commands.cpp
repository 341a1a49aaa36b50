// The control of the fake client: one line of text a command, words between single spaces, numbers decimal, bytes in
// hexadecimal, a flag 0 or 1. What an answer holds, the functions below say; most are empty.

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <sstream>
#include <utility>

#include "fake_client.hpp"

using namespace steam_abi;

namespace {

using Words = std::vector<std::string>;

Words wordsOf(const std::string& command) {
  Words words;
  std::istringstream stream(command);
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::uint64_t number(const std::string& word) { return std::strtoull(word.c_str(), nullptr, 10); }
std::int32_t small(const std::string& word) {
  return static_cast<std::int32_t>(std::strtoll(word.c_str(), nullptr, 10));
}

int digitOf(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  return -1;
}

bool bytesOf(const std::string& hex, Bytes* bytes) {
  if (hex.size() % 2 != 0) return false;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = digitOf(hex[i]);
    const int low = digitOf(hex[i + 1]);
    if (high < 0 || low < 0) return false;
    bytes->push_back(static_cast<std::uint8_t>(high << 4 | low));
  }
  return true;
}

std::string hexOf(const Bytes& bytes) {
  static const char DIGITS[] = "0123456789abcdef";
  std::string hex;
  for (const std::uint8_t byte : bytes) {
    hex.push_back(DIGITS[byte >> 4]);
    hex.push_back(DIGITS[byte & 15]);
  }
  return hex;
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') result.push_back('\\');
    if (static_cast<unsigned char>(letter) >= 0x20) result.push_back(letter);
  }
  return result + "\"";
}

}  // namespace

// The commands, each over the locked client.
class ControlCommands {
 public:
  ControlCommands(FakeClient& client, const Words& words, std::string* answer)
      : client_(client), words_(words), answer_(answer) {}

  bool run() {
    static const std::map<std::string, bool (ControlCommands::*)()> COMMANDS = {
        {"set", &ControlCommands::set},         {"badges", &ControlCommands::badges},
        {"market", &ControlCommands::market},   {"duration", &ControlCommands::duration},
        {"license", &ControlCommands::license}, {"lose", &ControlCommands::lose},
        {"restore", &ControlCommands::restore}, {"emit", &ControlCommands::emit},
        {"next", &ControlCommands::next},       {"fail", &ControlCommands::fail},
        {"voice", &ControlCommands::voice},     {"ticket", &ControlCommands::ticket},
        {"state", &ControlCommands::state},     {"counts", &ControlCommands::state},
        {"reset", &ControlCommands::reset},     {"env", &ControlCommands::env},
    };
    if (words_.empty()) return false;
    const auto found = COMMANDS.find(words_[0]);
    return found != COMMANDS.end() && (this->*found->second)();
  }

 private:
  bool has(std::size_t count) const { return words_.size() >= count; }

  // set <name> <value>
  bool set() {
    if (!has(3)) return false;
    Account& account = client_.account_;
    const std::string& name = words_[1];
    const std::uint64_t value = number(words_[2]);
    if (name == "steam-id") account.steamId = value;
    else if (name == "level") account.level = small(words_[2]);
    else if (name == "phone-verified") account.phoneVerified = value != 0;
    else if (name == "phone-identifying") account.phoneIdentifying = value != 0;
    else if (name == "phone-requiring-verification") account.phoneRequiringVerification = value != 0;
    else if (name == "two-factor") account.twoFactor = value != 0;
    else if (name == "behind-nat") account.behindNat = value != 0;
    else if (name == "user-data-folder") client_.hasUserDataFolder_ = value != 0;
    else if (name == "ticket-bytes") client_.ticketBytes_ = value;
    else if (name == "web-ticket-bytes") client_.webTicketBytes_ = value;
    else if (name == "encrypted-limit-ms") client_.encryptedLimit_ = std::chrono::milliseconds(value);
    else return false;
    return true;
  }

  // badges [<series>:<foil>:<level> …]: these and no others
  bool badges() {
    client_.account_.badges.clear();
    for (std::size_t i = 1; i < words_.size(); i += 1) {
      int series = 0;
      int foil = 0;
      int level = 0;
      if (std::sscanf(words_[i].c_str(), "%d:%d:%d", &series, &foil, &level) != 3) return false;
      client_.account_.badges[{series, foil != 0}] = level;
    }
    return true;
  }

  // market <allowed> <reasons> <allowed at time> <steam guard days> <new device days>
  bool market() {
    if (!has(6)) return false;
    client_.account_.market = {number(words_[1]) != 0, small(words_[2]), static_cast<std::uint32_t>(number(words_[3])),
                               small(words_[4]), small(words_[5])};
    return true;
  }

  // duration <applicable> <seconds of 5 h> <progress> <notification> <seconds today> <seconds remaining>
  bool duration() {
    if (!has(7)) return false;
    DurationControl& control = client_.account_.duration;
    control.applicable = number(words_[1]) != 0;
    control.secondsLast5h = small(words_[2]);
    control.progress = small(words_[3]);
    control.notification = small(words_[4]);
    control.secondsToday = small(words_[5]);
    control.secondsRemaining = small(words_[6]);
    return true;
  }

  // license <app> <owned> [<steam id>]
  bool license() {
    if (!has(3)) return false;
    const SteamId own = client_.account_.steamId;
    const SteamId who = has(4) ? number(words_[3]) : own;
    client_.licenses_[{who, static_cast<AppId>(number(words_[1]))}] = number(words_[2]) != 0;
    if (who == own) client_.callbacks_.post(LicensesUpdated{});
    return true;
  }

  // lose <result>
  bool lose() {
    if (!has(2)) return false;
    client_.disconnect(small(words_[1]));
    return true;
  }

  bool restore() {
    client_.reconnect();
    return true;
  }

  // emit <id> [<payload>]: a broadcast as it stands
  bool emit() {
    Bytes payload;
    if (!has(2) || (has(3) && !bytesOf(words_[2], &payload))) return false;
    client_.callbacks_.post(small(words_[1]), payload.data(), payload.size());
    return true;
  }

  // next begin-auth-session <result> | validation <response> [<owner>] | auth-ticket <result> | encrypted-ticket <result> |
  // voice <result> <bytes> | call-failure | call-refused | call-payload <bytes>
  bool next() {
    if (!has(2)) return false;
    const std::string& kind = words_[1];
    if (kind == "call-failure") {
      client_.callbacks_.answerNext(CallFault::failed);
    } else if (kind == "call-refused") {
      client_.callbacks_.answerNext(CallFault::refused);
    } else if (kind == "call-payload") {
      Bytes payload;
      if (has(3) && !bytesOf(words_[2], &payload)) return false;
      client_.callbacks_.answerNext(std::move(payload));
    } else {
      if (!has(3)) return false;
      const std::int32_t value = small(words_[2]);
      if (kind == "begin-auth-session") client_.nextBegin_ = value;
      else if (kind == "voice" && has(4)) {
        client_.claimedResult_ = value;
        client_.claimedBytes_ = static_cast<std::uint32_t>(number(words_[3]));
        client_.claims_ = true;
      }
      else if (kind == "auth-ticket") client_.nextTicketResult_ = value;
      else if (kind == "encrypted-ticket") client_.nextEncryptedResult_ = value;
      else if (kind == "validation") {
        client_.nextValidation_ = value;
        client_.nextOwner_ = has(4) ? number(words_[3]) : 0;
      } else return false;
    }
    return true;
  }

  // fail <stage>: see FakeClient::failure
  bool fail() {
    if (!has(2)) return false;
    client_.failure_ = words_[1];
    return true;
  }

  // voice queue <packet> … | repeat <bytes> [numbered] | linger <answers> | make <bytes> <first sequence>
  bool voice() {
    if (!has(3)) return false;
    FakeVoice& voice = client_.voice_;
    const std::string& what = words_[1];
    const auto value = static_cast<std::uint32_t>(number(words_[2]));
    if (what == "repeat") return voice.repeat(value, has(4) && words_[3] == "numbered", client_.account_.steamId);
    if (what == "linger") {
      voice.linger(value);
      return true;
    }
    if (what == "make") {
      std::uint16_t frames = 0;
      const auto sequence = static_cast<std::uint16_t>(has(4) ? number(words_[3]) : 0);
      *answer_ = hexOf(makeVoicePacket(value, client_.account_.steamId, sequence, &frames));
      return true;
    }
    if (what != "queue") return false;
    for (std::size_t i = 2; i < words_.size(); i += 1) {
      Bytes packet;
      if (!bytesOf(words_[i], &packet) || !voice.queue(std::move(packet))) return false;
    }
    return true;
  }

  // ticket <steam id>: a session ticket of somebody else, in hexadecimal
  bool ticket() {
    if (!has(2)) return false;
    const HAuthTicket handle = client_.nextTicket_++;
    *answer_ = hexOf(client_.makeTicket(handle, number(words_[1]), 0, client_.ticketBytes_));
    return true;
  }

  // env <name>: the process' environment as the libraries see it
  bool env() {
    if (!has(2)) return false;
    const char* value = std::getenv(words_[1].c_str());
    *answer_ = value == nullptr ? "" : value;
    return true;
  }

  bool reset() {
    client_.reset();
    return true;
  }

  // Everything there is to know, in JSON; what may exceed 2^53 as a string.
  bool state() {
    const Counts& counts = client_.counts_;
    std::ostringstream json;
    const char* between = "{";
    const auto put = [&](const char* name, std::uint64_t value) {
      json << between << '"' << name << "\":" << value;
      between = ",";
    };
    const auto text = [&](const char* name, const std::string& value) {
      json << between << '"' << name << "\":" << quoted(value);
    };
    put("inits", counts.inits);
    put("shutdowns", counts.shutdowns);
    put("open", client_.open_ ? 1 : 0);
    put("loggedOn", client_.account_.loggedOn ? 1 : 0);
    put("frames", counts.frames);
    put("getVoice", counts.getVoice);
    put("getAvailableVoice", counts.getAvailableVoice);
    put("startVoiceRecording", counts.startVoiceRecording);
    put("stopVoiceRecording", counts.stopVoiceRecording);
    put("decompressVoice", counts.decompressVoice);
    put("voiceQueued", client_.voice_.queued());
    put("recording", client_.voice_.recording() ? 1 : 0);
    put("voiceThreads", client_.voiceThreads_.size());
    put("dispatchThreads", client_.dispatchThreads_.size());
    put("voiceOverlaps", counts.voiceOverlaps.load());
    put("decompressOverlaps", counts.decompressOverlaps.load());
    put("dispatchOverlaps", counts.dispatchOverlaps.load());
    put("ticketsLive", client_.tickets_.size());
    put("ticketsCancelled", counts.ticketsCancelled);
    put("sessionsLive", client_.sessions_.size());
    put("callbacksWaiting", client_.callbacks_.waiting());
    put("callResultsWaiting", client_.callbacks_.resultsWaiting());
    put("threadMemoryReleased", counts.threadMemoryReleased);
    put("onlineState", static_cast<std::uint64_t>(client_.onlineState_));
    put("app", client_.app_);
    put("remoteType", static_cast<std::uint64_t>(client_.lastRemote_.type));
    put("remoteBytes", static_cast<std::uint64_t>(client_.lastRemote_.bytes));
    const std::uint8_t* remote = client_.lastRemote_.raw;
    text("remoteValue", hexOf(Bytes(remote, remote + client_.lastRemote_.bytes)));
    text("remoteSteamId", std::to_string(client_.lastRemote_.steamId));
    put("webIdentityNull", client_.lastIdentityNull_ ? 1 : 0);
    text("webIdentity", client_.lastIdentity_);
    text("storeUrl", client_.lastUrl_);
    text("userData", hexOf(client_.lastUserData_));
    text("advertisedServer", std::to_string(client_.advertisedServer_));
    put("advertisedIp", client_.advertisedIp_);
    put("advertisedPort", client_.advertisedPort_);
    text("gameConnection", client_.gameConnection_);
    json << "}";
    *answer_ = json.str();
    return true;
  }

  FakeClient& client_;
  const Words& words_;
  std::string* answer_;
};

bool FakeClient::control(const std::string& command, std::string* answer) {
  const Words words = wordsOf(command);
  const Lock lock(mutex_);
  if (ControlCommands(*this, words, answer).run()) return true;
  *answer = "not understood: " + command.substr(0, 100);
  return false;
}
