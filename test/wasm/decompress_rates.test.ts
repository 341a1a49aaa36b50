/**
 * Decompression at every rate from 11025 to 48000 Hz, written from the format and not from the code: how many samples a packet
 * gives, that a refusal changes nothing, and that the sound is the one that 24 kHz has, late by what the decoder says.
 */

import t from 'tap';
import type { VoiceResult } from '../../voice/voice_result.js';
import { DECOMPRESS_RATES_HZ, VoiceDecoder } from '../../wasm/decompress.js';
import { codecLiveBytes, Resampler } from '../../wasm/index.js';
import {
  BUFFER_TOO_SMALL,
  CANARY,
  DATA_CORRUPTED,
  digest,
  FRAME,
  joined,
  MARKER,
  newDecoder,
  OK,
  UNSUPPORTED_CODEC,
} from '../kit/decoders.js';
import { SILENCE_PACKET } from '../kit/golden_packets.js';
import { encode, frames, SPEECH, speech } from '../kit/led_decoder.js';
import { frameOf, opusOp, packetOfOps, RATE_24K, u16Hex } from '../kit/raw_packet.js';
import { tonePcm } from '../kit/tone.js';

/** Rates, and the samples of one frame of 480 at each. */
const FRAME_AT = [
  [11_025, 220],
  [12_000, 240],
  [12_345, 246],
  [16_000, 320],
  [22_050, 441],
  [24_000, 480],
  [32_000, 640],
  [44_100, 882],
  [47_999, 959],
  [48_000, 960],
] as const;
const RATES = FRAME_AT.map(([rate]) => rate);
/** Those at which 480 samples become a whole number, and Opus does not decode by itself. */
const EXACT_RESAMPLED = [22_050, 32_000, 44_100] as const;

/** Clean enough to tell a resampler's faults from the codec's, and all below 0.8 of any rate's Nyquist frequency. */
const TONES = encode(mixed(100, [310, 997, 2203, 3511]), { bitrate: 64_000, complexity: 10 });

t.test('a packet gives floor(sum × rate / 24000) samples, with no remainder carried on', async (t) => {
  const silence = (samples: number) => `00${u16Hex(samples)}`;
  const table: [name: string, ops: string, sum: number][] = [
    ['two frames', opusOp(frames(1, 2)), 2 * FRAME],
    ['two groups of four and three', opusOp(frames(3, 4, 5, 6)) + opusOp(frames(7, 8, 9)), 7 * FRAME],
    ['a gap of two', opusOp(frames(12)), 3 * FRAME],
    ['a gap of more than ten', opusOp(frames(60)), 11 * FRAME],
    ['a step backward', opusOp(frames(5)), FRAME],
    ['silence at 48 kHz, odd', `0b${u16Hex(48_000)}${silence(1501)}`, 750],
    ['silence, a frame, silence', silence(1) + opusOp(frames(6)) + silence(2), FRAME + 3],
    ['a marker and a gap', opusOp(MARKER + frames(3)), 4 * FRAME],
    ['a frame of length 0', opusOp('00000400'), FRAME],
    ['120 ms in one frame', opusOp(frameOf(5, '6b06')), 2880],
    ['no audio', '', 0],
  ];
  for (const [rate, samples] of FRAME_AT) {
    const decoder = newDecoder(t, rate);
    t.match(play(decoder, speech(0)), { result: OK, samples, decodedFrames: 1 }, `${rate} Hz`);
    const silences = [0, 1, 1, 1, 2, 3, 7, 751, 65_535].map(
      (n) => [`silence of ${n}`, silence(n), n] as const,
    );
    for (const [name, ops, sum] of [...table, ...silences]) {
      const wanted = { result: OK, samples: Math.floor((sum * rate) / 24_000) };
      t.match(play(decoder, packetOfOps(RATE_24K + ops)), wanted, `${rate} Hz: ${name}`);
    }
  }
});

t.test('a packet holds 3 s and not a sample more, counted at 24 kHz', async (t) => {
  const silence = (samples: number) => `0b${u16Hex(8000)}00${u16Hex(samples)}`;
  const longFrames = opusOp(Array.from({ length: 25 }, (_, n) => frameOf(n, '6b06')).join(''));
  for (const rate of RATES) {
    for (const ops of [silence(24_000), longFrames]) {
      const decoder = newDecoder(t, rate);
      const sized = decoder.decompress(packetOfOps(ops), new Int16Array(3 * rate - 1));
      t.match(sized, { result: BUFFER_TOO_SMALL, samples: 3 * rate });
      t.match(play(decoder, packetOfOps(ops)), { result: OK, samples: 3 * rate }, `${rate} Hz`);
    }
    for (const ops of [`${silence(24_000)}${RATE_24K}000100`, `${longFrames}000100`]) {
      const answer = play(newDecoder(t, rate), packetOfOps(ops));
      t.match(answer, { result: DATA_CORRUPTED, samples: 0 }, `${rate} Hz: a sample more`);
    }
  }
});

t.test('a refused packet changes nothing: neither what comes next nor how it sounds', async (t) => {
  const good = RATE_24K + opusOp(frames(40) + MARKER);
  const flipped = speech(40).slice();
  flipped[20]! ^= 4;
  const refused: [Uint8Array, VoiceResult][] = [
    [flipped, DATA_CORRUPTED],
    [packetOfOps(`${good}0603000100ff`), DATA_CORRUPTED],
    [packetOfOps(`${good}0b401f00ffff`), DATA_CORRUPTED],
    [packetOfOps(`${good}070000`), UNSUPPORTED_CODEC],
    [packetOfOps(`${good}040000`), UNSUPPORTED_CODEC],
  ];
  for (const rate of RATES) {
    const tried = newDecoder(t, rate);
    const twin = newDecoder(t, rate);
    for (const decoder of [tried, twin]) play(decoder, speech(0, 1));
    for (const next of [speech(2, 5), speech(30), SILENCE_PACKET, speech(7), packetOfOps(good)]) {
      for (const [packet, result] of refused) {
        t.match(play(tried, packet), { result, samples: 0, concealedFrames: 0, decodedFrames: 0 });
      }
      const wanted = play(twin, next);
      for (const room of [0, 1, wanted.samples - 1]) {
        const out = new Int16Array(room).fill(CANARY);
        const answer = tried.decompress(next, out);
        t.match(answer, { result: BUFFER_TOO_SMALL, samples: wanted.samples, decodedFrames: 0 });
        if (out.some((sample) => sample !== CANARY)) t.fail('something was written');
      }
      const exact = new Int16Array(wanted.samples);
      t.equal(tried.decompress(next, exact).result, OK, `${rate} Hz: the samples named are room enough`);
      t.equal(digest(exact), digest(wanted.pcm), `${rate} Hz: and hold what a first call had given`);
    }
  }
});

t.test('decompressPcm gives just the samples, and also refuses too small a bound', async (t) => {
  for (const rate of RATES) {
    const into = newDecoder(t, rate);
    const own = newDecoder(t, rate);
    for (const packet of [speech(0), speech(1, 2, 6), SILENCE_PACKET, packetOfOps(RATE_24K)]) {
      const wanted = play(into, packet);
      if (wanted.samples > 0) {
        const refused = own.decompressPcm(packet, wanted.samples - 1);
        t.match(refused, { result: BUFFER_TOO_SMALL, samples: wanted.samples });
        t.equal(refused.pcm.length, 0);
      }
      t.strictSame(own.decompressPcm(packet, wanted.samples), wanted);
    }
  }
});

t.test('the rates are 11025 to 48000, whole; another is refused with its code', async (t) => {
  t.strictSame(DECOMPRESS_RATES_HZ, { min: 11_025, max: 48_000 });
  const before = codecLiveBytes();
  for (const rate of [11_024, 48_001, 8000, 0, -24_000, 22_050.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    const wanted = { code: 'ERR_HOTMIC_SAMPLE_RATE', message: String(rate) };
    t.throws(() => new VoiceDecoder(rate), wanted, `${rate}`);
  }
  t.equal(codecLiveBytes(), before);
});

t.test('free gives back all memory, once, and what comes behind throws', async (t) => {
  const before = codecLiveBytes();
  for (const rate of RATES) {
    const decoder = new VoiceDecoder(rate);
    play(decoder, speech(0, 5));
    decoder.free();
    decoder.free();
    t.throws(() => decoder.decompress(speech(6), new Int16Array(9999)), { code: 'ERR_HOTMIC_CODEC' });
    t.throws(() => decoder.decompressPcm(speech(6)), { code: 'ERR_HOTMIC_CODEC' });
    t.equal(codecLiveBytes(), before, `${rate} Hz`);
  }
});

t.test('a tone keeps its frequency and its level', async (t) => {
  const tone = encode(tonePcm(2, 1000), { bitrate: 64_000 });
  const at24k = toneOf(hear(newDecoder(t, 24_000), cut(tone, 10)).slice(12_000), 24_000);
  t.ok(Math.abs(20 * Math.log10(at24k.amplitude / 11_000)) < 0.5, `24 kHz: ${at24k.amplitude}`);
  for (const rate of RATES) {
    // Ten frames are a whole number of samples at all of them but 47999 Hz, which is 2e-5 off.
    const heard = toneOf(hear(newDecoder(t, rate), cut(tone, 10)).slice(rate / 2), rate);
    const gainDb = 20 * Math.log10(heard.amplitude / at24k.amplitude);
    t.ok(Math.abs(heard.hz - 1000) < 0.1, `${rate} Hz: ${heard.hz} Hz`);
    t.ok(Math.abs(gainDb) < 0.05, `${rate} Hz: ${gainDb} dB`);
  }
  const wantedHz = 1000 * (220.5 / 220);
  const faster = toneOf(hear(newDecoder(t, 11_025), cut(tone, 1)).slice(5500), 11_025, wantedHz);
  t.ok(Math.abs(faster.hz - wantedHz) < 0.1, `11025 Hz in single frames: ${faster.hz} Hz`);
});

t.test('the sound is that of 24 kHz, evenly over each packet and late by delaySamples', async (t) => {
  for (const rate of [12_000, 16_000, 24_000, 48_000]) {
    t.equal(newDecoder(t, rate).delaySamples, 0, `${rate} Hz is what Opus decodes`);
  }
  for (const rate of [11_025, 12_345, 22_050, 32_000, 44_100, 47_999]) {
    for (const perPacket of [1, 3]) {
      const decoder = newDecoder(t, rate);
      const packets = cut(TONES.slice(0, 30), perPacket);
      const heard = hear(decoder, packets);
      const at24k = hear(newDecoder(t, 24_000), packets);
      const snrDb = (delay: number) => snr(heard, spread(at24k, perPacket * FRAME, rate, delay));
      const best = snrDb(decoder.delaySamples);
      t.ok(best > 75, `${rate} Hz, ${perPacket} frames a packet: ${best.toFixed(1)} dB`);
      const beside = snrDb(decoder.delaySamples + (perPacket === 1 ? 0.25 : -0.25));
      t.ok(beside < best - 20, `${rate} Hz: a quarter of a sample beside it is ${beside.toFixed(1)} dB`);
    }
  }
});

t.test('how a stream is cut into packets is not heard where the samples come out even', async (t) => {
  for (const rate of [16_000, 48_000, ...EXACT_RESAMPLED]) {
    const whole = digest(hear(newDecoder(t, rate), cut(SPEECH, 8)));
    for (const perPacket of [1, 2, 3]) {
      t.equal(digest(hear(newDecoder(t, rate), cut(SPEECH, perPacket))), whole, `${rate} Hz: ${perPacket}`);
    }
  }
  for (const rate of [11_025, 12_345]) {
    for (const perPacket of [1, 2, 3, 8]) {
      const packets = cut(SPEECH, perPacket);
      const wanted = packets.map((_, n) => Math.min(perPacket, SPEECH.length - n * perPacket) * FRAME);
      const samples = wanted.reduce((sum, at24k) => sum + Math.floor((at24k * rate) / 24_000), 0);
      t.equal(hear(newDecoder(t, rate), packets).length, samples, `${rate} Hz: ${perPacket}`);
    }
  }
});

t.test('no click is heard at the borders of packets', async (t) => {
  for (const [rate, samples] of FRAME_AT) {
    const heard = roughness(hear(newDecoder(t, rate), cut(TONES, 1)), samples);
    t.ok(heard.border < 1.1 * heard.elsewhere, `${rate} Hz: ${JSON.stringify(heard)}`);
  }
});

t.test('gap, step backward, marker, wrap-around and silence resample the sound of 24 kHz', async (t) => {
  const packets = [
    packetOfOps(opusOp(frameOf(65_530, SPEECH[0]!) + frameOf(65_531, SPEECH[1]!))),
    packetOfOps(opusOp(frameOf(65_535, SPEECH[5]!) + frameOf(0, SPEECH[6]!))),
    packetOfOps(opusOp(frameOf(3, SPEECH[9]!) + MARKER)),
    packetOfOps(opusOp(frameOf(2, SPEECH[20]!))),
    SILENCE_PACKET,
    packetOfOps(opusOp(frameOf(400, SPEECH[21]!))),
    packetOfOps(opusOp(frameOf(100, SPEECH[30]!) + frameOf(101, SPEECH[31]!))),
    packetOfOps(`${opusOp(frameOf(102, SPEECH[32]!))}00e001${opusOp(frameOf(103, SPEECH[33]!))}`),
    packetOfOps(opusOp('00006800')),
    packetOfOps(opusOp(frameOf(105, '68') + frameOf(106, SPEECH[34]!))),
  ];
  const concealed = [0, 3, 2, 2, 0, 10, 0, 0, 0, 0];
  const plain = newDecoder(t, 24_000);
  const heard = packets.map((packet) => play(plain, packet));
  for (const [at, { concealedFrames }] of heard.entries()) t.equal(concealedFrames, concealed[at]);
  for (const rate of [...EXACT_RESAMPLED, 11_025, 12_345, 47_999]) {
    const decoder = newDecoder(t, rate);
    const resampler = new Resampler(24_000, rate);
    for (const [at, packet] of packets.entries()) {
      const { pcm, result: _, samples, ...counts } = play(decoder, packet);
      t.match(heard[at], counts, `${rate} Hz, packet ${at}`);
      const wanted = new Int16Array(samples);
      resampler.stretchPcm(heard[at]!.pcm, 0, heard[at]!.samples, wanted, 0, samples);
      t.equal(digest(pcm), digest(wanted), `${rate} Hz, packet ${at}`);
    }
    resampler.free();
  }
});

t.test('after reset the next frame is the first, and nothing of the sound before is left', async (t) => {
  for (const rate of RATES) {
    const used = newDecoder(t, rate);
    play(used, speech(0, 1, 2));
    used.reset();
    t.strictSame(play(used, speech(40, 41)), play(newDecoder(t, rate), speech(40, 41)), `${rate} Hz`);
  }
});

/** Sizes, then decompresses into the middle of a larger array; what lies around the samples must be as it was. */
function play(decoder: VoiceDecoder, packet: Uint8Array) {
  const offset = 37;
  const out = new Int16Array(offset + decoder.decompress(packet, new Int16Array(0)).samples + 500).fill(
    CANARY,
  );
  const answer = decoder.decompress(packet, out, offset);
  const end = offset + answer.samples;
  const around = [...out.subarray(0, offset), ...out.subarray(end)];
  if (around.some((sample) => sample !== CANARY)) throw new Error(`wrote outside [${offset}, ${end})`);
  return { ...answer, pcm: out.slice(offset, end) };
}

function hear(decoder: VoiceDecoder, packets: readonly Uint8Array[]): Int16Array {
  return joined(packets.map((packet) => play(decoder, packet).pcm));
}

/** `opus`, numbered from 0, in packets of `perPacket` frames. */
function cut(opus: readonly string[], perPacket: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(opus.length / perPacket) }, (_, n) => {
    const part = opus.slice(n * perPacket, (n + 1) * perPacket);
    return packetOfOps(RATE_24K + opusOp(part.map((hex, at) => frameOf(n * perPacket + at, hex)).join('')));
  });
}

/** Tones of equal level, half of full scale together. */
function mixed(frameCount: number, hz: readonly number[]): Int16Array {
  return Int16Array.from({ length: frameCount * FRAME }, (_, at) =>
    hz.reduce((sum, f) => sum + (16_000 / hz.length) * Math.sin((2 * Math.PI * f * at) / 24_000), 0),
  );
}

/** The one tone in `pcm`, within a third of a Hz of `nearHz`: its frequency, by the turn of its phase, and its amplitude. */
function toneOf(pcm: Int16Array, rate: number, nearHz = 1000): { hz: number; amplitude: number } {
  const length = pcm.length >> 1;
  const [first, second] = [0, length].map((from) => {
    let [re, im] = [0, 0];
    for (let n = 0; n < length; n += 1) {
      const sample = pcm[from + n]! * (1 - Math.cos((2 * Math.PI * (n + 0.5)) / length));
      re += sample * Math.cos((2 * Math.PI * nearHz * (from + n)) / rate);
      im -= sample * Math.sin((2 * Math.PI * nearHz * (from + n)) / rate);
    }
    return { phase: Math.atan2(im, re), amplitude: (2 * Math.hypot(re, im)) / length };
  });
  const turned = second!.phase - first!.phase;
  const hz = nearHz + (Math.atan2(Math.sin(turned), Math.cos(turned)) / (2 * Math.PI)) * (rate / length);
  return { hz, amplitude: first!.amplitude };
}

/** `at24k`, in packets of `span` samples, each brought to floor(span × rate / 24000): by a plain windowed sinc. */
function spread(at24k: Int16Array, span: number, rate: number, delay: number): Float64Array {
  const wing = 64;
  const scale = Math.min(1, rate / 24_000);
  const out: number[] = [];
  for (let start = 0; start < at24k.length; start += span) {
    const samplesIn = Math.min(span, at24k.length - start);
    const samplesOut = Math.floor((samplesIn * rate) / 24_000);
    for (let n = 0; n < samplesOut; n += 1) {
      const time = start + (n * samplesIn) / samplesOut - delay;
      let sum = 0;
      for (let k = Math.ceil(time - wing); k <= time + wing; k += 1) {
        const x = (k - time) * scale * Math.PI;
        const sinc = Math.abs(x) < 1e-9 ? 1 : Math.sin(x) / x;
        const window = Math.cos(((k - time) / wing) * (Math.PI / 2)) ** 2;
        sum += (at24k[k] ?? 0) * scale * sinc * window;
      }
      out.push(sum);
    }
  }
  return Float64Array.from(out);
}

/** In dB, from the twentieth part on: the codec starts there too. */
function snr(heard: Int16Array, wanted: Float64Array): number {
  if (heard.length !== wanted.length) return Number.NaN;
  let [signal, noise] = [0, 0];
  for (let n = Math.round(heard.length / 20); n < heard.length; n += 1) {
    signal += wanted[n]! ** 2;
    noise += (wanted[n]! - heard[n]!) ** 2;
  }
  return 10 * Math.log10(signal / noise);
}

/** Mean second difference at the borders of spans of `span` samples, and half-way between them. */
function roughness(pcm: Int16Array, span: number): { border: number; elsewhere: number } {
  const mean = (first: number) => {
    let [sum, count] = [0, 0];
    for (let at = first; at + 3 < pcm.length; at += span) {
      for (let n = at - 2; n <= at + 2; n += 1) {
        sum += (pcm[n - 1]! - 2 * pcm[n]! + pcm[n + 1]!) ** 2;
        count += 1;
      }
    }
    return Math.sqrt(sum / count);
  };
  return { border: mean(10 * span), elsewhere: mean(10 * span + (span >> 1)) };
}
