/*
 * Times native libopus with deep PLC, call by call, on the stream that bench/plc/timing.ts gives its modules.
 *
 *   native_plc RATE_HZ COMPLEXITY PASSES in.steps
 *
 * Steps are a length in 16 bits, little-endian, and a packet; a length of 0 is a lost frame of 20 ms. Each pass has a new decoder. One
 * that is not timed comes first. Prints the nanoseconds of processor time of each call, a line per pass, and in the first line the SIMD
 * variant that libopus chose.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cpu_support.h"
#include "opus.h"

static void die(const char *what) {
    fprintf(stderr, "Cannot %s\n", what);
    exit(1);
}

static uint64_t cpu_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int main(int argc, char **argv) {
    if (argc != 5) die("run: unexpected arguments, see the comment at the top of the source");
    int rate = atoi(argv[1]), complexity = atoi(argv[2]), passes = atoi(argv[3]);
    FILE *file = fopen(argv[4], "rb");
    static uint8_t steps[1 << 22];
    size_t length = file == NULL ? 0 : fread(steps, 1, sizeof(steps), file);
    if (length == 0 || length == sizeof(steps)) die("read the steps");
    printf("%d\n", opus_select_arch());
    static int16_t pcm[960];
    for (int pass = -1; pass < passes; pass++) {
        int error;
        OpusDecoder *decoder = opus_decoder_create(rate, 1, &error);
        if (error != OPUS_OK) die("make a decoder");
        opus_decoder_ctl(decoder, OPUS_SET_COMPLEXITY(complexity));
        for (size_t at = 0; at + 2 <= length;) {
            int bytes = steps[at] | steps[at + 1] << 8;
            const uint8_t *packet = bytes == 0 ? NULL : steps + at + 2;
            uint64_t start = cpu_ns();
            if (opus_decode(decoder, packet, bytes, pcm, rate / 50, 0) != rate / 50) die("decode");
            uint64_t end = cpu_ns();
            if (pass >= 0) printf("%llu ", (unsigned long long)(end - start));
            at += 2 + (size_t)bytes;
        }
        if (pass >= 0) printf("\n");
        opus_decoder_destroy(decoder);
    }
    return 0;
}
