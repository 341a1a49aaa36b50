/* Fuzz target: one Opus decoder, mono, at one of Opus' five rates, living through all the steps of an input.
 *
 * Byte 0 says the rate (bits 0 to 2) and whether a failure resets the decoder, as VoiceDecoder does (bit 7). Then steps as
 * in OpusDecoder.decodeBatch: u16 little-endian length and that many bytes, where 0xFFFF resets, 0xFFFE conceals 20 ms,
 * 0xFFFD decodes 20 ms from the in-band FEC of the packet that follows (it need not hold any), which is decoded afterwards as
 * well, and 0xFFFC and a u32 is silence, which no decoder sees. Two more, for what single calls can ask: 0xFFFB and a byte n
 * conceals 2.5 ms * (1 + n % 48), and 0xFFFA and a u16 gives the packet that follows room for that many samples only. A
 * length beyond the end takes what is left.
 *
 * Each packet lies in memory of its own size, and so does the PCM. */
#include "steps.h"

#include <opus.h>

#define HEADER_BYTES 1
#define FIRST_SPECIAL 0xfffa
#define ROOM 0xfffa
#define CONCEAL_LONG 0xfffb
#define SILENCE 0xfffc
#define FEC 0xfffd
#define CONCEAL 0xfffe
#define RESET 0xffff

static size_t special_bytes(unsigned length)
{
    return length == ROOM ? 2 : length == CONCEAL_LONG ? 1 : length == SILENCE ? 4 : 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    return mutate_steps(data, size, max_size, seed, HEADER_BYTES, FIRST_SPECIAL);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *one, size_t one_size, const uint8_t *two, size_t two_size, uint8_t *out,
    size_t max_size, unsigned seed)
{
    return cross_steps(one, one_size, two, two_size, out, max_size, seed, HEADER_BYTES, FIRST_SPECIAL);
}

/* One call of the decoder; `packet` may be null. Answers as opus_decode does. */
static int decode(OpusDecoder *decoder, const uint8_t *packet, size_t bytes, int room, int fec)
{
    opus_int16 *pcm = malloc(room * sizeof *pcm);
    volatile int sum = 0;
    int i, samples = opus_decode(decoder, packet, (opus_int32)bytes, pcm, room, fec);
    HOLD(samples <= room, "%d samples in room for %d", samples, room);
    HOLD(samples > 0 || (samples <= OPUS_BUFFER_TOO_SMALL && samples >= OPUS_INVALID_PACKET), "answer %d", samples);
    /* Every promised sample was written: MemorySanitizer, where this is built with it, sees one that was not. */
    for (i = 0; i < samples; i++) if (pcm[i] > 0) sum++;
    free(pcm);
    return samples;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    unsigned header = take8(&in);
    int rate = RATES_HZ[(header & 7) % 5];
    int resets = header >> 7, longest = rate / 25 * 3, frame = rate / 50, room = longest, fec = 0, steps;
    OpusDecoder *decoder = malloc(opus_decoder_get_size(1));
    HOLD(opus_decoder_init(decoder, rate, 1) == OPUS_OK, "%d Hz", rate);
    for (steps = 0; steps < MAX_STEPS && in.left >= 2; steps++) {
        unsigned length = take16(&in);
        if (length == RESET) {
            opus_decoder_ctl(decoder, OPUS_RESET_STATE);
        } else if (length == CONCEAL) {
            HOLD(decode(decoder, NULL, 0, frame, 0) == frame, "20 ms concealed");
        } else if (length == CONCEAL_LONG) {
            int samples = rate / 400 * (1 + (int)take8(&in) % 48);
            HOLD(decode(decoder, NULL, 0, samples, 0) == samples, "%d concealed", samples);
        } else if (length == FEC) {
            fec = 1;
            continue;
        } else if (length == SILENCE) {
            take16(&in), take16(&in);
        } else if (length == ROOM) {
            room = 1 + (int)take16(&in) % longest;
            continue;
        } else {
            size_t bytes = length;
            uint8_t *packet = take_copy(&in, &bytes);
            if (bytes > 0) {
                int plays = opus_packet_get_nb_samples(packet, (opus_int32)bytes, rate), samples;
                int has_fec = opus_packet_has_lbrr(packet, (opus_int32)bytes);
                HOLD(has_fec <= 1, "has FEC: %d", has_fec);
                if (fec) {
                    samples = decode(decoder, packet, bytes, frame, 1);
                    HOLD(samples == frame || samples < 0, "%d samples of FEC", samples);
                }
                samples = decode(decoder, packet, bytes, room, 0);
                if (samples > 0) HOLD(samples == plays, "%d samples, its TOC says %d", samples, plays);
                if (samples < 0 && resets) opus_decoder_ctl(decoder, OPUS_RESET_STATE);
            }
            free(packet);
        }
        fec = 0;
        room = longest;
    }
    free(decoder);
    return 0;
}
