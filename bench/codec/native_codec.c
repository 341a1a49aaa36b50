/*
 * Times native libopus, with which `make bench ONLY=codec` compares the codec.
 *
 *   native_codec encode RATE_HZ BITRATE COMPLEXITY LEAST_MS in.pcm out.steps
 *   native_codec decode RATE_HZ LEAST_MS in.steps out.pcm
 *
 * PCM is mono s16 in the machine's byte order. Steps are packets, each after its length in 16 bits, little-endian. Frames have
 * 20 ms. Every pass processes the whole input with a new encoder or decoder: one pass that is not timed, then as many as fill
 * LEAST_MS. The output of the last pass is written to the file. Prints `<passes> <nanoseconds of processor time> <arch>`, where
 * arch is the SIMD variant that libopus chose.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cpu_support.h"
#include "opus.h"

enum { MAX_PACKET_BYTES = 1276 };

static void die(const char *what) {
    fprintf(stderr, "Cannot %s\n", what);
    exit(1);
}

static uint64_t cpu_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void *read_file(const char *path, size_t *bytes) {
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) die("open the input");
    *bytes = (size_t)ftell(file);
    rewind(file);
    void *data = malloc(*bytes + 1);
    if (data == NULL || fread(data, 1, *bytes, file) != *bytes) die("read the input");
    fclose(file);
    return data;
}

static void write_file(const char *path, const void *data, size_t bytes) {
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(data, 1, bytes, file) != bytes || fclose(file) != 0) die("write the output");
}

/* One pass over all whole frames; returns the bytes of steps written to `out`. */
static size_t encode(const int16_t *pcm, size_t samples, int rate, int bitrate, int complexity, uint8_t *out) {
    int error;
    OpusEncoder *encoder = opus_encoder_create(rate, 1, OPUS_APPLICATION_VOIP, &error);
    if (error != OPUS_OK) die("make an encoder");
    opus_encoder_ctl(encoder, OPUS_SET_BITRATE(bitrate));
    opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(complexity));
    int frame = rate / 50;
    size_t at = 0;
    for (size_t i = 0; i + frame <= samples; i += frame) {
        int bytes = opus_encode(encoder, pcm + i, frame, out + at + 2, MAX_PACKET_BYTES);
        if (bytes < 1) die("encode");
        out[at] = (uint8_t)bytes;
        out[at + 1] = (uint8_t)(bytes >> 8);
        at += 2 + (size_t)bytes;
    }
    opus_encoder_destroy(encoder);
    return at;
}

/* One pass over all steps; returns the samples written to `out`. */
static size_t decode(const uint8_t *steps, size_t length, int rate, int16_t *out) {
    int error;
    OpusDecoder *decoder = opus_decoder_create(rate, 1, &error);
    if (error != OPUS_OK) die("make a decoder");
    int frame = rate / 50;
    size_t made = 0;
    for (size_t at = 0; at + 2 <= length;) {
        int bytes = steps[at] | steps[at + 1] << 8;
        if (at + 2 + bytes > length) die("read the steps: the last one is cut short");
        if (opus_decode(decoder, steps + at + 2, bytes, out + made, frame, 0) != frame) die("decode");
        made += frame;
        at += 2 + (size_t)bytes;
    }
    opus_decoder_destroy(decoder);
    return made;
}

int main(int argc, char **argv) {
    int encodes = argc == 8 && strcmp(argv[1], "encode") == 0;
    if (!encodes && !(argc == 6 && strcmp(argv[1], "decode") == 0)) die("run: unexpected arguments, see the comment at the top of the source");
    int rate = atoi(argv[2]);
    int least_ms = atoi(argv[argc - 3]);
    size_t bytes;
    void *input = read_file(argv[argc - 2], &bytes);
    /* Space for every frame at its largest; a step has at least three bytes. */
    size_t frames = encodes ? bytes / 2 / (rate / 50) : bytes / 3;
    void *out = malloc(1 + frames * (encodes ? 2 + MAX_PACKET_BYTES : (size_t)rate / 50 * 2));
    if (out == NULL) die("allocate the output");

    size_t made = 0;
    long passes = -1;
    uint64_t started = 0, elapsed = 0;
    do {
        if (passes == 0) started = cpu_ns();
        if (encodes) made = encode(input, bytes / 2, rate, atoi(argv[3]), atoi(argv[4]), out);
        else made = decode(input, bytes, rate, out) * sizeof(int16_t);
        if (passes >= 0) elapsed = cpu_ns() - started;
    } while (++passes < 1 || elapsed < (uint64_t)least_ms * 1000000u);
    write_file(argv[argc - 1], out, made);
    printf("%ld %llu %d\n", passes, (unsigned long long)elapsed, opus_select_arch());
    return 0;
}
