/**
 * Streams for the oracle: what is encoded, how, and what is lost of it on the way. Together they hold every configuration
 * that a packet's first byte can name, mono and stereo; voice, music, noise, clicks, silence and overload; 6 to 64 kbit/s.
 */

import { VOICE_RATE_HZ } from '../../../voice/units.js';
import { goldenSignal } from '../../../wasm/golden.js';
import { SeededRandom } from '../random.js';
import { pcmOfWav } from '../speech.js';
import type { DecoderStep, NativeEncoding } from './oracle.js';

/** One stream: a piece of the signal, encoded in one way. */
export interface StreamPlan {
  readonly name: string;
  readonly how: NativeEncoding & { readonly rate: number; readonly channels: number };
  /** Of the signal, from 0; it goes round. */
  readonly startSeconds: number;
  readonly seconds: number;
}

/** The five bandwidths, as libopus numbers them: narrowband, mediumband, wideband, super-wideband, fullband. */
const BANDWIDTHS = [1101, 1102, 1103, 1104, 1105] as const;
const [NARROW, MEDIUM, WIDE, SUPER_WIDE, FULL] = BANDWIDTHS;
const VOIP = 2048;
const AUDIO = 2049;
const SILK = 1000;
const HYBRID = 1001;
const CELT = 1002;

/** Mode, bandwidths and frame sizes of the 32 configurations (RFC 6716, table 2). */
const GRID = [
  { mode: SILK, bandwidths: [NARROW, MEDIUM, WIDE], framesMs: [10, 20, 40, 60] },
  { mode: HYBRID, bandwidths: [SUPER_WIDE, FULL], framesMs: [10, 20] },
  { mode: CELT, bandwidths: [NARROW, WIDE, SUPER_WIDE, FULL], framesMs: [2.5, 5, 10, 20] },
] as const;

const GRID_SECONDS = 18;
const GRID_PACKETS = 1500;
const VARIED_SECONDS = 40;
const VARIED_STREAMS = 16;
const SIGNAL_SECONDS = 60;
const SIGNAL_RATE_HZ = 48_000;

/** All streams, always the same ones. Those of a configuration first, then mixed ones, then such as Steam makes. */
export function streamPlans(): StreamPlan[] {
  const plans: StreamPlan[] = [];
  const add = (name: string, how: StreamPlan['how'], seconds: number) => {
    plans.push({ name, how, seconds, startSeconds: (plans.length * 7.3) % SIGNAL_SECONDS });
  };
  for (const channels of [1, 2]) {
    for (const { mode, bandwidths, framesMs } of GRID) {
      for (const bandwidth of bandwidths) {
        for (const frameMs of framesMs) {
          const how = { rate: 48_000, channels, application: AUDIO, samples: frameMs * 48, mode, bandwidth };
          const seconds = Math.min(GRID_SECONDS, (GRID_PACKETS * frameMs) / 1000);
          const name = `mode ${mode}, bandwidth ${bandwidth}, ${frameMs} ms, ${channels} channels`;
          add(name, { ...how, forceChannels: channels, sweep: plans.length + 1 }, seconds);
        }
      }
    }
  }
  for (let i = 0; i < VARIED_STREAMS; i++) {
    const rate = [48_000, 24_000, 16_000, 12_000, 8000][i % 5]!;
    const how = { rate, channels: 1 + (i % 2), application: i % 3 ? AUDIO : VOIP, vary: 1000 + i };
    add(`varied, at ${rate} Hz, ${how.channels} channels`, how, VARIED_SECONDS);
  }
  for (const bitrate of [6000, 8000, 12_000, 16_000, 24_000, 32_000, 48_000, 64_000]) {
    for (const fec of [0, 1]) {
      const how = { rate: VOICE_RATE_HZ, channels: 1, samples: 480, bitrate, fec, loss: fec * 20 };
      add(`as Steam, ${bitrate} bit/s${fec ? ', in-band FEC' : ''}`, how, SIGNAL_SECONDS / 2);
    }
  }
  return plans;
}

/** Packets in such order, then with gaps of 1 to 10 lost packets. `from` of them come before the first gap. */
export function losePackets(packets: readonly Uint8Array[], from: number, seed: number): DecoderStep[] {
  const random = new SeededRandom(seed);
  const steps: DecoderStep[] = [...packets.slice(0, from)];
  for (let at = from; at < packets.length; ) {
    const lost = 1 + random.below(10);
    if (random.below(300) === 0) steps.push('reset');
    if (random.below(12) === 0 && at + lost < packets.length) {
      at += lost;
      for (let i = 1; i < lost; i++) steps.push('conceal');
      steps.push(random.below(2) === 0 ? 'conceal' : 'fec');
    }
    steps.push(packets[at]!);
    at += 1;
  }
  return steps;
}

/** The piece of `signal` (48 kHz, mono) that `plan` encodes: at its rate, interleaved where stereo. */
export function pcmOfPlan(signal: Int16Array, { how, startSeconds, seconds }: StreamPlan): Int16Array {
  const step = SIGNAL_RATE_HZ / how.rate;
  const frames = Math.round(seconds * how.rate);
  const pcm = new Int16Array(frames * how.channels);
  const start = Math.round(startSeconds * SIGNAL_RATE_HZ);
  for (let i = 0; i < frames; i++) {
    const at = (start + i * step) % signal.length;
    let sum = 0;
    for (let k = 0; k < step; k++) sum += signal[at + k]!;
    pcm[i * how.channels] = sum / step;
    // The other side: another place of the same signal, softly, so that neither side predicts the other.
    if (how.channels === 2) {
      pcm[2 * i + 1] = (sum / step) * 0.6 + 0.4 * signal[(at + 9 * SIGNAL_RATE_HZ) % signal.length]!;
    }
  }
  return pcm;
}

/** A minute at 48 kHz, mono, in turns of a second and a half: voice, music, noise, clicks, silence, overload. */
export function mixedSignal(): Int16Array {
  const random = new SeededRandom(48);
  const noise = () => random.next() / 2 ** 31 - 1;
  const voice = [
    ...['ada', 'ben', 'cleo'].map((name) => pcmOfWav(`examples/speech/${name}.wav`)),
    goldenSignal(200),
  ];
  const turn = 1.5 * SIGNAL_RATE_HZ;
  const pcm = new Int16Array(SIGNAL_SECONDS * SIGNAL_RATE_HZ);
  for (let start = 0, turns = 0; start < pcm.length; start += turn, turns++) {
    const speech = voice[turns % voice.length]!;
    const speechAt = random.below(speech.length - turn / 2);
    const root = 110 * 2 ** (random.below(24) / 12);
    const kind = turns % 10;
    let click = 0;
    for (let i = 0; i < turn; i++) {
      const t = i / SIGNAL_RATE_HZ;
      // Every sample twice: the mirror image above 12 kHz gives a fullband encoder something to do.
      const said = speech[speechAt + (i >> 1)]!;
      const chord = [1, 1.25, 1.5, 2, 5.04].reduce((sum, k) => sum + Math.sin(2 * Math.PI * root * k * t), 0);
      let value = said;
      if (kind === 2) value = 2500 * chord;
      else if (kind === 4) value = said * 0.5 + 1500 * chord;
      else if (kind === 5) value = 6000 * noise() * Math.min(1, 4 * Math.abs(Math.sin(7 * t)));
      else if (kind === 6) {
        if (i % 9600 === 0) click = 25_000;
        click *= -0.98;
        value = click + 20 * noise();
      } else if (kind === 7) value = t < 0.4 ? said : 0;
      else if (kind === 8) value = 8 * said;
      else if (kind === 9) value = 9000 * Math.sin(2 * Math.PI * (100 + 5000 * t) * t);
      pcm[start + i] = Math.max(-32_768, Math.min(32_767, Math.round(value)));
    }
  }
  return pcm;
}
