/** Who joins, and what the talkers say: the files that bench/load/players.ts writes. */

#pragma once

#include <array>
#include <fstream>
#include <string>
#include <vector>

#include "socket.hpp"
#include "tally.hpp"

namespace hotmic {

/** CRC-32 as zlib has it, at the end of every packet. */
inline uint32_t crc32(const uint8_t* data, size_t bytes) {
  static const std::array<uint32_t, 256> table = [] {
    std::array<uint32_t, 256> made{};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0xedb88320u : 0u);
      made[i] = value;
    }
    return made;
  }();
  uint32_t crc = 0xffffffffu;
  for (size_t i = 0; i < bytes; ++i) crc = (crc >> 8) ^ table[(crc ^ data[i]) & 0xff];
  return crc ^ 0xffffffffu;
}

struct Crowd {
  /** People per lobby, and the talkers among them, who come first. */
  uint32_t lobby = 1, talkers_per_lobby = 0;
  /** By connection. */
  std::vector<std::string> hellos;
  /** By lobby, then by their place in it. */
  std::vector<Talker> talkers;

  bool talks(uint32_t connection) const { return connection % lobby < talkers_per_lobby; }
  Talker& talker_at(uint32_t connection) {
    return talkers[connection / lobby * talkers_per_lobby + connection % lobby];
  }

  void read_hellos(const std::string& path) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) hellos.push_back(line);
    if (hellos.empty() || hellos.size() % lobby != 0) give_up("the hellos do not fill their lobbies");
  }

  /** u32 talkers, u32 frames of each, then the frames: u32 bytes, and the bytes. */
  void read_packets(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const auto u32 = [&file] {
      uint32_t value = 0;
      file.read(reinterpret_cast<char*>(&value), 4);
      return value;
    };
    const uint32_t count = u32(), frames = u32();
    if (count != hellos.size() / lobby * talkers_per_lobby) give_up("the number of talkers does not match the lobbies");
    if (frames == 0 || (frames & (frames - 1)) != 0) give_up("the number of frames per talker is not a power of two");
    talkers.resize(count);
    for (uint32_t i = 0; i < count; ++i) {
      Talker& talker = talkers[i];
      talker.connection = i / talkers_per_lobby * lobby + i % talkers_per_lobby;
      for (uint32_t j = 0; j < frames; ++j) {
        std::vector<uint8_t> frame(u32());
        if (frame.size() < wire::kSteamIdAt + 8 || frame.size() > kMaxSentBytes) give_up("the length of a frame is invalid");
        file.read(reinterpret_cast<char*>(frame.data()), static_cast<std::streamsize>(frame.size()));
        talker.frames.push_back(std::move(frame));
      }
      talker.steam_id = wire::u64(talker.frames[0].data() + wire::kSteamIdAt);
    }
    if (!file) give_up("the packets end too early");
  }

  /** A guest's packets have the SteamID that the relay made up. */
  static void rename(Talker& talker, uint64_t steam_id) {
    talker.steam_id = steam_id;
    for (std::vector<uint8_t>& frame : talker.frames) {
      uint8_t* packet = frame.data() + wire::kHeaderBytes;
      const size_t bytes = frame.size() - wire::kHeaderBytes;
      std::memcpy(packet, &steam_id, 8);
      const uint32_t crc = crc32(packet, bytes - 4);
      std::memcpy(packet + bytes - 4, &crc, 4);
    }
  }
};

}  // namespace hotmic
