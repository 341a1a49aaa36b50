// The names of the core's enums in JavaScript: native/real/addon.ts has them as unions.

#pragma once

#include "steam_core.hpp"

namespace hotmic {

inline const char* stage_name(InitStage stage) {
  switch (stage) {
    case InitStage::open:
      return "open";
    case InitStage::library:
      return "library";
    case InitStage::symbols:
      return "symbols";
    case InitStage::init:
      return "init";
    case InitStage::interface_missing:
      return "interface";
    case InitStage::dispatch:
      return "dispatch";
  }
  return "init";
}

inline const char* need_name(SymbolNeed need) {
  switch (need) {
    case SymbolNeed::required:
      return "required";
    case SymbolNeed::optional:
      return "optional";
    case SymbolNeed::any_of:
      return "any-of";
  }
  return "required";
}

}  // namespace hotmic
