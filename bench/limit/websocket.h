/** The parts of WebSocket's framing (RFC 6455) that both directions of the C relay need. */

#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum opcode { TEXT = 1, BINARY = 2, CLOSE = 8 };

/** The length of the header of a server's message of up to 64 KiB. */
static inline size_t server_head_bytes(size_t bytes) { return bytes < 126 ? 2 : 4; }

static inline void write_server_head(uint8_t *to, enum opcode opcode, size_t bytes) {
  to[0] = (uint8_t)(0x80 | opcode);
  if (bytes < 126) {
    to[1] = (uint8_t)bytes;
    return;
  }
  to[1] = 126;
  to[2] = (uint8_t)(bytes >> 8);
  to[3] = (uint8_t)bytes;
}

/** Removes a client's mask of four bytes, in place. */
static inline void unmask(uint8_t *data, size_t bytes, const uint8_t *mask) {
  uint32_t narrow;
  memcpy(&narrow, mask, 4);
  const uint64_t wide = (uint64_t)narrow << 32 | narrow;
  size_t at = 0;
  for (; at + 8 <= bytes; at += 8) {
    uint64_t word;
    memcpy(&word, data + at, 8);
    word ^= wide;
    memcpy(data + at, &word, 8);
  }
  for (; at < bytes; ++at) data[at] ^= ((const uint8_t *)&narrow)[at & 3];
}
