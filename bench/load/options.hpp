/** The arguments of the load generator. */

#pragma once

#include <map>
#include <string>

#include "socket.hpp"

namespace hotmic {

/** `name=value` arguments. */
class Options {
 public:
  Options(int count, char** arguments) {
    for (int i = 1; i < count; ++i) {
      const std::string argument = arguments[i];
      const size_t at = argument.find('=');
      if (at == std::string::npos) give_up("the argument is " + argument + ", expected name=value");
      values_[argument.substr(0, at)] = argument.substr(at + 1);
    }
  }
  std::string text(const std::string& name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) give_up("the argument " + name + " is missing");
    return found->second;
  }
  int64_t number(const std::string& name) const { return std::stoll(text(name)); }

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace hotmic
