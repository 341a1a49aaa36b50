/* What the fuzz targets share: bytes are taken from the front of an input until it is empty, and a broken promise ends the
 * process, which libFuzzer reports with the input. */
#ifndef HOTMIC_FUZZ_H
#define HOTMIC_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A promise that the code under test must keep. */
#define HOLD(condition, ...) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: does not hold: %s: ", __FILE__, __LINE__, #condition); \
            fprintf(stderr, __VA_ARGS__); \
            fputc('\n', stderr); \
            abort(); \
        } \
    } while (0)

struct input {
    const uint8_t *at;
    size_t left;
};

/* The next byte; 0 when none is left. */
static unsigned take8(struct input *in)
{
    if (in->left == 0) return 0;
    in->left--;
    return *in->at++;
}

/* The next two bytes, little-endian. */
static unsigned take16(struct input *in)
{
    unsigned low = take8(in);
    return low | take8(in) << 8;
}

/* A copy of the next `bytes` bytes, or of what is left, in memory of exactly that size: AddressSanitizer sees one byte read
 * beyond. `bytes` is set to what was taken. The caller frees it. */
static uint8_t *take_copy(struct input *in, size_t *bytes)
{
    uint8_t *copy;
    if (*bytes > in->left) *bytes = in->left;
    copy = malloc(*bytes ? *bytes : 1);
    if (*bytes) memcpy(copy, in->at, *bytes);
    in->at += *bytes;
    in->left -= *bytes;
    return copy;
}

static const int RATES_HZ[5] = {8000, 12000, 16000, 24000, 48000};

#endif
