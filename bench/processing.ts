/** What the microphone's processing costs: noise suppression, gain control, echo cancellation and all three, beside encoding the same speech. */

import { readFileSync } from 'node:fs';
import { personSteamId } from '../voice/steam_id.js';
import { MAX_PACKET_BYTES, VOICE_RATE_HZ } from '../voice/units.js';
import { readWav } from '../voice/wav.js';
import { VoiceEncoder } from '../wasm/compress.js';
import { compileProcessing, loadCodec } from '../wasm/load.js';
import { type MicrophoneProcessing, MicrophoneProcessor } from '../wasm/processing.js';
import { row, type Trial } from './result.js';

const ROUNDS = 7;
const FRAME = VOICE_RATE_HZ / 100;
const SECONDS = 10;

const SUBJECTS: Readonly<Record<string, MicrophoneProcessing>> = {
  'noise suppression': { noiseSuppression: true },
  'gain control': { gainControl: true },
  'echo cancellation': { echoCancellation: true },
  'all three': { noiseSuppression: true, gainControl: true, echoCancellation: true },
};

export const processing: Trial = {
  name: 'processing',
  about: `a microphone's processing at 24 kHz, ${ROUNDS} rounds of ${SECONDS} s of speech, subjects taking turns`,
  async run() {
    loadCodec();
    const module = compileProcessing();
    const speech = pcmOf('ada');
    const played = pcmOf('ben');
    const costs = new Map<string, number[]>();
    // The first round is for the engine to compile.
    for (let round = 0; round <= ROUNDS; round++) {
      for (const name of ['encoding', ...Object.keys(SUBJECTS)]) {
        const what = SUBJECTS[name];
        const us = what ? process(module, what, speech, played) : encode(speech);
        if (round > 0) costs.set(name, [...(costs.get(name) ?? []), us]);
      }
    }
    return {
      rows: [...costs].map(([name, us]) => row('hotmic', name, 'per 10 ms of sound', 'µs', us)),
      void: null,
      raw: Object.fromEntries(costs),
    };
  },
};

function pcmOf(name: string): Float32Array {
  const wav = readWav(readFileSync(`examples/speech/${name}.wav`));
  if (wav.kind !== 'wav') throw new Error(`${name}.wav is not a WAV`);
  return wav.samplesFloat().subarray(0, SECONDS * VOICE_RATE_HZ);
}

/** µs per 10 ms. */
function process(
  module: object,
  what: MicrophoneProcessing,
  speech: Float32Array,
  played: Float32Array,
): number {
  const processor = new MicrophoneProcessor(module, { sampleRateHz: VOICE_RATE_HZ, ...what });
  const pcm = speech.slice();
  const from = performance.now();
  for (let at = 0; at + FRAME <= pcm.length; at += FRAME) {
    if (what.echoCancellation) processor.notePlayed(played.subarray(at, at + FRAME));
    processor.process(pcm.subarray(at, at + FRAME));
  }
  return ((performance.now() - from) * 1000) / (pcm.length / FRAME);
}

function encode(speech: Float32Array): number {
  const encoder = new VoiceEncoder(personSteamId(1), { framesPerPacket: 1 });
  const pcm = Int16Array.from(speech, (sample) => sample * 32_767);
  const packet = new Uint8Array(MAX_PACKET_BYTES);
  const from = performance.now();
  for (let at = 0; at + FRAME <= pcm.length; at += FRAME) {
    encoder.write(pcm.subarray(at, at + FRAME));
    encoder.read(packet);
  }
  const us = ((performance.now() - from) * 1000) / (pcm.length / FRAME);
  encoder.free();
  return us;
}
