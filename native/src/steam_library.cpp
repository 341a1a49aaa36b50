// See steam_library.hpp.

#include "steam_library.hpp"

#include <cstdlib>
#include <cstring>
#include <memory>

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>
#else
#include <dlfcn.h>
#include <limits.h>
#endif

namespace hotmic {

namespace {

#define HOTMIC_REQUIRED(name, field) {name, SymbolNeed::required, nullptr, offsetof(SteamFunctions, field)}
#define HOTMIC_OPTIONAL(name, field) {name, SymbolNeed::optional, nullptr, offsetof(SteamFunctions, field)}
#define HOTMIC_ANY_OF(group, name, field) {name, SymbolNeed::any_of, group, offsetof(SteamFunctions, field)}
#define HOTMIC_USER(name, field) HOTMIC_REQUIRED("SteamAPI_ISteamUser_" name, field)

// Within a group, the preferred one first.
const std::vector<SteamSymbol> kSymbols = {
    // The only one that checks whether the client knows the interface.
    HOTMIC_ANY_OF("initialisation", "SteamInternal_SteamAPI_Init", init_internal),
    HOTMIC_ANY_OF("initialisation", "SteamAPI_InitFlat", init_flat),
    HOTMIC_ANY_OF("initialisation", "SteamAPI_InitSafe", init_safe),
    HOTMIC_ANY_OF("initialisation", "SteamAPI_Init", init_plain),
    HOTMIC_REQUIRED("SteamAPI_Shutdown", shutdown),
    HOTMIC_OPTIONAL("SteamAPI_IsSteamRunning", is_steam_running),
    HOTMIC_REQUIRED("SteamAPI_GetHSteamPipe", pipe),
    HOTMIC_OPTIONAL("SteamAPI_ReleaseCurrentThreadMemory", release_thread_memory),

    HOTMIC_REQUIRED("SteamAPI_ManualDispatch_Init", dispatch_init),
    HOTMIC_REQUIRED("SteamAPI_ManualDispatch_RunFrame", run_frame),
    HOTMIC_REQUIRED("SteamAPI_ManualDispatch_GetNextCallback", next_callback),
    HOTMIC_REQUIRED("SteamAPI_ManualDispatch_FreeLastCallback", free_callback),
    HOTMIC_REQUIRED("SteamAPI_ManualDispatch_GetAPICallResult", call_result),

    HOTMIC_ANY_OF("the interface", "SteamAPI_SteamUser_v023", user_v023),
    HOTMIC_ANY_OF("the interface", "SteamAPI_SteamUser_v022", user_v022),
    HOTMIC_ANY_OF("the interface", "SteamAPI_SteamUser_v021", user_v021),

    HOTMIC_USER("BLoggedOn", logged_on),
    HOTMIC_USER("GetSteamID", steam_id),
    HOTMIC_USER("GetPlayerSteamLevel", steam_level),
    HOTMIC_USER("GetGameBadgeLevel", badge_level),
    HOTMIC_USER("BIsBehindNAT", behind_nat),
    HOTMIC_USER("BIsPhoneIdentifying", phone_identifying),
    HOTMIC_USER("BIsPhoneRequiringVerification", phone_requiring_verification),
    HOTMIC_USER("BIsPhoneVerified", phone_verified),
    HOTMIC_USER("BIsTwoFactorEnabled", two_factor),

    HOTMIC_USER("StartVoiceRecording", start_voice),
    HOTMIC_USER("StopVoiceRecording", stop_voice),
    HOTMIC_USER("GetAvailableVoice", available_voice),
    HOTMIC_USER("GetVoice", get_voice),
    HOTMIC_USER("DecompressVoice", decompress_voice),
    HOTMIC_USER("GetVoiceOptimalSampleRate", optimal_rate),

    HOTMIC_USER("GetAuthSessionTicket", auth_ticket),
    HOTMIC_OPTIONAL("SteamAPI_ISteamUser_GetAuthTicketForWebApi", web_ticket),
    HOTMIC_USER("CancelAuthTicket", cancel_ticket),
    HOTMIC_USER("BeginAuthSession", begin_session),
    HOTMIC_USER("EndAuthSession", end_session),
    HOTMIC_USER("UserHasLicenseForApp", has_license),

    HOTMIC_USER("RequestEncryptedAppTicket", request_encrypted_ticket),
    HOTMIC_USER("GetEncryptedAppTicket", encrypted_ticket),
    HOTMIC_USER("RequestStoreAuthURL", request_store_url),
    HOTMIC_USER("GetMarketEligibility", market_eligibility),
    HOTMIC_USER("GetDurationControl", duration_control),
    HOTMIC_USER("BSetDurationControlOnlineState", set_duration_state),

    HOTMIC_OPTIONAL("SteamAPI_ISteamUser_GetUserDataFolder", user_data_folder),
    HOTMIC_USER("AdvertiseGame", advertise_game),
    // Renamed with SDK 1.52.
    HOTMIC_ANY_OF("initiateGameConnection", "SteamAPI_ISteamUser_InitiateGameConnection_DEPRECATED",
                  initiate_connection),
    HOTMIC_ANY_OF("initiateGameConnection", "SteamAPI_ISteamUser_InitiateGameConnection", initiate_connection),
    HOTMIC_ANY_OF("terminateGameConnection", "SteamAPI_ISteamUser_TerminateGameConnection_DEPRECATED",
                  terminate_connection),
    HOTMIC_ANY_OF("terminateGameConnection", "SteamAPI_ISteamUser_TerminateGameConnection", terminate_connection),
};

// The most names in the text of a failure; the rest are counted.
constexpr size_t kNamesInText = 8;

#ifdef _WIN32

std::wstring wide(const std::string& text) {
  const int length = MultiByteToWideChar(CP_UTF8, 0, text.data(), static_cast<int>(text.size()), nullptr, 0);
  std::wstring out(static_cast<size_t>(length), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, text.data(), static_cast<int>(text.size()), &out[0], length);
  return out;
}

std::string narrow(const wchar_t* text) {
  const int length = WideCharToMultiByte(CP_UTF8, 0, text, -1, nullptr, 0, nullptr, nullptr);
  if (length <= 1) return "";
  std::string out(static_cast<size_t>(length), '\0');
  WideCharToMultiByte(CP_UTF8, 0, text, -1, &out[0], length, nullptr, nullptr);
  out.pop_back();
  return out;
}

// UTF-16 units, with the NUL.
constexpr DWORD kMaxPath = 32768;

// \\?\C:\… is C:\…, and \\?\UNC\server\… is \\server\….
std::string without_prefix(const std::string& path) {
  if (path.compare(0, 8, "\\\\?\\UNC\\") == 0) return "\\" + path.substr(7);
  return path.compare(0, 4, "\\\\?\\") == 0 ? path.substr(4) : path;
}

void* load(const std::string& path, std::string& why) {
  HMODULE module = LoadLibraryExW(wide(path).c_str(), nullptr, LOAD_WITH_ALTERED_SEARCH_PATH);
  if (module != nullptr) return module;
  const DWORD code = GetLastError();
  wchar_t buffer[512] = {};
  // The mask: without line breaks of its own.
  FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS | FORMAT_MESSAGE_MAX_WIDTH_MASK, nullptr,
                 code, 0, buffer, 512, nullptr);
  std::string text = narrow(buffer);
  // Most texts end with CR LF or a blank.
  while (!text.empty() && std::strchr("\r\n ", text.back()) != nullptr) text.pop_back();
  if (text.empty()) text = "the loader gave no reason";
  // The system expects its caller to fill in the file: "%1 is not a valid Win32 application."
  const size_t name = text.find("%1");
  why = name == std::string::npos ? path + ": " + text : text.replace(name, 2, path);
  why += " (" + std::to_string(code) + ")";
  return nullptr;
}

void* find(void* library, const char* name) {
  return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(library), name));
}

#else

void* load(const std::string& path, std::string& why) {
  // Steam's library exports wrappers named open, stat and so on: RTLD_LOCAL hides them from everything else.
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library != nullptr) return library;
  const char* text = dlerror();
  why = text != nullptr ? text : path + ": the loader gave no reason";
  return nullptr;
}

void* find(void* library, const char* name) { return dlsym(library, name); }

#endif

bool is_absolute(const std::string& path) {
#ifdef _WIN32
  const bool drive = path.size() > 2 && path[1] == ':' && (path[2] == '\\' || path[2] == '/');
  return drive || path.compare(0, 2, "\\\\") == 0;
#else
  return !path.empty() && path[0] == '/';
#endif
}

bool is_set(const SteamFunctions& functions, size_t offset) {
  void* pointer = nullptr;
  std::memcpy(&pointer, reinterpret_cast<const char*>(&functions) + offset, sizeof pointer);
  return pointer != nullptr;
}

// The missing symbols: names, and for a group the names of which one is enough.
std::vector<std::string> missing(const SteamFunctions& functions) {
  std::vector<std::string> names;
  for (const SteamSymbol& symbol : kSymbols) {
    if (symbol.need == SymbolNeed::required && !is_set(functions, symbol.offset)) names.emplace_back(symbol.name);
    if (symbol.need != SymbolNeed::any_of) continue;
    bool is_first = true;
    bool is_there = false;
    std::string choice;
    for (const SteamSymbol& other : kSymbols) {
      if (other.need != SymbolNeed::any_of || std::strcmp(other.group, symbol.group) != 0) continue;
      if (choice.empty()) is_first = &other == &symbol;
      choice += (choice.empty() ? "" : " or ") + std::string(other.name);
      is_there = is_there || is_set(functions, other.offset);
    }
    if (is_first && !is_there) names.push_back(choice);
  }
  return names;
}

}  // namespace

const std::vector<SteamSymbol>& steam_symbols() { return kSymbols; }

std::string canonical_path(const std::string& path) {
#ifdef _WIN32
  const HANDLE file = CreateFileW(wide(path).c_str(), 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                                  nullptr, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr);
  if (file == INVALID_HANDLE_VALUE) return path;
  std::wstring full(kMaxPath, L'\0');
  // It also has the file's own upper and lower case, and long names for short ones.
  const DWORD length = GetFinalPathNameByHandleW(file, &full[0], kMaxPath, FILE_NAME_NORMALIZED);
  CloseHandle(file);
  if (length == 0 || length >= kMaxPath) return path;
  full.resize(length);
  return without_prefix(narrow(full.c_str()));
#else
  char full[PATH_MAX];
  return realpath(path.c_str(), full) == nullptr ? path : std::string(full);
#endif
}

SteamLibrary* load_steam_library(const std::string& path, LibraryFailure& failure) {
  if (!is_absolute(path)) {
    failure = {LibraryFailure::Stage::library, path + ": expected an absolute path"};
    return nullptr;
  }
  std::string why;
  void* handle = load(path, why);
  if (handle == nullptr) {
    failure = {LibraryFailure::Stage::library, why};
    return nullptr;
  }
  auto library = std::make_unique<SteamLibrary>();
  library->path = canonical_path(path);
  std::memset(&library->functions, 0, sizeof library->functions);
  for (const SteamSymbol& symbol : kSymbols) {
    if (is_set(library->functions, symbol.offset)) continue;
    void* pointer = find(handle, symbol.name);
    std::memcpy(reinterpret_cast<char*>(&library->functions) + symbol.offset, &pointer, sizeof pointer);
  }
  const std::vector<std::string> names = missing(library->functions);
  if (!names.empty()) {
    std::string text = path + " does not export ";
    for (size_t at = 0; at < names.size() && at < kNamesInText; at++) text += (at == 0 ? "" : ", ") + names[at];
    if (names.size() > kNamesInText) text += " and " + std::to_string(names.size() - kNamesInText) + " more";
    failure = {LibraryFailure::Stage::symbols, text};
    return nullptr;
  }
  return library.release();
}

void pin_this_image() {
#ifdef _WIN32
  HMODULE module = nullptr;
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                     reinterpret_cast<LPCWSTR>(&pin_this_image), &module);
#else
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&pin_this_image), &info) == 0 || info.dli_fname == nullptr) return;
  dlopen(info.dli_fname, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE | RTLD_NOLOAD);
#endif
}

}  // namespace hotmic
