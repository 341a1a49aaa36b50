/* Native libopus as an oracle: encodes or decodes from standard input to standard output. test/kit/opus/oracle.ts runs it,
 * test/kit/opus/native_opus.ts builds it from the very sources of the wasm build.
 *
 *   oracle about             prints which SIMD libopus uses on this processor: 0 none, on x86 2 SSE2, 3 SSE4.1, 4 AVX2
 *   oracle encode NAME=N …   PCM in, packets out; names and presets below
 *   oracle decode RATE       steps in, mono PCM out; the decoder's final range goes to standard error
 *
 * A packet is its length (16 bits, little-endian) and its bytes. Steps are packets and, in place of a length: 65535 resets
 * the decoder, 65534 conceals 20 ms, 65533 takes 20 ms from the in-band FEC of the packet that follows, or conceals
 * them where it holds none; that packet is then decoded as well. PCM is signed 16 bit, little-endian, as is every machine that this runs on. */
#include <opus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cpu_support.h"
#include "src/opus_private.h"

#define RESET 65535
#define CONCEAL 65534
#define FEC 65533

static unsigned char packet[65536];
static opus_int16 pcm[2 * 5760];

static void fail(const char *what, int error)
{
    fprintf(stderr, "oracle: %s: %d\n", what, error);
    exit(1);
}

static int read_u16(void)
{
    unsigned char bytes[2];
    return fread(bytes, 2, 1, stdin) == 1 ? bytes[0] | bytes[1] << 8 : -1;
}

/* How to encode. `samples` is a packet's, a channel. bandwidth, signal, mode and forceChannels of 0 leave the choice to
 * libopus. `sweep` is a seed: every 1 to 25 packets, bitrate (6 to 64 kbit/s), complexity, DTX, FEC and VBR are drawn
 * again. `vary` is a seed, too, and draws everything, so that every mode follows every other. */
enum { RATE, CHANNELS, APPLICATION, SAMPLES, BITRATE, COMPLEXITY, DTX, LOSS, FEC_ON, VBR, BANDWIDTH, SIGNAL, MODE, FORCE_CHANNELS, SWEEP, VARY, NAMES };
static const char *const name[NAMES] = {
    "rate", "channels", "application", "samples", "bitrate", "complexity", "dtx", "loss", "fec", "vbr", "bandwidth",
    "signal", "mode", "forceChannels", "sweep", "vary"
};
static int value[NAMES] = { 24000, 1, OPUS_APPLICATION_VOIP, 480, 32000, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0 };

static void set(OpusEncoder *encoder, int request, int to)
{
    int error = opus_encoder_ctl(encoder, request, to);
    if (error) fail("set", request);
}

static int or_auto(int choice) { return choice ? choice : OPUS_AUTO; }

static void configure(OpusEncoder *encoder)
{
    set(encoder, OPUS_SET_BITRATE_REQUEST, value[BITRATE]);
    set(encoder, OPUS_SET_COMPLEXITY_REQUEST, value[COMPLEXITY]);
    set(encoder, OPUS_SET_DTX_REQUEST, value[DTX]);
    set(encoder, OPUS_SET_PACKET_LOSS_PERC_REQUEST, value[LOSS]);
    set(encoder, OPUS_SET_INBAND_FEC_REQUEST, value[FEC_ON]);
    set(encoder, OPUS_SET_VBR_REQUEST, value[VBR]);
    set(encoder, OPUS_SET_BANDWIDTH_REQUEST, or_auto(value[BANDWIDTH]));
    set(encoder, OPUS_SET_SIGNAL_REQUEST, or_auto(value[SIGNAL]));
    set(encoder, OPUS_SET_FORCE_MODE_REQUEST, or_auto(value[MODE]));
    set(encoder, OPUS_SET_FORCE_CHANNELS_REQUEST, or_auto(value[FORCE_CHANNELS]));
}

static int draw(int limit)
{
    static opus_uint32 state;
    if (!state) state = value[VARY] + value[SWEEP];
    state = state * 1664525u + 1013904223u;
    return (int)((state >> 8) % limit);
}

static void redraw(OpusEncoder *encoder)
{
    static const int part[9] = { 400, 200, 100, 50, 50, 50, 50, 25, 0 };
    value[BITRATE] = 6000 + draw(58001);
    value[COMPLEXITY] = draw(11);
    value[DTX] = draw(2);
    value[FEC_ON] = draw(2);
    value[LOSS] = value[FEC_ON] ? 5 + draw(30) : 0;
    value[VBR] = draw(4) != 0;
    if (value[VARY]) {
        int share = part[draw(9)];
        value[SAMPLES] = share ? value[RATE] / share : value[RATE] * (3 + draw(4)) / 50;
        value[BANDWIDTH] = draw(3) ? OPUS_BANDWIDTH_NARROWBAND + draw(5) : 0;
        value[SIGNAL] = draw(3) ? 0 : OPUS_SIGNAL_VOICE + draw(2);
        value[MODE] = draw(2) ? MODE_SILK_ONLY + draw(3) : 0;
        value[FORCE_CHANNELS] = value[CHANNELS] == 2 ? draw(3) : 0;
    }
    configure(encoder);
}

static int encode(int argc, char **argv)
{
    int error, i, left = 0;
    OpusEncoder *encoder;
    for (i = 2; i < argc; i++) {
        const char *equals = strchr(argv[i], '=');
        int k = 0;
        while (k < NAMES && !(equals && strncmp(name[k], argv[i], equals - argv[i]) == 0 && !name[k][equals - argv[i]])) k++;
        if (k == NAMES) fail("encode knows no such name, at argument", i);
        value[k] = atoi(equals + 1);
    }
    encoder = opus_encoder_create(value[RATE], value[CHANNELS], value[APPLICATION], &error);
    if (error) fail("create", error);
    configure(encoder);
    for (;;) {
        opus_int32 bytes;
        if ((value[VARY] || value[SWEEP]) && left-- == 0) {
            redraw(encoder);
            left = draw(25);
        }
        if (fread(pcm, 2 * value[CHANNELS], value[SAMPLES], stdin) != (size_t)value[SAMPLES]) return 0;
        /* As the wasm encoder for one frame of 20 ms or less; a longer packet holds several. */
        bytes = opus_encode(encoder, pcm, value[SAMPLES], packet, value[SAMPLES] > value[RATE] / 50 ? 65000 : 1276);
        if (bytes < 1) fail("encode", bytes);
        putchar(bytes & 255);
        putchar(bytes >> 8);
        fwrite(packet, 1, bytes, stdout);
    }
}

static void play(OpusDecoder *decoder, const unsigned char *data, int bytes, int room, int fec)
{
    int samples = opus_decode(decoder, data, bytes, pcm, room, fec);
    if (samples < 0) fail("decode", samples);
    fwrite(pcm, 2, samples, stdout);
}

static int decode(int rate)
{
    opus_uint32 range;
    int error, length, is_fec = 0;
    OpusDecoder *decoder = opus_decoder_create(rate, 1, &error);
    if (error) fail("create", error);
    while ((length = read_u16()) >= 0) {
        if (is_fec && length >= FEC) fail("no packet follows FEC but", length);
        if (length == RESET) opus_decoder_ctl(decoder, OPUS_RESET_STATE);
        else if (length == CONCEAL) play(decoder, NULL, 0, rate / 50, 0);
        else if (length == FEC) is_fec = 1;
        else {
            if (fread(packet, 1, length, stdin) != (size_t)length) fail("input ends in a packet of", length);
            if (is_fec && opus_packet_has_lbrr(packet, length) > 0) play(decoder, packet, length, rate / 50, 1);
            else if (is_fec) play(decoder, NULL, 0, rate / 50, 0);
            is_fec = 0;
            play(decoder, packet, length, 5760, 0);
        }
    }
    if (is_fec) fail("input ends after FEC", 0);
    opus_decoder_ctl(decoder, OPUS_GET_FINAL_RANGE(&range));
    fprintf(stderr, "%u\n", range);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "about") == 0) return printf("%d\n", opus_select_arch()) < 0;
    if (argc > 1 && strcmp(argv[1], "encode") == 0) return encode(argc, argv);
    if (argc == 3 && strcmp(argv[1], "decode") == 0) return decode(atoi(argv[2]));
    fail("expected about, encode or decode; arguments", argc);
    return 1;
}
