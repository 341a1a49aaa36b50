// libsteam_api, found at run time: each file is loaded once and never unloaded; one table resolves its symbols.
//
// The symbols differ by SDK. The table says which of them Hotmic needs; a library without one of those is refused, with its name.
// Nothing here is locked: SteamCore does that.

#pragma once

#include <string>
#include <vector>

#include "steam_abi.hpp"

namespace hotmic {

enum class SymbolNeed { required, optional, any_of };

struct SteamSymbol {
  const char* name;
  SymbolNeed need;
  // For any_of: what the required one of them does. Otherwise null.
  const char* group;
  // Offset of the pointer in SteamFunctions. The first name that exists sets it.
  size_t offset;
};

// All names that Hotmic looks up.
const std::vector<SteamSymbol>& steam_symbols();

struct SteamLibrary {
  // Absolute, with links resolved.
  std::string path;
  SteamFunctions functions;
};

struct LibraryFailure {
  // The loader refused the file, or the file has not all symbols.
  enum class Stage { library, symbols } stage;
  std::string text;
};

// Absolute, with links resolved; unchanged if the system cannot resolve it.
std::string canonical_path(const std::string& path);

// Loads a file (UTF-8, absolute) and resolves its symbols. Null, with the failure, if it cannot.
SteamLibrary* load_steam_library(const std::string& path, LibraryFailure& failure);

// Keeps the file with this code in memory until the process ends: otherwise a worker that loaded the addon first would unload it on
// exit, while Steam lives on.
void pin_this_image();

}  // namespace hotmic
