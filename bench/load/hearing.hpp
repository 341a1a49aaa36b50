/** Reads the relay's messages about hearing sets: whom a listener hears, and where the streams of these people stand. */

#pragma once

#include <string_view>
#include <vector>

#include "tally.hpp"

namespace hotmic {

/** The numbers in the list with this name, also those in lists within it; empty when there is no such list. */
inline std::vector<uint32_t> numbers_of(std::string_view text, std::string_view name, std::string_view end) {
  std::vector<uint32_t> found;
  const size_t begin = text.find(name);
  if (begin == std::string_view::npos) return found;
  const std::string_view list = text.substr(begin + name.size(), text.find(end, begin) - begin - name.size());
  const auto is_digit = [&list](size_t at) { return at < list.size() && list[at] >= '0' && list[at] <= '9'; };
  for (size_t at = 0; at < list.size(); ++at) {
    if (!is_digit(at)) continue;
    uint32_t number = 0;
    for (; is_digit(at); ++at) number = number * 10 + static_cast<uint32_t>(list[at] - '0');
    found.push_back(number);
  }
  return found;
}

/**
 * Applies a message `hears`. `own` is what its listener hears of each talker, and `reception` finds one of these by the talker's slot, or
 * null for somebody who does not talk. `missing` counts the frames that did not arrive before a stream ended.
 */
template <typename ReceptionOf>
void apply_hears(std::string_view text, Reception* own, uint32_t talkers, ReceptionOf reception, uint64_t& missing) {
  const std::vector<uint32_t> until = numbers_of(text, "\"until\":[[", "]]");
  for (size_t at = 0; at + 2 < until.size(); at += 3) {
    if (const Reception* ended = reception(until[at])) ended->end(static_cast<uint16_t>(until[at + 2]), missing);
  }
  if (text.find("\"only\":") != std::string_view::npos) {
    const bool everyone = text.find("\"only\":true") == std::string_view::npos;
    for (uint32_t i = 0; i < talkers; ++i) own[i].is_within = everyone;
  }
  for (const uint32_t slot : numbers_of(text, "\"fewer\":[", "]")) {
    if (Reception* it = reception(slot)) it->is_within = false;
  }
  for (const uint32_t slot : numbers_of(text, "\"more\":[", "]")) {
    if (Reception* it = reception(slot)) it->is_within = true;
  }
  const std::vector<uint32_t> next = numbers_of(text, "\"next\":[[", "]]");
  for (size_t at = 0; at + 2 < next.size(); at += 3) {
    if (Reception* begun = reception(next[at])) begun->begin(static_cast<uint16_t>(next[at + 2]));
  }
}

}  // namespace hotmic
