// The Node-API layer over SteamCore: one instance per environment, with thin functions. Its types are in native/real/addon.ts.
//
// No C++ exception crosses it. Nothing is shared with JavaScript except the buffers passed to a call, and those only until it
// returns: what goes to JavaScript is copied (Electron forbids external ArrayBuffers).

#include <napi.h>

#include <algorithm>
#include <cstring>

#include "arguments.hpp"
#include "names.hpp"
#include "steam_core.hpp"

namespace hotmic {

namespace {

constexpr size_t kMaxVoiceBytes = 16 * 1024 * 1024;
constexpr size_t kMaxTicketBytes = 65536;
constexpr size_t kMaxTextBytes = 8192;
constexpr size_t kFolderBytes = 4096;
constexpr int kBlobBytes = 2048;
constexpr int kLargeBlobBytes = 4096;
constexpr uint32_t kUnknownVoiceResult = 65535;
constexpr double kTwoTo32 = 4294967296.0;

}  // namespace

class SteamAddon : public Napi::Addon<SteamAddon> {
 public:
  SteamAddon(Napi::Env env, Napi::Object exports) : core_(SteamCore::instance()), environment_(new Environment()) {
    // Also runs when a worker is terminated: on its own thread, after its JavaScript has stopped.
    napi_add_env_cleanup_hook(env, &SteamAddon::end_environment, environment_);
    DefineAddon(exports,
                {
                    InstanceMethod<&SteamAddon::Symbols>("steamSymbols"),
                    InstanceMethod<&SteamAddon::Open>("init"),
                    InstanceMethod<&SteamAddon::Close>("close"),
                    InstanceMethod<&SteamAddon::Counts>("counts"),
                    InstanceMethod<&SteamAddon::RunCallbacks>("runCallbacks"),
                    InstanceMethod<&SteamAddon::StartVoiceRecording>("startVoiceRecording"),
                    InstanceMethod<&SteamAddon::StopVoiceRecording>("stopVoiceRecording"),
                    InstanceMethod<&SteamAddon::GetAvailableVoice>("getAvailableVoice"),
                    InstanceMethod<&SteamAddon::GetVoice>("getVoice"),
                    InstanceMethod<&SteamAddon::DecompressVoice>("decompressVoice"),
                    InstanceMethod<&SteamAddon::GetVoiceOptimalSampleRate>("getVoiceOptimalSampleRate"),
                    InstanceMethod<&SteamAddon::GetSteamId>("getSteamID"),
                    InstanceMethod<&SteamAddon::Flag<&SteamFunctions::logged_on>>("loggedOn"),
                    InstanceMethod<&SteamAddon::Flag<&SteamFunctions::behind_nat>>("isBehindNAT"),
                    InstanceMethod<&SteamAddon::Flag<&SteamFunctions::phone_identifying>>("isPhoneIdentifying"),
                    InstanceMethod<&SteamAddon::Flag<&SteamFunctions::phone_requiring_verification>>(
                        "isPhoneRequiringVerification"),
                    InstanceMethod<&SteamAddon::Flag<&SteamFunctions::phone_verified>>("isPhoneVerified"),
                    InstanceMethod<&SteamAddon::Flag<&SteamFunctions::two_factor>>("isTwoFactorEnabled"),
                    InstanceMethod<&SteamAddon::GetPlayerSteamLevel>("getPlayerSteamLevel"),
                    InstanceMethod<&SteamAddon::GetGameBadgeLevel>("getGameBadgeLevel"),
                    InstanceMethod<&SteamAddon::GetAuthSessionTicket>("getAuthSessionTicket"),
                    InstanceMethod<&SteamAddon::GetAuthTicketForWebApi>("getAuthTicketForWebApi"),
                    InstanceMethod<&SteamAddon::CancelAuthTicket>("cancelAuthTicket"),
                    InstanceMethod<&SteamAddon::BeginAuthSession>("beginAuthSession"),
                    InstanceMethod<&SteamAddon::EndAuthSession>("endAuthSession"),
                    InstanceMethod<&SteamAddon::UserHasLicenseForApp>("userHasLicenseForApp"),
                    InstanceMethod<&SteamAddon::RequestEncryptedAppTicket>("requestEncryptedAppTicket"),
                    InstanceMethod<&SteamAddon::GetEncryptedAppTicket>("getEncryptedAppTicket"),
                    InstanceMethod<&SteamAddon::RequestStoreAuthUrl>("requestStoreAuthURL"),
                    InstanceMethod<&SteamAddon::Call<&SteamFunctions::market_eligibility>>("getMarketEligibility"),
                    InstanceMethod<&SteamAddon::Call<&SteamFunctions::duration_control>>("getDurationControl"),
                    InstanceMethod<&SteamAddon::SetDurationControlOnlineState>("setDurationControlOnlineState"),
                    InstanceMethod<&SteamAddon::AdvertiseGame>("advertiseGame"),
                    InstanceMethod<&SteamAddon::InitiateGameConnection>("initiateGameConnection"),
                    InstanceMethod<&SteamAddon::TerminateGameConnection>("terminateGameConnection"),
                    InstanceMethod<&SteamAddon::GetUserDataFolder>("getUserDataFolder"),
                });
  }

 private:
  static void end_environment(void* data) {
    auto* environment = static_cast<Environment*>(data);
    SteamCore::instance().leave(*environment);
    delete environment;
  }

  // Runs it on the open Steam, or throws.
  template <typename Run>
  void steam(const Napi::CallbackInfo& info, Run&& run) {
    if (!core_.call(*environment_, run)) throw closed(info);
  }

  static void wants_open(const Napi::CallbackInfo& info, bool is_open) {
    if (!is_open) throw closed(info);
  }

  static Napi::Error closed(const Napi::CallbackInfo& info) {
    Napi::Error error = Napi::Error::New(info.Env(), "Cannot call Steam: it is closed");
    error.Set("code", Napi::String::New(info.Env(), "ERR_HOTMIC_STEAM_CLOSED"));
    return error;
  }

  static Napi::Value copy_of(Napi::Env env, const std::vector<uint8_t>& bytes) {
    Napi::Uint8Array array = Napi::Uint8Array::New(env, bytes.size());
    if (!bytes.empty()) std::memcpy(array.Data(), bytes.data(), bytes.size());
    return array;
  }

  // One double, so that no object is allocated. An unknown result is passed on if it fits into 16 bits, else as 65535: a negative
  // one must not turn into OK.
  static Napi::Value packed(Napi::Env env, const VoiceAnswer& answer) {
    const uint32_t result = std::min(static_cast<uint32_t>(answer.result), kUnknownVoiceResult);
    return Napi::Number::New(env, result * kTwoTo32 + answer.bytes);
  }

  Napi::Value Symbols(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    Napi::Array names = Napi::Array::New(env);
    for (const SteamSymbol& symbol : steam_symbols()) {
      Napi::Object entry = Napi::Object::New(env);
      entry.Set("name", symbol.name);
      entry.Set("need", need_name(symbol.need));
      entry.Set("group", symbol.group == nullptr ? env.Null() : Napi::String::New(env, symbol.group).As<Napi::Value>());
      names.Set(names.Length(), entry);
    }
    return names;
  }

  Napi::Value Open(const Napi::CallbackInfo& info) {
    const Arguments arguments(info, "open Steam");
    const std::string library = arguments.text(0, "library", 32768);
    const uint32_t app_id = arguments.u32(1, "appId");
    const InitOutcome outcome = core_.init(*environment_, library, app_id);
    const Napi::Env env = info.Env();
    Napi::Object answer = Napi::Object::New(env);
    answer.Set("stage", stage_name(outcome.stage));
    const bool has_code = outcome.has_code && outcome.stage != InitStage::open;
    answer.Set("code", has_code ? Napi::Number::New(env, outcome.code).As<Napi::Value>() : env.Null());
    answer.Set("text", outcome.text);
    answer.Set("library", outcome.library);
    answer.Set("interfaceVersion", outcome.interface_version);
    answer.Set("entryPoint", outcome.entry_point);
    return answer;
  }

  void Close(const Napi::CallbackInfo&) { core_.close(*environment_); }

  Napi::Value Counts(const Napi::CallbackInfo& info) {
    const CoreCounts counts = core_.counts();
    Napi::Object answer = Napi::Object::New(info.Env());
    answer.Set("environments", counts.environments);
    answer.Set("tickets", counts.tickets);
    answer.Set("sessions", counts.sessions);
    answer.Set("untracked", static_cast<double>(counts.untracked));
    answer.Set("foreign", static_cast<double>(counts.foreign));
    answer.Set("refused", static_cast<double>(counts.refused));
    const bool is_open = !counts.library.empty();
    answer.Set("library", is_open ? Napi::String::New(info.Env(), counts.library).As<Napi::Value>() : info.Env().Null());
    return answer;
  }

  // Null when another environment gets the callbacks.
  Napi::Value RunCallbacks(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    std::vector<SteamMessage> messages;
    const PumpOutcome outcome = core_.pump(*environment_, messages);
    wants_open(info, outcome != PumpOutcome::closed);
    if (outcome == PumpOutcome::not_owner) return env.Null();
    Napi::Array answer = Napi::Array::New(env, messages.size());
    uint32_t at = 0;
    for (const SteamMessage& message : messages) {
      Napi::HandleScope scope(env);
      Napi::Object entry = Napi::Object::New(env);
      entry.Set("id", message.id);
      entry.Set("call", Napi::BigInt::New(env, message.call));
      entry.Set("payload", message.failed ? env.Null() : copy_of(env, message.payload));
      answer.Set(at, entry);
      at += 1;
    }
    return answer;
  }

  void StartVoiceRecording(const Napi::CallbackInfo& info) { wants_open(info, core_.start_voice(*environment_)); }
  void StopVoiceRecording(const Napi::CallbackInfo& info) { wants_open(info, core_.stop_voice(*environment_)); }

  Napi::Value GetAvailableVoice(const Napi::CallbackInfo& info) {
    return packed(info.Env(), core_.available_voice(*environment_));
  }

  Napi::Value GetVoice(const Napi::CallbackInfo& info) {
    const Bytes to = Arguments(info, "get voice").bytes(0, "target", SIZE_MAX);
    const auto room = static_cast<uint32_t>(std::min(to.length, kMaxVoiceBytes));
    return packed(info.Env(), core_.get_voice(*environment_, to.data, room));
  }

  Napi::Value DecompressVoice(const Napi::CallbackInfo& info) {
    const Arguments arguments(info, "decompress voice");
    const Bytes voice = arguments.bytes(0, "voice", kMaxVoiceBytes);
    const Bytes to = arguments.bytes(1, "target", kMaxVoiceBytes);
    const uint32_t rate = arguments.u32(2, "sample rate");
    return packed(info.Env(), core_.decompress_voice(*environment_, voice.data, static_cast<uint32_t>(voice.length),
                                                     to.data, static_cast<uint32_t>(to.length), rate));
  }

  Napi::Value GetVoiceOptimalSampleRate(const Napi::CallbackInfo& info) {
    uint32_t rate = 0;
    steam(info, [&](const SteamFunctions& steam, void* self) { rate = steam.optimal_rate(self); });
    return Napi::Number::New(info.Env(), rate);
  }

  Napi::Value GetSteamId(const Napi::CallbackInfo& info) {
    uint64_t steam_id = 0;
    steam(info, [&](const SteamFunctions& steam, void* self) { steam_id = steam.steam_id(self); });
    return Napi::BigInt::New(info.Env(), steam_id);
  }

  template <auto function>
  Napi::Value Flag(const Napi::CallbackInfo& info) {
    bool value = false;
    steam(info, [&](const SteamFunctions& steam, void* self) { value = (steam.*function)(self); });
    return Napi::Boolean::New(info.Env(), value);
  }

  template <auto function>
  Napi::Value Call(const Napi::CallbackInfo& info) {
    uint64_t call = 0;
    steam(info, [&](const SteamFunctions& steam, void* self) { call = (steam.*function)(self); });
    return Napi::BigInt::New(info.Env(), call);
  }

  Napi::Value GetPlayerSteamLevel(const Napi::CallbackInfo& info) {
    int level = 0;
    steam(info, [&](const SteamFunctions& steam, void* self) { level = steam.steam_level(self); });
    return Napi::Number::New(info.Env(), level);
  }

  Napi::Value GetGameBadgeLevel(const Napi::CallbackInfo& info) {
    const Arguments arguments(info, "get game badge level");
    const int32_t series = arguments.i32(0, "series");
    const bool foil = arguments.flag(1, "foil");
    int level = 0;
    steam(info, [&](const SteamFunctions& steam, void* self) { level = steam.badge_level(self, series, foil); });
    return Napi::Number::New(info.Env(), level);
  }

  // Null when the library cannot bind a ticket. Type 0 is anyone.
  Napi::Value GetAuthSessionTicket(const Napi::CallbackInfo& info) {
    const Arguments arguments(info, "get auth session ticket");
    SteamIdentity remote = {};
    remote.type = arguments.i32(0, "identity type");
    const Bytes value = arguments.bytes(1, "identity value", sizeof remote.value);
    remote.size = static_cast<int32_t>(value.length);
    std::memcpy(remote.value, value.data, value.length);
    AuthTicketAnswer ticket;
    wants_open(info, core_.auth_ticket(*environment_, remote.type == 0 ? nullptr : &remote, ticket));
    const Napi::Env env = info.Env();
    if (!ticket.supported) return env.Null();
    Napi::Object answer = Napi::Object::New(env);
    answer.Set("id", ticket.handle);
    answer.Set("buffer", copy_of(env, ticket.ticket));
    answer.Set("size", static_cast<double>(ticket.ticket.size()));
    return answer;
  }

  // Null before SDK 1.57.
  Napi::Value GetAuthTicketForWebApi(const Napi::CallbackInfo& info) {
    const std::string identity = Arguments(info, "get auth ticket for web api").text(0, "identity", kMaxTextBytes);
    bool supported = false;
    uint32_t handle = 0;
    const char* const named = identity.empty() ? nullptr : identity.c_str();
    wants_open(info, core_.web_ticket(*environment_, named, supported, handle));
    return supported ? Napi::Number::New(info.Env(), handle).As<Napi::Value>() : info.Env().Null();
  }

  void CancelAuthTicket(const Napi::CallbackInfo& info) {
    const uint32_t handle = Arguments(info, "cancel auth ticket").u32(0, "handle");
    wants_open(info, core_.cancel_ticket(*environment_, handle));
  }

  Napi::Value BeginAuthSession(const Napi::CallbackInfo& info) {
    const Arguments arguments(info, "begin auth session");
    const Bytes ticket = arguments.bytes(0, "ticket", kMaxTicketBytes);
    const uint64_t steam_id = arguments.steam_id(1);
    int32_t result = 0;
    wants_open(info, core_.begin_session(*environment_, ticket.data, static_cast<int>(ticket.length), steam_id, result));
    return Napi::Number::New(info.Env(), result);
  }

  void EndAuthSession(const Napi::CallbackInfo& info) {
    const uint64_t steam_id = Arguments(info, "end auth session").steam_id(0);
    wants_open(info, core_.end_session(*environment_, steam_id));
  }

  Napi::Value UserHasLicenseForApp(const Napi::CallbackInfo& info) {
    const Arguments arguments(info, "ask for a license");
    const uint64_t steam_id = arguments.steam_id(0);
    const uint32_t app_id = arguments.u32(1, "appId");
    int32_t result = 0;
    steam(info,
          [&](const SteamFunctions& steam, void* self) { result = steam.has_license(self, steam_id, app_id); });
    return Napi::Number::New(info.Env(), result);
  }

  Napi::Value RequestEncryptedAppTicket(const Napi::CallbackInfo& info) {
    const Bytes given = Arguments(info, "request encrypted app ticket").bytes(0, "userData", kMaxTicketBytes);
    std::vector<uint8_t> data(given.data, given.data + given.length);
    data.reserve(1);
    uint64_t call = 0;
    steam(info, [&](const SteamFunctions& steam, void* self) {
      call = steam.request_encrypted_ticket(self, data.data(), static_cast<int>(data.size()));
    });
    return Napi::BigInt::New(info.Env(), call);
  }

  Napi::Value GetEncryptedAppTicket(const Napi::CallbackInfo& info) {
    bool there = false;
    std::vector<uint8_t> ticket;
    wants_open(info, core_.encrypted_ticket(*environment_, there, ticket));
    return there ? copy_of(info.Env(), ticket) : info.Env().Null();
  }

  Napi::Value RequestStoreAuthUrl(const Napi::CallbackInfo& info) {
    const std::string url = Arguments(info, "request store auth URL").text(0, "url", kMaxTextBytes);
    uint64_t call = 0;
    steam(info,
          [&](const SteamFunctions& steam, void* self) { call = steam.request_store_url(self, url.c_str()); });
    return Napi::BigInt::New(info.Env(), call);
  }

  Napi::Value SetDurationControlOnlineState(const Napi::CallbackInfo& info) {
    const int32_t state = Arguments(info, "set duration control online state").i32(0, "state");
    bool value = false;
    steam(info, [&](const SteamFunctions& steam, void* self) { value = steam.set_duration_state(self, state); });
    return Napi::Boolean::New(info.Env(), value);
  }

  void AdvertiseGame(const Napi::CallbackInfo& info) {
    const Arguments arguments(info, "advertise game");
    const uint64_t server = arguments.steam_id(0);
    const uint32_t ip = arguments.u32(1, "ip");
    const uint16_t port = arguments.port(2);
    steam(info, [&](const SteamFunctions& steam, void* self) { steam.advertise_game(self, server, ip, port); });
  }

  // Null when Steam gave no blob.
  Napi::Value InitiateGameConnection(const Napi::CallbackInfo& info) {
    const Arguments arguments(info, "initiate game connection");
    const uint64_t server = arguments.steam_id(0);
    const uint32_t ip = arguments.u32(1, "ip");
    const uint16_t port = arguments.port(2);
    const bool secure = arguments.flag(3, "secure");
    std::vector<uint8_t> blob;
    steam(info, [&](const SteamFunctions& steam, void* self) {
      for (int room : {kBlobBytes, kLargeBlobBytes}) {
        blob.assign(static_cast<size_t>(room), 0);
        const int written = steam.initiate_connection(self, blob.data(), room, server, ip, port, secure);
        blob.resize(static_cast<size_t>(std::clamp(written, 0, room)));
        if (!blob.empty()) break;
      }
    });
    return blob.empty() ? info.Env().Null() : copy_of(info.Env(), blob);
  }

  void TerminateGameConnection(const Napi::CallbackInfo& info) {
    const Arguments arguments(info, "terminate game connection");
    const uint32_t ip = arguments.u32(0, "ip");
    const uint16_t port = arguments.port(1);
    steam(info, [&](const SteamFunctions& steam, void* self) { steam.terminate_connection(self, ip, port); });
  }

  // Null if the library has no such function; empty when Steam gave none.
  Napi::Value GetUserDataFolder(const Napi::CallbackInfo& info) {
    bool supported = false;
    char folder[kFolderBytes] = {};
    steam(info, [&](const SteamFunctions& steam, void* self) {
      supported = steam.user_data_folder != nullptr;
      if (supported && !steam.user_data_folder(self, folder, static_cast<int>(kFolderBytes))) folder[0] = '\0';
    });
    folder[kFolderBytes - 1] = '\0';
    return supported ? Napi::String::New(info.Env(), folder).As<Napi::Value>() : info.Env().Null();
  }

  SteamCore& core_;
  // Deleted by the cleanup hook, after which no function of ours is called.
  Environment* const environment_;
};

NODE_API_ADDON(SteamAddon)

}  // namespace hotmic
