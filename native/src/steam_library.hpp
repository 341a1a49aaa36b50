// libsteam_api, found at run time: loaded once a file, never unloaded, its symbols resolved by one table.
//
// Which symbols there are differs by SDK. The table says which of them Hotmic cannot do without, and a library that lacks
// one is refused with its name. Nothing here is locked: SteamCore does that.

#pragma once

#include <string>
#include <vector>

#include "steam_abi.hpp"

namespace hotmic {

enum class SymbolNeed { required, optional, any_of };

struct SteamSymbol {
  const char* name;
  SymbolNeed need;
  // For any_of: what the one of them does that has to be there. Else null.
  const char* group;
  // Of the pointer in SteamFunctions. The first name that is there takes it.
  size_t offset;
};

// All names that Hotmic looks up.
const std::vector<SteamSymbol>& steam_symbols();

struct SteamLibrary {
  // Absolute, links followed.
  std::string path;
  SteamFunctions functions;
};

struct LibraryFailure {
  // The loader did not take the file; or the file lacks symbols.
  enum class Stage { library, symbols } stage;
  std::string text;
};

// Absolute, links followed; as it is where the system cannot say.
std::string canonical_path(const std::string& path);

// Loads a file (UTF-8, absolute) and resolves its symbols. Null and why, when it cannot.
SteamLibrary* load_steam_library(const std::string& path, LibraryFailure& failure);

// Keeps the file that holds this code in memory until the process ends: a worker that loaded the addon first would take
// it away when it exits, while Steam lives on.
void pin_this_image();

}  // namespace hotmic
