/* Native libopus as an oracle for the golden vectors: encodes or decodes from standard input to standard output.
 * Built by test/wasm/make_golden.ts with the system's C compiler from the very sources of the wasm build.
 *
 *   oracle encode RATE CHANNELS APPLICATION SAMPLES BITRATE COMPLEXITY DTX LOSS FEC   PCM in, packets out
 *   oracle decode RATE                                                               packets in, PCM out
 *
 * A packet is its length (16 bits, host order) and its bytes. When decoding, length 65535 resets the decoder and 65534
 * conceals 20 ms. The decoder's final range goes to standard error. PCM is signed 16 bit, host order. */
#include <opus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(const char *what, int error)
{
    fprintf(stderr, "oracle: %s: %d\n", what, error);
    exit(1);
}

static int encode(int argc, char **argv)
{
    static opus_int16 pcm[2 * 5760];
    static unsigned char packet[65536];
    int value[9], error, i;
    OpusEncoder *encoder;
    if (argc != 11) fail("encode wants nine numbers", argc);
    for (i = 0; i < 9; i++) value[i] = atoi(argv[i + 2]);
    encoder = opus_encoder_create(value[0], value[1], value[2], &error);
    if (error) fail("create", error);
    opus_encoder_ctl(encoder, OPUS_SET_BITRATE(value[4]));
    opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(value[5]));
    opus_encoder_ctl(encoder, OPUS_SET_DTX(value[6]));
    opus_encoder_ctl(encoder, OPUS_SET_PACKET_LOSS_PERC(value[7]));
    opus_encoder_ctl(encoder, OPUS_SET_INBAND_FEC(value[8]));
    while (fread(pcm, 2 * value[1], value[3], stdin) == (size_t)value[3]) {
        /* As the wasm encoder for one frame of 20 ms or less; a longer packet holds several. */
        opus_int32 bytes = opus_encode(encoder, pcm, value[3], packet, value[3] > value[0] / 50 ? 65000 : 1276);
        opus_uint16 length = (opus_uint16)bytes;
        if (bytes < 0) fail("encode", bytes);
        fwrite(&length, 2, 1, stdout);
        fwrite(packet, 1, bytes, stdout);
    }
    return 0;
}

static int decode(int rate)
{
    static opus_int16 pcm[5760];
    static unsigned char packet[65536];
    opus_uint16 length;
    opus_uint32 range;
    int error;
    OpusDecoder *decoder = opus_decoder_create(rate, 1, &error);
    if (error) fail("create", error);
    while (fread(&length, 2, 1, stdin) == 1) {
        int samples = 0;
        if (length == 65535) opus_decoder_ctl(decoder, OPUS_RESET_STATE);
        else if (length == 65534) samples = opus_decode(decoder, NULL, 0, pcm, rate / 50, 0);
        else {
            if (fread(packet, 1, length, stdin) != length) fail("input ends in a packet", length);
            samples = opus_decode(decoder, packet, length, pcm, 5760, 0);
        }
        if (samples < 0) fail("decode", samples);
        fwrite(pcm, 2, samples, stdout);
    }
    opus_decoder_ctl(decoder, OPUS_GET_FINAL_RANGE(&range));
    fprintf(stderr, "%u\n", range);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "encode") == 0) return encode(argc, argv);
    if (argc == 3 && strcmp(argv[1], "decode") == 0) return decode(atoi(argv[2]));
    fail("wants encode or decode", argc);
    return 1;
}
