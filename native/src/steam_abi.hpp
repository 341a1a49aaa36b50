// What Hotmic calls in Steam's redistributable, in our own declarations: flat C functions of SDK 1.52 to 1.65a, and the few
// structures that they take. None of Valve's headers is needed.
//
// Callback payloads are not declared: they are read by offset (native/real/callbacks.ts), because their packing differs by
// platform. `self` is the ISteamUser* of the accessor; these functions crash on NULL, so every call is guarded.

#pragma once

#include <cstddef>
#include <cstdint>

#ifdef _WIN32
#define HOTMIC_STEAM_CALL __cdecl
#else
#define HOTMIC_STEAM_CALL
#endif

namespace hotmic {

// SteamNetworkingIdentity: packed to 1 byte, 136 bytes on every platform. Types: 1 is an address (16 bytes of IPv6, then the port),
// 2 is a text with its NUL, 16 a SteamID.
#pragma pack(push, 1)
struct SteamIdentity {
  int32_t type;
  // Bytes of `value` that count.
  int32_t size;
  uint8_t value[128];
};
#pragma pack(pop)
static_assert(sizeof(SteamIdentity) == 136, "SteamNetworkingIdentity has 136 bytes");

// CallbackMsg_t: 20 bytes if structures are packed to 4 (Linux, macOS), 24 if to 8 (Windows). The offsets are the same.
constexpr size_t kCallbackBytes = 24;
constexpr size_t kCallbackIdAt = 4;
constexpr size_t kCallbackPayloadAt = 8;
constexpr size_t kCallbackSizeAt = 16;

// SteamAPICallCompleted_t, the callback that announces a call result.
constexpr int32_t kCallCompletedId = 703;
constexpr size_t kCallCompletedBytes = 16;
constexpr size_t kCallCompletedResultIdAt = 8;
constexpr size_t kCallCompletedSizeAt = 12;

// Callbacks of ISteamUser: 100 to 199.
constexpr int32_t kUserCallbacksFrom = 100;
constexpr int32_t kUserCallbacksTo = 200;

constexpr size_t kErrorMessageBytes = 1024;

constexpr int32_t kVoiceOk = 0;
constexpr int32_t kVoiceNotInitialized = 1;
constexpr int32_t kBeginAuthSessionOk = 0;

// The functions found in one library; missing ones are null.
struct SteamFunctions {
  // Initialisation: the first of these four that exists.
  int32_t(HOTMIC_STEAM_CALL* init_internal)(const char* interfaces, char* error);
  int32_t(HOTMIC_STEAM_CALL* init_flat)(char* error);
  bool(HOTMIC_STEAM_CALL* init_safe)();
  bool(HOTMIC_STEAM_CALL* init_plain)();
  void(HOTMIC_STEAM_CALL* shutdown)();
  bool(HOTMIC_STEAM_CALL* is_steam_running)();
  int32_t(HOTMIC_STEAM_CALL* pipe)();
  void(HOTMIC_STEAM_CALL* release_thread_memory)();

  void(HOTMIC_STEAM_CALL* dispatch_init)();
  void(HOTMIC_STEAM_CALL* run_frame)(int32_t pipe);
  bool(HOTMIC_STEAM_CALL* next_callback)(int32_t pipe, void* message);
  void(HOTMIC_STEAM_CALL* free_callback)(int32_t pipe);
  bool(HOTMIC_STEAM_CALL* call_result)(int32_t pipe, uint64_t call, void* result, int size, int id, bool* failed);

  void*(HOTMIC_STEAM_CALL* user_v023)();
  void*(HOTMIC_STEAM_CALL* user_v022)();
  void*(HOTMIC_STEAM_CALL* user_v021)();

  bool(HOTMIC_STEAM_CALL* logged_on)(void* self);
  uint64_t(HOTMIC_STEAM_CALL* steam_id)(void* self);
  int(HOTMIC_STEAM_CALL* steam_level)(void* self);
  int(HOTMIC_STEAM_CALL* badge_level)(void* self, int series, bool foil);
  bool(HOTMIC_STEAM_CALL* behind_nat)(void* self);
  bool(HOTMIC_STEAM_CALL* phone_identifying)(void* self);
  bool(HOTMIC_STEAM_CALL* phone_requiring_verification)(void* self);
  bool(HOTMIC_STEAM_CALL* phone_verified)(void* self);
  bool(HOTMIC_STEAM_CALL* two_factor)(void* self);

  void(HOTMIC_STEAM_CALL* start_voice)(void* self);
  void(HOTMIC_STEAM_CALL* stop_voice)(void* self);
  int32_t(HOTMIC_STEAM_CALL* available_voice)(void* self, uint32_t* bytes, uint32_t* unused_bytes, uint32_t unused_rate);
  int32_t(HOTMIC_STEAM_CALL* get_voice)(void* self, bool compressed, void* to, uint32_t room, uint32_t* written,
                                        bool unused, void* unused_to, uint32_t unused_room, uint32_t* unused_written,
                                        uint32_t unused_rate);
  int32_t(HOTMIC_STEAM_CALL* decompress_voice)(void* self, const void* voice, uint32_t bytes, void* to, uint32_t room,
                                               uint32_t* written, uint32_t rate);
  uint32_t(HOTMIC_STEAM_CALL* optimal_rate)(void* self);

  // The same name has another signature since SteamUser022: the accessor says which one it is.
  union {
    uint32_t(HOTMIC_STEAM_CALL* auth_ticket)(void* self, void* to, int room, uint32_t* written,
                                             const SteamIdentity* remote);
    uint32_t(HOTMIC_STEAM_CALL* auth_ticket_v021)(void* self, void* to, int room, uint32_t* written);
  };
  uint32_t(HOTMIC_STEAM_CALL* web_ticket)(void* self, const char* identity);
  void(HOTMIC_STEAM_CALL* cancel_ticket)(void* self, uint32_t handle);
  int32_t(HOTMIC_STEAM_CALL* begin_session)(void* self, const void* ticket, int bytes, uint64_t steam_id);
  void(HOTMIC_STEAM_CALL* end_session)(void* self, uint64_t steam_id);
  int32_t(HOTMIC_STEAM_CALL* has_license)(void* self, uint64_t steam_id, uint32_t app_id);

  // Takes its data as void*, not const void*: it gets a copy.
  uint64_t(HOTMIC_STEAM_CALL* request_encrypted_ticket)(void* self, void* data, int bytes);
  bool(HOTMIC_STEAM_CALL* encrypted_ticket)(void* self, void* to, int room, uint32_t* written);
  uint64_t(HOTMIC_STEAM_CALL* request_store_url)(void* self, const char* url);
  uint64_t(HOTMIC_STEAM_CALL* market_eligibility)(void* self);
  uint64_t(HOTMIC_STEAM_CALL* duration_control)(void* self);
  bool(HOTMIC_STEAM_CALL* set_duration_state)(void* self, int32_t state);

  void(HOTMIC_STEAM_CALL* advertise_game)(void* self, uint64_t server, uint32_t ip, uint16_t port);
  int(HOTMIC_STEAM_CALL* initiate_connection)(void* self, void* blob, int room, uint64_t server, uint32_t ip,
                                              uint16_t port, bool secure);
  void(HOTMIC_STEAM_CALL* terminate_connection)(void* self, uint32_t ip, uint16_t port);
  bool(HOTMIC_STEAM_CALL* user_data_folder)(void* self, char* to, int room);
};

}  // namespace hotmic
