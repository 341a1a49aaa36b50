/** The arguments of the load generator. */

#pragma once

#include <map>
#include <string>

#include "random.hpp"

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
  std::string text(const std::string& name, const std::string& fallback) const {
    return values_.count(name) == 0 ? fallback : text(name);
  }
  int64_t number(const std::string& name) const { return std::stoll(text(name)); }
  int64_t number(const std::string& name, int64_t fallback) const {
    return values_.count(name) == 0 ? fallback : number(name);
  }

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace hotmic
