/* Mutates inputs of the form HEADER bytes, then steps: u16 little-endian length and that many bytes, where a length from
 * FIRST_SPECIAL up stands for something else and has `special_bytes` behind it. Whole steps are changed, doubled, moved and
 * dropped, with their lengths kept right, so that most inputs reach the decoder and not only the end of the reader. */
#ifndef HOTMIC_STEPS_H
#define HOTMIC_STEPS_H

#include "fuzz.h"

#define MAX_STEPS 64

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* Bytes behind the special length `length`. */
static size_t special_bytes(unsigned length);

struct span {
    size_t start, payload, end;
};

static size_t find_steps(const uint8_t *data, size_t size, size_t header, unsigned first_special, struct span *spans)
{
    size_t at = header, count = 0;
    while (at + 2 <= size && count < MAX_STEPS) {
        unsigned length = data[at] | data[at + 1] << 8;
        size_t bytes = length >= first_special ? special_bytes(length) : length;
        spans[count].start = at;
        spans[count].payload = at + 2;
        at += 2 + bytes;
        if (at > size) at = size;
        spans[count++].end = at;
    }
    return count;
}

/* The next number of a small generator (xorshift). */
static uint32_t next_number(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Replaces data[from, to) by `with`; returns the new size, or the old one when there is no room. */
static size_t splice(uint8_t *data, size_t size, size_t max_size, size_t from, size_t to, const uint8_t *with, size_t bytes)
{
    size_t grown = size - (to - from) + bytes;
    if (grown > max_size) return size;
    memmove(data + from + bytes, data + to, size - to);
    memcpy(data + from, with, bytes);
    return grown;
}

static size_t mutate_steps(uint8_t *data, size_t size, size_t max_size, unsigned seed, size_t header, unsigned first_special)
{
    static uint8_t copy[1 << 16];
    struct span spans[MAX_STEPS];
    size_t count = find_steps(data, size, header, first_special, spans);
    uint32_t random = seed * 2654435761u + 12345;
#define NEXT() next_number(&random)
    struct span span, other;
    size_t bytes;
    NEXT();
    if (count == 0 || NEXT() % 10 == 0) return LLVMFuzzerMutate(data, size, max_size);
    span = spans[NEXT() % count];
    other = spans[NEXT() % count];
    bytes = span.end - span.payload;
    if (span.end - span.start > sizeof copy - 2048) return LLVMFuzzerMutate(data, size, max_size);
    switch (NEXT() % 12) {
    case 0: /* The header. */
        data[NEXT() % header] = (uint8_t)NEXT();
        return size;
    case 1: case 2: case 3: case 4: /* What is inside a step, its length being kept right. */
        memcpy(copy + 2, data + span.payload, bytes);
        bytes = LLVMFuzzerMutate(copy + 2, bytes, bytes + 64);
        copy[0] = (uint8_t)bytes;
        copy[1] = (uint8_t)(bytes >> 8);
        return splice(data, size, max_size, span.start, span.end, copy, bytes + 2);
    case 5: /* Another mode, bandwidth, frame size, channel count or code. */
        if (bytes > 0) data[span.payload] = NEXT() % 2 ? (uint8_t)NEXT() : data[span.payload] ^ (1 << NEXT() % 8);
        return size;
    case 6: /* Once more, here or there. */
        bytes = span.end - span.start;
        memcpy(copy, data + span.start, bytes);
        return splice(data, size, max_size, other.start, other.start, copy, bytes);
    case 7: /* Lost. */
        return splice(data, size, max_size, span.start, span.end, copy, 0);
    case 8: case 9: { /* A special step before it. */
        unsigned special = first_special + NEXT() % (0x10000 - first_special);
        copy[0] = (uint8_t)special;
        copy[1] = (uint8_t)(special >> 8);
        memset(copy + 2, 0, 4);
        copy[2] = (uint8_t)NEXT();
        copy[3] = (uint8_t)NEXT();
        return splice(data, size, max_size, span.start, span.start, copy, 2 + special_bytes(special));
    }
    case 10: /* Cut short. */
        if (bytes < 2) return size;
        bytes = 1 + NEXT() % (bytes - 1);
        copy[0] = (uint8_t)bytes;
        copy[1] = (uint8_t)(bytes >> 8);
        memcpy(copy + 2, data + span.payload, bytes);
        return splice(data, size, max_size, span.start, span.end, copy, bytes + 2);
    default: /* A bit of what is coded. */
        if (bytes > 0) data[span.payload + NEXT() % bytes] ^= 1 << NEXT() % 8;
        return size;
    }
#undef NEXT
}

/* Some steps of the one between those of the other. */
static size_t cross_steps(const uint8_t *one, size_t one_size, const uint8_t *two, size_t two_size, uint8_t *out, size_t max_size,
    unsigned seed, size_t header, unsigned first_special)
{
    struct span ones[MAX_STEPS], twos[MAX_STEPS];
    size_t count = find_steps(one, one_size, header, first_special, ones);
    size_t twos_count = find_steps(two, two_size, header, first_special, twos);
    size_t from, to, at;
    if (one_size > max_size) one_size = max_size;
    memcpy(out, one, one_size);
    if (count == 0 || twos_count == 0) return one_size;
    from = seed % twos_count;
    to = from + (seed >> 8) % (twos_count - from) + 1;
    if (to > twos_count) to = twos_count;
    at = ones[(seed >> 16) % count].start;
    if (at > one_size) at = one_size;
    return splice(out, one_size, max_size, at, at, two + twos[from].start, twos[to - 1].end - twos[from].start);
}

#endif
