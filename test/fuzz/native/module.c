/* Fuzz target: the module's own exports, called in any order with any numbers, as a mistake in JavaScript could. It is the
 * codec crate itself, compiled for this machine: Rust with overflow checks and debug assertions, C and Rust under
 * AddressSanitizer.
 *
 * An input is a run of calls: a byte that says which (% 20), then its arguments as `number` and `handle` read them. */
#include "fuzz.h"

#include <math.h>

#define MAX_CALLS 64
/* Of wasm/src/staging.rs. */
#define PCM_SAMPLES 144000
#define PACKET_BYTES 65536
#define IN_FLOATS 4096
#define OUT_FLOATS 8192

uint32_t decoder_new(uint32_t rate);
int32_t decoder_decode(uint32_t handle, uint32_t bytes, uint32_t room);
int32_t decoder_conceal(uint32_t handle, uint32_t samples);
int32_t decoder_fec(uint32_t handle, uint32_t bytes);
int32_t decoder_run(uint32_t handle, uint32_t bytes, uint32_t room);
uint32_t decoder_final_range(uint32_t handle);
int32_t decoder_reset(uint32_t handle);
void decoder_free(uint32_t handle);
uint32_t encoder_new(uint32_t rate, int32_t bitrate, int32_t complexity, int32_t dtx, int32_t loss, int32_t fec);
int32_t encoder_encode(uint32_t handle);
int32_t encoder_run(uint32_t handle, uint32_t frames);
int32_t encoder_in_dtx(uint32_t handle);
int32_t encoder_lookahead(uint32_t handle);
uint32_t encoder_final_range(uint32_t handle);
int32_t encoder_reset(uint32_t handle);
void encoder_free(uint32_t handle);
uint32_t resampler_new(uint32_t from, uint32_t to);
int32_t resampler_delay(uint32_t handle);
int32_t resampler_max_input(uint32_t handle);
int32_t resampler_max_stream(uint32_t handle);
int32_t resampler_process(uint32_t handle, uint32_t samples);
int32_t resampler_stream(uint32_t handle, uint32_t samples);
int32_t resampler_stretch(uint32_t handle, uint32_t in, uint32_t out);
int32_t resampler_reset(uint32_t handle);
void resampler_free(uint32_t handle);
size_t live_bytes(void);
int16_t *pcm_ptr(void);
int16_t *resampled_ptr(void);
uint8_t *packet_ptr(void);
float *in_ptr(void);
float *out_ptr(void);

/* Instances of a kind that live at once: making more frees the first. */
#define MAX_LIVE 3

static const uint32_t RATES[] = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 4000, 192000, 96000, 47999, 11026};
static size_t idle_bytes;

/* Up to 255, up to 65535, or at the edges of what is possible. */
static uint32_t number(struct input *in)
{
    static const uint32_t edges[] = {0, 1, 0xffffffff, 0x80000000, 0x7fffffff, PCM_SAMPLES, PCM_SAMPLES + 1, PACKET_BYTES,
        PACKET_BYTES + 1, IN_FLOATS, IN_FLOATS + 1, OUT_FLOATS, 72000, 72001, 5760, 960};
    unsigned kind = take8(in);
    if (kind < 100) return take8(in);
    if (kind < 200) return take16(in);
    return edges[kind % (sizeof edges / sizeof *edges)];
}

static uint32_t rate(struct input *in)
{
    unsigned kind = take8(in);
    return kind < 240 ? RATES[kind % (sizeof RATES / sizeof *RATES)] : number(in) * (kind & 1 ? 1 : 3);
}

/* Mostly a live one. */
static uint32_t handle(struct input *in)
{
    unsigned kind = take8(in);
    return kind < 240 ? 1 + kind % MAX_LIVE : kind < 250 ? kind - 240 : (uint32_t)-1 << (kind - 250) * 6;
}

static void free_all(void)
{
    for (uint32_t live = 1; live <= MAX_LIVE; live++) {
        decoder_free(live);
        encoder_free(live);
        resampler_free(live);
    }
}

static void fill_pcm(struct input *in)
{
    unsigned kind = take8(in), amplitude = take16(in), seed = take8(in);
    int16_t *pcm = pcm_ptr();
    uint32_t state = seed + 1;
    for (int i = 0; i < PCM_SAMPLES / 20; i++) {
        state = state * 1664525 + 1013904223;
        pcm[i] = (int16_t)(kind % 4 == 0 ? state >> 16 : kind % 4 == 1 ? (i / (seed + 1) % 2 ? amplitude : -amplitude)
            : kind % 4 == 2 ? amplitude : 0);
    }
}

static void fill_floats(struct input *in)
{
    static const float edges[] = {0.0f, -0.0f, 1.0f, -1.0f, 32768.0f, 3.4e38f, -3.4e38f, 1e-40f, INFINITY, -INFINITY, NAN, 1e-7f};
    unsigned kind = take8(in), seed = take8(in);
    float *floats = in_ptr();
    uint32_t state = seed + 1;
    for (int i = 0; i < IN_FLOATS; i++) {
        state = state * 1664525 + 1013904223;
        if (kind % 3 == 0) floats[i] = (float)(int32_t)state / 2147483648.0f;
        else if (kind % 3 == 1) memcpy(floats + i, &state, 4);
        else floats[i] = edges[(state >> 16) % (sizeof edges / sizeof *edges)];
    }
}

static int is_between(int64_t value, int64_t low, int64_t high)
{
    return value >= low && value <= high;
}

/* Errors of libopus are -1 to -7. */
#define HOLD_ANSWER(answer, most) HOLD(is_between(answer, -7, (int64_t)(most)), "answer %d, at most %lld", answer, (long long)(most))

static void call(struct input *in)
{
    uint32_t made, h, a, b;
    int32_t answer;
    switch (take8(in) % 20) {
    case 0:
        made = decoder_new(rate(in));
        HOLD(made <= MAX_LIVE + 1, "handle %u", made);
        if (made > MAX_LIVE) decoder_free(made);
        return;
    case 1: {
        uint32_t hz = take8(in) < 240 ? 24000 : rate(in), bitrate = take8(in) < 200 ? 6000 + take16(in) % 58001 : number(in);
        uint32_t complexity = take8(in) < 240 ? take8(in) % 11 : number(in), dtx = take8(in) % 3, loss = take8(in) % 102;
        made = encoder_new(hz, (int32_t)bitrate, (int32_t)complexity, (int32_t)dtx, (int32_t)loss, (int32_t)(take8(in) % 4));
        HOLD(made <= MAX_LIVE + 1, "handle %u", made);
        if (made > MAX_LIVE) encoder_free(made);
        return;
    }
    case 2:
        a = rate(in), b = rate(in);
        made = resampler_new(a, b);
        HOLD(made <= MAX_LIVE + 1, "handle %u", made);
        if (made > MAX_LIVE) resampler_free(made);
        return;
    case 3:
        a = take8(in), h = handle(in);
        if (a % 3 == 0) decoder_free(h);
        else if (a % 3 == 1) encoder_free(h);
        else resampler_free(h);
        return;
    case 4: case 5: {
        size_t bytes = take16(in);
        uint8_t *copy = take_copy(in, &bytes);
        memcpy(packet_ptr(), copy, bytes);
        free(copy);
        return;
    }
    case 6:
        fill_pcm(in);
        return;
    case 7:
        fill_floats(in);
        return;
    case 8:
        h = handle(in), a = number(in), b = number(in);
        answer = decoder_decode(h, a, b);
        HOLD_ANSWER(answer, b < PCM_SAMPLES ? b : PCM_SAMPLES);
        return;
    case 9:
        h = handle(in), a = number(in);
        answer = decoder_conceal(h, a);
        HOLD(answer < 0 || (uint32_t)answer == a, "%d samples for %u", answer, a);
        return;
    case 10:
        h = handle(in), a = number(in);
        answer = decoder_fec(h, a);
        HOLD_ANSWER(answer, 960);
        return;
    case 11: case 12:
        h = handle(in), a = number(in), b = number(in);
        answer = decoder_run(h, a, b);
        HOLD_ANSWER(answer, b < PCM_SAMPLES ? b : PCM_SAMPLES);
        return;
    case 13:
        h = handle(in);
        decoder_final_range(h), decoder_reset(h), encoder_final_range(h), encoder_lookahead(h);
        if (take8(in) % 2) encoder_reset(h);
        HOLD_ANSWER(encoder_in_dtx(h), 1);
        return;
    case 14:
        answer = encoder_encode(handle(in));
        HOLD_ANSWER(answer, 1276);
        HOLD(answer != 0, "a packet of no bytes");
        return;
    case 15:
        h = handle(in), a = number(in);
        if (a > 4 && a < 65536) a %= 5; /* Slow, and more of the same. */
        answer = encoder_run(h, a);
        HOLD_ANSWER(answer, PACKET_BYTES);
        if (answer > 0) {
            uint32_t at = 0, packets = 0;
            for (; at + 2 <= (uint32_t)answer; packets++) at += 2 + (packet_ptr()[at] | packet_ptr()[at + 1] << 8);
            HOLD(at == (uint32_t)answer && packets == a, "%u packets end at %u of %d", packets, at, answer);
        }
        return;
    case 16:
        h = handle(in), a = number(in);
        b = (uint32_t)resampler_max_input(h);
        answer = resampler_process(h, a);
        HOLD_ANSWER(answer, OUT_FLOATS);
        HOLD((answer >= 0) == ((int32_t)b >= 0 && a <= b), "%u inputs of at most %d: %d", a, (int32_t)b, answer);
        return;
    case 17:
        h = handle(in), a = number(in);
        b = (uint32_t)resampler_max_stream(h);
        answer = resampler_stream(h, a);
        HOLD_ANSWER(answer, PCM_SAMPLES);
        HOLD((answer >= 0) == ((int32_t)b >= 0 && a <= b), "%u inputs of at most %d: %d", a, (int32_t)b, answer);
        return;
    case 18: {
        /* The floor of the exact ratio, as VoiceDecoder asks, is taken; anything is allowed. */
        uint32_t to = rate(in);
        h = handle(in), a = number(in);
        b = take8(in) < 200 ? (uint32_t)((uint64_t)a * to / 24000) : number(in);
        answer = resampler_stretch(h, a, b);
        HOLD(answer < 0 || (uint32_t)answer == b, "%d samples, wanted %u", answer, b);
        return;
    }
    default:
        h = handle(in);
        resampler_delay(h);
        resampler_reset(h);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    /* The tables of handles grow once and stay. */
    for (int live = 0; live <= MAX_LIVE; live++) {
        decoder_new(24000);
        encoder_new(24000, 32000, 0, 0, 0, 0);
        resampler_new(24000, 48000);
    }
    free_all();
    decoder_free(MAX_LIVE + 1), encoder_free(MAX_LIVE + 1), resampler_free(MAX_LIVE + 1);
    idle_bytes = live_bytes();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    /* What an input before this one left in the areas must not matter. */
    memset(packet_ptr(), 0, 4096);
    memset(pcm_ptr(), 0, PCM_SAMPLES / 10);
    memset(in_ptr(), 0, IN_FLOATS * sizeof(float));
    for (int calls = 0; calls < MAX_CALLS && in.left > 0; calls++) call(&in);
    free_all();
    HOLD(live_bytes() == idle_bytes, "%zu bytes live, %zu before", live_bytes(), idle_bytes);
    return 0;
}
