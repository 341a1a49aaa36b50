// The parts of a session, each calling its functions of ISteamUser once and printing what they answer.

#include <cinttypes>

#include "harness.hpp"

namespace harness {

namespace {

HAuthTicket sessionTicket(void* self, SteamId remoteId, std::uint8_t* ticket, int room, std::uint32_t* bytes) {
  const auto function = user<HAuthTicket(void*, void*, int, std::uint32_t*, const void*)>("GetAuthSessionTicket");
  NetworkingIdentity remote{};
  remote.type = IDENTITY_IS_STEAM_ID;
  remote.bytes = 8;
  remote.steamId = remoteId;
  // On SDKs that have three arguments, the fourth is ignored by the calling convention.
  return function(self, ticket, room, bytes, &remote);
}

}  // namespace

void identity(void* self) {
  control("set level 42");
  control("set two-factor 1");
  control("set phone-identifying 1");
  control("badges 1:0:3 1:1:1");
  std::printf("id %" PRIu64 "\n", user<SteamId(void*)>("GetSteamID")(self));
  std::printf("logged on %d\n", user<bool(void*)>("BLoggedOn")(self));
  std::printf("level %d\n", user<int(void*)>("GetPlayerSteamLevel")(self));
  const auto badge = user<int(void*, int, bool)>("GetGameBadgeLevel");
  std::printf("badges %d %d %d\n", badge(self, 1, false), badge(self, 1, true), badge(self, 2, false));
  for (const char* flag : {"BIsBehindNAT", "BIsPhoneVerified", "BIsTwoFactorEnabled", "BIsPhoneIdentifying",
                           "BIsPhoneRequiringVerification"}) {
    std::printf("%s %d\n", flag, user<bool(void*)>(flag)(self));
  }
}

void tickets(void* self, Dispatch& dispatch) {
  std::uint8_t ticket[1024];
  std::uint32_t bytes = 0;
  const SteamId own = user<SteamId(void*)>("GetSteamID")(self);
  const HAuthTicket none = sessionTicket(self, own, ticket, 100, &bytes);
  std::printf("ticket into 100 bytes: %u, needs %u\n", none, bytes);
  const HAuthTicket handle = sessionTicket(self, own, ticket, sizeof ticket, &bytes);
  std::printf("ticket %08x of %u bytes\n", handle, bytes);
  dispatch.frame();
  if (const auto web = find<HAuthTicket(void*, const char*)>("SteamAPI_ISteamUser_GetAuthTicketForWebApi")) {
    std::printf("web ticket %08x\n", web(self, "relay"));
    dispatch.frame();
  }
  const auto begin = user<int(void*, const void*, int, SteamId)>("BeginAuthSession");
  std::uint8_t broken[1024];
  std::memcpy(broken, ticket, sizeof broken);
  broken[0] ^= 1;
  std::printf("begin with a broken ticket %d\n", begin(self, broken, static_cast<int>(bytes), own));
  std::printf("begin %d\n", begin(self, ticket, static_cast<int>(bytes), own));
  std::printf("begin again %d\n", begin(self, ticket, static_cast<int>(bytes), own));
  dispatch.frame();
  user<void(void*, HAuthTicket)>("CancelAuthTicket")(self, handle);
  dispatch.frame();
  user<void(void*, SteamId)>("EndAuthSession")(self, own);
  const SteamId other = own + 1;
  const auto licensed = user<int(void*, SteamId, AppId)>("UserHasLicenseForApp");
  std::printf("license of another %d\n", licensed(self, other, 480));
  control("next begin-auth-session 0");
  control("next validation 0 76561197960265999");
  std::printf("begin of another %d\n", begin(self, broken, 1, other));
  dispatch.frame();
  std::printf("license of another %d, other app %d\n", licensed(self, other, 480), licensed(self, other, 481));
  control("license 481 1");
  std::printf("own license %d\n", licensed(self, own, 481));
  dispatch.frame();
}

void calls(void* self, Dispatch& dispatch) {
  char data[] = "user data";
  const auto request = user<CallHandle(void*, void*, int)>("RequestEncryptedAppTicket");
  const auto encrypted = user<bool(void*, void*, int, std::uint32_t*)>("GetEncryptedAppTicket");
  std::uint8_t ticket[1024];
  std::uint32_t bytes = 0;
  std::printf("encrypted ticket before %d\n", encrypted(self, ticket, sizeof ticket, &bytes));
  std::printf("handles are new %d\n", request(self, data, 9) != request(self, data, 9));
  dispatch.frame();
  std::printf("encrypted ticket %d", encrypted(self, ticket, sizeof ticket, &bytes));
  std::printf(" of %u bytes, %.9s\n", bytes, ticket + 8);
  user<CallHandle(void*, const char*)>("RequestStoreAuthURL")(self, "https://game.invalid/");
  user<CallHandle(void*)>("GetMarketEligibility")(self);
  control("duration 1 3600 1 2 60 30");
  user<CallHandle(void*)>("GetDurationControl")(self);
  control("next call-failure");
  user<CallHandle(void*)>("GetMarketEligibility")(self);
  control("next call-refused");
  user<CallHandle(void*)>("GetDurationControl")(self);
  dispatch.frame();
  const auto online = user<bool(void*, int)>("BSetDurationControlOnlineState");
  std::printf("online state %d %d\n", online(self, 0), online(self, 3));
  control("emit 152 e0010000010000000000000001000000");
  control("lose 3");
  std::printf("logged on %d\n", user<bool(void*)>("BLoggedOn")(self));
  control("restore");
  dispatch.frame();
  user<void(void*, SteamId, std::uint32_t, std::uint16_t)>("AdvertiseGame")(self, 5, 0x7f000001, 27015);
  std::uint8_t blob[2048];
  const auto connect = user<int(void*, void*, int, SteamId, std::uint32_t, std::uint16_t, bool)>(
      "InitiateGameConnection_DEPRECATED");
  const int none = connect(self, blob, 10, 5, 0x7f000001, 27015, true);
  std::printf("connection %d, %d\n", none, connect(self, blob, sizeof blob, 5, 0x7f000001, 27015, true));
  user<void(void*, std::uint32_t, std::uint16_t)>("TerminateGameConnection_DEPRECATED")(self, 0x7f000001, 27015);
}

void voice(void* self) {
  std::uint8_t packet[8192];
  std::vector<std::uint8_t> pcm(65536);
  std::uint32_t written = 0;
  std::printf("voice before %d\n", getVoice(self, packet, sizeof packet, &written));
  user<void(void*)>("StartVoiceRecording")(self);
  std::printf("voice in silence %d\n", getVoice(self, packet, sizeof packet, &written));
  const std::string made = control("voice make 300 7");
  control(("voice queue " + made).c_str());
  const auto available = user<int(void*, std::uint32_t*, std::uint32_t*, std::uint32_t)>("GetAvailableVoice");
  const int there = available(self, &written, nullptr, 0);
  std::printf("available %d %u\n", there, written);
  const int small = getVoice(self, packet, 299, &written);
  std::printf("voice into 299 bytes %d, needs %u\n", small, written);
  const int given = getVoice(self, packet, sizeof packet, &written);
  std::printf("voice %d %u\n", given, written);
  const std::uint32_t bytes = written;
  const auto decompress =
      user<int(void*, const void*, std::uint32_t, void*, std::uint32_t, std::uint32_t*, std::uint32_t)>("DecompressVoice");
  const auto decoded = [&](const char* what, std::uint32_t room, std::uint32_t rate) {
    const int result = decompress(self, packet, bytes, pcm.data(), room, &written, rate);
    std::printf("%s %d %u\n", what, result, written);
  };
  decoded("decompressed", 65536, 24000);
  decoded("decompressed at 44100", 65536, 44100);
  decoded("decompressed into 10 bytes", 10, 24000);
  packet[bytes - 1] ^= 1;
  decoded("decompressed with a wrong CRC", 65536, 24000);
  control("voice linger 2");
  control("voice repeat 700");
  control(("voice queue " + made).c_str());
  user<void(void*)>("StopVoiceRecording")(self);
  for (int i = 0; i < 5; i += 1) std::printf("after stop %d\n", getVoice(self, packet, sizeof packet, &written));
  std::printf("optimal rate %u\n", user<std::uint32_t(void*)>("GetVoiceOptimalSampleRate")(self));
}

}  // namespace harness
