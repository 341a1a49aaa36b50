/*
 * Times the resampler of speexdsp, with which `make bench ONLY=codec` compares ours.
 *
 *   native_resampler FROM_HZ TO_HZ QUALITY LEAST_MS in.f32 out.f32
 *
 * Mono floats, in blocks of 20 ms, one call each. Every pass processes the whole input with a new state: one pass that is not
 * timed, then as many as fill LEAST_MS. The output of the last pass is written to the file. Creating the state is not timed.
 * Prints `<passes> <nanoseconds of processor time>`.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "speex_resampler.h"

static void die(const char *what) {
    fprintf(stderr, "Cannot %s\n", what);
    exit(1);
}

static uint64_t cpu_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static float *read_file(const char *path, size_t *samples) {
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) die("open the input");
    *samples = (size_t)ftell(file) / sizeof(float);
    rewind(file);
    float *data = malloc((*samples + 1) * sizeof(float));
    if (data == NULL || fread(data, sizeof(float), *samples, file) != *samples) die("read the input");
    fclose(file);
    return data;
}

int main(int argc, char **argv) {
    if (argc != 7) die("run: expected FROM_HZ TO_HZ QUALITY LEAST_MS in.f32 out.f32");
    unsigned from = (unsigned)atoi(argv[1]), to = (unsigned)atoi(argv[2]);
    int quality = atoi(argv[3]), least_ms = atoi(argv[4]);
    size_t samples;
    float *input = read_file(argv[5], &samples);
    size_t room = (size_t)((double)samples * to / from) + 1000;
    float *out = malloc(room * sizeof(float));
    if (out == NULL) die("allocate the output");

    size_t made = 0;
    long passes = -1;
    uint64_t elapsed = 0;
    do {
        int error;
        SpeexResamplerState *state = speex_resampler_init(1, from, to, quality, &error);
        if (error != 0) die("make a resampler");
        uint64_t started = cpu_ns();
        made = 0;
        for (size_t at = 0; at < samples;) {
            spx_uint32_t in = from / 50, taken = (spx_uint32_t)(room - made);
            if (in > samples - at) in = (spx_uint32_t)(samples - at);
            if (speex_resampler_process_float(state, 0, input + at, &in, out + made, &taken) != 0) die("resample");
            if (in == 0) die("resample: nothing was taken");
            at += in;
            made += taken;
        }
        if (passes >= 0) elapsed += cpu_ns() - started;
        speex_resampler_destroy(state);
    } while (++passes < 1 || elapsed < (uint64_t)least_ms * 1000000u);
    FILE *file = fopen(argv[6], "wb");
    if (file == NULL || fwrite(out, sizeof(float), made, file) != made || fclose(file) != 0) die("write the output");
    printf("%ld %llu\n", passes, (unsigned long long)elapsed);
    return 0;
}
