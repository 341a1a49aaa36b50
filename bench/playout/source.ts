/**
 * A speaker: the demo's clips in talkspurts with pauses, encoded as Steam does it and numbered as the client does it. The speaker's clock is
 * 0 where the media clock is 0.
 */

import { SeededRandom } from '../../test/kit/random.js';
import { pcmOfWav } from '../../test/kit/speech.js';
import { writeU16, writeU32 } from '../../voice/bytes.js';
import { crc32 } from '../../voice/crc32.js';
import { opusFrames, readPacket } from '../../voice/packet.js';
import { sequenceAfter } from '../../voice/sequence.js';
import { personSteamId } from '../../voice/steam_id.js';
import { type NumberedPacket, TalkspurtNumberer } from '../../voice/talkspurt.js';
import {
  FRAME_MS,
  FRAME_SAMPLES,
  MAX_PACKET_BYTES,
  type Milliseconds,
  msOfSamples,
  type Samples,
  samplesOfMs,
} from '../../voice/units.js';
import type { VoiceHeader } from '../../voice/wire.js';
import { VoiceEncoder } from '../../wasm/compress.js';

/** A voice frame as it leaves the speaker. */
export interface SentPacket {
  readonly header: VoiceHeader;
  readonly packet: Uint8Array;
  /** On the speaker's clock. */
  readonly sentMs: Milliseconds;
  /** Frames of 20 ms in it, the first at the header's timestamp. */
  readonly frames: number;
}

/** A run of speech on the media clock. */
export interface Talkspurt {
  /** Media timestamp of its first sample. */
  readonly from: Samples;
  /** For each frame of 20 ms, 1 if the speaker is audible in it: louder than −50 dBFS on average. */
  readonly audible: Uint8Array;
}

export interface Source {
  readonly packets: readonly SentPacket[];
  readonly talkspurts: readonly Talkspurt[];
  /** Its length on the media clock. */
  readonly samples: Samples;
}

/** How the speaker talks. */
export interface Manner {
  /**
   * `push-to-talk`: each talkspurt is a recording of its own. `open-microphone`: one recording without an end, with DTX in the pauses.
   */
  readonly microphone: 'push-to-talk' | 'open-microphone';
  /** How often the game polls Steam. Default 20: each frame when it is complete. */
  readonly pollMs?: Milliseconds;
}

const CLIPS = ['ada', 'ben', 'cleo'];
const SENTENCE: Samples = samplesOfMs(3500);
const MAX_SENTENCES = 3;
const PAUSE_FRAMES = { from: 25, upTo: 100 };
const AUDIBLE_RMS = 32_768 * 10 ** (-50 / 20);
const ACCOUNT = personSteamId(16);

/** Talkspurts of one to three sentences of 3.5 s, and pauses of 0.5 to 2 s, until `seconds` are over. */
export function speechScript(seconds: number, seed: number): { pcm: Int16Array; from: Samples }[] {
  const random = new SeededRandom(seed);
  const sentences = CLIPS.flatMap((name) => {
    const pcm = pcmOfWav(new URL(`../../../examples/speech/${name}.wav`, import.meta.url));
    return [pcm.subarray(0, SENTENCE), pcm.subarray(SENTENCE, 2 * SENTENCE)];
  });
  const script: { pcm: Int16Array; from: Samples }[] = [];
  const pause = () =>
    (PAUSE_FRAMES.from + random.below(PAUSE_FRAMES.upTo - PAUSE_FRAMES.from)) * FRAME_SAMPLES;
  for (let at = pause(); msOfSamples(at) < seconds * 1000; ) {
    const said = Array.from(
      { length: 1 + random.below(MAX_SENTENCES) },
      () => sentences[random.below(sentences.length)]!,
    );
    const pcm = new Int16Array(said.length * SENTENCE);
    for (const [index, sentence] of said.entries()) pcm.set(sentence, index * SENTENCE);
    script.push({ pcm, from: at });
    at += pcm.length + pause();
  }
  return script;
}

/** Encodes a script. The codec must be loaded. */
export function speak(script: readonly { pcm: Int16Array; from: Samples }[], manner: Manner): Source {
  const { microphone, pollMs = FRAME_MS } = manner;
  const last = script.at(-1)!;
  const samples = last.from + last.pcm.length + PAUSE_FRAMES.from * FRAME_SAMPLES;
  const encoder = new VoiceEncoder(ACCOUNT);
  const numberer = new TalkspurtNumberer(0);
  const scratch = new Uint8Array(MAX_PACKET_BYTES);
  const packets: SentPacket[] = [];
  const send = (numbered: readonly NumberedPacket[]) => {
    for (const one of numbered) packets.push(sentPacket(one, packets.length));
  };
  const drain = (nowMs: Milliseconds, phase: 'talking' | 'draining') => {
    for (let bytes = encoder.read(scratch); bytes > 0; bytes = encoder.read(scratch))
      send(numberer.push(scratch.slice(0, bytes), nowMs, phase));
  };
  const record = (pcm: Int16Array, from: Samples) => {
    const endMs = msOfSamples(from + pcm.length);
    let written = 0;
    for (let poll = Math.ceil(msOfSamples(from) / pollMs + 1e-9); written < pcm.length; poll++) {
      const nowMs = Math.min(poll * pollMs, Math.ceil(endMs / pollMs) * pollMs);
      // What the microphone has heard by now; the encoder makes frames of it.
      const heard = Math.min(pcm.length, samplesOfMs(nowMs) - from);
      if (heard > written) encoder.write(pcm.subarray(written, heard));
      written = Math.max(written, heard);
      drain(nowMs, 'talking');
    }
    return Math.ceil(endMs / pollMs) * pollMs;
  };
  if (microphone === 'open-microphone') {
    const pcm = new Int16Array(samples);
    for (const said of script) pcm.set(said.pcm, said.from);
    record(pcm, 0);
  } else {
    for (const { pcm, from } of script) {
      const endMs = record(pcm, from);
      encoder.end();
      drain(endMs, 'draining');
      send(numberer.end());
    }
  }
  encoder.free();
  // A poll may come up to one poll after the microphone heard the sound, and the media clock is that of the poll.
  const talkspurts = script.map(({ pcm, from }) => ({ from, audible: audibleFrames(pcm) }));
  return {
    packets,
    talkspurts: microphone === 'push-to-talk' ? onMediaClock(talkspurts, packets) : talkspurts,
    samples,
  };
}

/** The same source `times` in a row: its recordings are the same, so their packets are too, except for what counts on. */
export function repeat(source: Source, times: number): Source {
  const packets: SentPacket[] = [];
  const talkspurts: Talkspurt[] = [];
  const isOneRecording = source.packets.filter(({ header }) => header.marker).length === 1;
  const opusFramesPerRound = isOneRecording ? source.packets.reduce((sum, { frames }) => sum + frames, 0) : 0;
  for (let round = 0; round < times; round++) {
    const shift = round * source.samples;
    for (const { header, packet, sentMs, frames } of source.packets) {
      packets.push({
        header: {
          ...header,
          marker: header.marker && !(isOneRecording && round > 0),
          sequence: sequenceAfter(header.sequence, round * source.packets.length),
          relaySequence: sequenceAfter(header.relaySequence, round * source.packets.length),
          timestamp: header.timestamp + shift,
          relayTimeMs: header.relayTimeMs + msOfSamples(shift),
        },
        packet: round === 0 ? packet : renumbered(packet, round * opusFramesPerRound),
        sentMs: sentMs + msOfSamples(shift),
        frames,
      });
    }
    for (const { from, audible } of source.talkspurts) talkspurts.push({ from: from + shift, audible });
  }
  return { packets, talkspurts, samples: source.samples * times };
}

/** The packet with `steps` added to the sequence of each of its Opus frames. */
function renumbered(packet: Uint8Array, steps: number): Uint8Array {
  if (steps === 0) return packet;
  const read = readPacket(packet);
  if (read.kind === 'malformed') throw new Error(`Cannot renumber a packet: ${read.detail}`);
  const changed = packet.slice();
  for (const { offset, sequence } of opusFrames(read))
    writeU16(changed, offset + 2, sequenceAfter(sequence, steps));
  writeU32(changed, changed.length - 4, crc32(changed, 0, changed.length - 4));
  return changed;
}

function sentPacket(numbered: NumberedPacket, index: number): SentPacket {
  const { packet, capturedAt, marker, terminator, sequence, timestamp } = numbered;
  const read = readPacket(packet);
  if (read.kind === 'malformed') throw new Error(`Cannot send a packet: ${read.detail}`);
  const header: VoiceHeader = {
    kind: 'header',
    marker,
    terminator,
    acknowledge: false,
    opaque: false,
    target: 0,
    sequence,
    timestamp,
    slot: 1,
    relaySequence: sequenceAfter(0, index),
    relayTimeMs: Math.round(capturedAt),
  };
  return { header, packet, sentMs: capturedAt, frames: opusFrames(read).length };
}

/** Talkspurts where their first packets say that they are. */
function onMediaClock(talkspurts: readonly Talkspurt[], packets: readonly SentPacket[]): Talkspurt[] {
  const starts = packets.filter(({ header }) => header.marker).map(({ header }) => header.timestamp);
  return talkspurts.map(({ audible }, index) => ({ from: starts[index]!, audible }));
}

function audibleFrames(pcm: Int16Array): Uint8Array {
  const audible = new Uint8Array(Math.ceil(pcm.length / FRAME_SAMPLES));
  for (let frame = 0; frame < audible.length; frame++) {
    let energy = 0;
    for (let at = frame * FRAME_SAMPLES; at < (frame + 1) * FRAME_SAMPLES; at++)
      energy += (pcm[at] ?? 0) ** 2;
    audible[frame] = Math.sqrt(energy / FRAME_SAMPLES) >= AUDIBLE_RMS ? 1 : 0;
  }
  return audible;
}
