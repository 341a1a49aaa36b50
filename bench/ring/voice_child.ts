/**
 * One measurement of getVoice, in a separate process with access to the garbage collector:
 * `node --expose-gc voice_child.js LIBRARY CONTROLLED CONTROL CALLS`. Prints JSON.
 */

import { createRequire } from 'node:module';
import { openRealSteam } from '../../native/real/open.js';
import type { Control } from '../../test/kit/stand_in_steam.js';
import { allocateRing, RingConsumer, RingProducer } from '../../voice/ring.js';
import { MAX_PACKET_BYTES } from '../../voice/units.js';

export interface VoiceCost {
  /** A call that writes 700 bytes into one buffer. */
  readonly callNs: number;
  /** Reserve, getVoice into the ring, commit, and the reader's read and release. */
  readonly intoRingNs: number;
  /** Heap growth per call after garbage collection, in bytes, and per turn of an empty loop. */
  readonly growthBytes: number;
  readonly floorBytes: number;
}

const [library = '', controlled = '', controlPath = '', calls = '200000'] = process.argv.slice(2);
const count = Number(calls);
const opened = openRealSteam({ library, appId: 480 });
if (opened.kind === 'failed') throw new Error(`${opened.stage}: ${opened.text}`);
const { steam } = opened;
const { control } = createRequire(import.meta.url)(controlPath) as { control: Control };
control(controlled, 'voice repeat 700');
steam.startVoiceRecording();

const scratch = new Uint8Array(MAX_PACKET_BYTES);
const storage = allocateRing(65_536);
const producer = new RingProducer(storage);
const consumer = new RingConsumer(storage);

function intoScratch(): void {
  if (steam.getVoiceInto(scratch) !== 700) throw new Error('a packet is missing');
}

function intoRing(): void {
  const space = producer.reserve(MAX_PACKET_BYTES);
  if (space === null) throw new Error('the ring is full');
  if (steam.getVoiceInto(space) !== 700) throw new Error('a packet is missing');
  producer.commit(700, 0, 0);
  consumer.read();
  consumer.release();
}

/** Nanoseconds per turn. */
function timed(turn: () => void): number {
  for (let n = 0; n < count / 10; n++) turn();
  const from = process.hrtime.bigint();
  for (let n = 0; n < count; n++) turn();
  return Number(process.hrtime.bigint() - from) / count;
}

/** Heap growth per turn, in bytes. */
function growth(turn: () => void): number {
  const collect = globalThis.gc;
  if (!collect) throw new Error('Cannot measure the heap: node runs without --expose-gc');
  for (let n = 0; n < count / 10; n++) turn();
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let n = 0; n < count; n++) turn();
  collect();
  return (process.memoryUsage().heapUsed - before) / count;
}

const cost: VoiceCost = {
  callNs: timed(intoScratch),
  intoRingNs: timed(intoRing),
  growthBytes: growth(intoRing),
  floorBytes: growth(() => undefined),
};
steam.close();
console.log(JSON.stringify(cost));
