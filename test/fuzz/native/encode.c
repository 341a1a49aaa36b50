/* Fuzz target: any PCM through one OpusEncoder with any of its options, and what comes out through two decoders.
 *
 * Bytes 0 and 1: bitrate, 6000 + u16 % 58001. Byte 2: complexity, % 11. Byte 3: bit 0 DTX, bit 1 in-band FEC, bits 2 to 4 the
 * second decoder's rate, bits 5 to 7 how many packets it gets between two lost ones. Byte 4: expected loss, % 101. Then ops,
 * each for one frame of 480 samples or several: bits 0 to 2 of the first byte say which, bits 3 to 5 how many frames more
 * (kinds 0 and 7: always one).
 *   0 raw: 960 bytes, zeros if too short      1 silence           2 square: u16 amplitude, u8 half period
 *   3 noise: u16 amplitude, u8 seed           4 the last frame    5 impulse: u16 where, u16 value
 *   6 triangle: u16 amplitude, u8 period      7 reset of the encoder, then a constant: u16
 *
 * Holds: 1 to 1276 bytes in memory of that size, 480 samples back, and the range coder in the same state on both sides. */
#include "fuzz.h"

#include <opus.h>

#define FRAME 480
#define MAX_PACKET 1276
#define MAX_FRAMES 32

static void fill(opus_int16 *pcm, unsigned kind, struct input *in)
{
    unsigned a, b, i;
    switch (kind) {
    case 0:
        for (i = 0; i < FRAME; i++) pcm[i] = (opus_int16)take16(in);
        return;
    case 1:
        memset(pcm, 0, FRAME * sizeof *pcm);
        return;
    case 2:
        a = take16(in), b = 1 + take8(in);
        for (i = 0; i < FRAME; i++) pcm[i] = (opus_int16)(i / b % 2 ? a : -a);
        return;
    case 3: {
        uint32_t state;
        a = take16(in), b = take8(in);
        state = b * 7919 + 1;
        for (i = 0; i < FRAME; i++) {
            state = state * 1664525 + 1013904223;
            pcm[i] = (opus_int16)((int64_t)(int32_t)state * (int32_t)(a & 0x7fff) >> 31);
        }
        return;
    }
    case 4:
        return;
    case 5:
        a = take16(in), b = take16(in);
        memset(pcm, 0, FRAME * sizeof *pcm);
        pcm[a % FRAME] = (opus_int16)b;
        return;
    case 6:
        a = take16(in) & 0x7fff, b = 2 + take8(in);
        for (i = 0; i < FRAME; i++) {
            int phase = (int)(i % b), half = (int)b / 2;
            pcm[i] = (opus_int16)((phase < half ? phase : (int)b - phase) * 2 * (int)a / (int)b - (int)a / 2);
        }
        return;
    default:
        a = take16(in);
        for (i = 0; i < FRAME; i++) pcm[i] = (opus_int16)a;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    unsigned bitrate = 6000 + take16(&in) % 58001, complexity = take8(&in) % 11, flags = take8(&in), loss = take8(&in) % 101;
    int rate = RATES_HZ[(flags >> 2 & 7) % 5], gap = 1 + (int)(flags >> 5), frames = 0, lost = 0;
    opus_int16 *pcm = calloc(FRAME, sizeof *pcm);
    opus_int16 *heard = malloc(FRAME * sizeof *heard), *second_heard = malloc(rate / 50 * sizeof *heard);
    OpusEncoder *encoder = malloc(opus_encoder_get_size(1));
    OpusDecoder *decoder = malloc(opus_decoder_get_size(1)), *second = malloc(opus_decoder_get_size(1));
    HOLD(opus_encoder_init(encoder, 24000, 1, OPUS_APPLICATION_VOIP) == OPUS_OK, "encoder");
    HOLD(opus_decoder_init(decoder, 24000, 1) == OPUS_OK, "decoder");
    HOLD(opus_decoder_init(second, rate, 1) == OPUS_OK, "decoder at %d Hz", rate);
    HOLD(opus_encoder_ctl(encoder, OPUS_SET_VBR(1)) == OPUS_OK, "VBR");
    HOLD(opus_encoder_ctl(encoder, OPUS_SET_BITRATE((opus_int32)bitrate)) == OPUS_OK, "%u bit/s", bitrate);
    HOLD(opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY((opus_int32)complexity)) == OPUS_OK, "complexity %u", complexity);
    HOLD(opus_encoder_ctl(encoder, OPUS_SET_DTX((opus_int32)(flags & 1))) == OPUS_OK, "DTX");
    HOLD(opus_encoder_ctl(encoder, OPUS_SET_PACKET_LOSS_PERC((opus_int32)loss)) == OPUS_OK, "loss %u", loss);
    HOLD(opus_encoder_ctl(encoder, OPUS_SET_INBAND_FEC((opus_int32)(flags >> 1 & 1))) == OPUS_OK, "FEC");
    while (in.left > 0 && frames < MAX_FRAMES) {
        unsigned op = take8(&in), kind = op & 7;
        int repeat = kind == 0 || kind == 7 ? 1 : 1 + (int)(op >> 3 & 7);
        if (kind == 7) opus_encoder_ctl(encoder, OPUS_RESET_STATE);
        for (fill(pcm, kind, &in); repeat > 0 && frames < MAX_FRAMES; repeat--, frames++) {
            uint8_t *room = malloc(MAX_PACKET), *packet;
            opus_uint32 coded = 0, decoded = 0;
            int samples, bytes = opus_encode(encoder, pcm, FRAME, room, MAX_PACKET);
            HOLD(bytes >= 1 && bytes <= MAX_PACKET, "%d bytes", bytes);
            packet = malloc(bytes);
            memcpy(packet, room, bytes);
            free(room);
            samples = opus_decode(decoder, packet, bytes, heard, FRAME, 0);
            HOLD(samples == FRAME, "%d samples", samples);
            opus_encoder_ctl(encoder, OPUS_GET_FINAL_RANGE(&coded));
            opus_decoder_ctl(decoder, OPUS_GET_FINAL_RANGE(&decoded));
            HOLD(coded == decoded, "final range %08x coded, %08x decoded, %d bytes", coded, decoded, bytes);
            if (frames % gap == gap - 1 && !lost) {
                lost = 1;
            } else {
                if (lost) HOLD(opus_decode(second, packet, bytes, second_heard, rate / 50, 1) == rate / 50, "FEC");
                HOLD(opus_decode(second, packet, bytes, second_heard, rate / 50, 0) == rate / 50, "second");
                lost = 0;
            }
            free(packet);
        }
    }
    free(encoder);
    free(decoder);
    free(second);
    free(pcm);
    free(heard);
    free(second_heard);
    return 0;
}
