/**
 * Opus packets to fuzz with: streams of every kind that libopus makes, and one packet bent.
 */

import { readFileSync } from 'node:fs';
import { OpusEncoder } from '../../wasm/codec.js';
import { encodeFrames, type Golden, goldenSignal } from '../../wasm/golden.js';
import type { SeededRandom } from '../kit/random.js';

/** Opus packets of every kind there is, in runs of one stream each. The codec has to be started first. */
export function opusStreams(): Uint8Array[][] {
  const golden = JSON.parse(readFileSync('test/wasm/golden/golden.json', 'utf8')) as Golden;
  const streams: Uint8Array[][] = golden.streams.map(({ steps }) =>
    steps
      .filter((step) => step !== 'conceal' && step !== 'reset')
      .map((step) => Uint8Array.from(Buffer.from(step, 'base64'))),
  );
  const speech = goldenSignal(60);
  streams.push(
    encodeFrames(speech, 60, { bitrate: 24_000, expectedLossPercent: 25, inbandFec: true, complexity: 5 }),
    encodeFrames(speech, 60, { bitrate: 64_000, dtx: false, complexity: 2 }),
    encodeFrames(speech, 60, { bitrate: 6000, complexity: 1 }),
    dtx(),
  );
  return streams;
}

/** What digital silence becomes: frames of one byte from the eleventh on. */
function dtx(): Uint8Array[] {
  const encoder = new OpusEncoder();
  const out = new Uint8Array(2000);
  const frames = Array.from({ length: 20 }, () =>
    out.slice(0, encoder.encode(new Int16Array(480), 0, out, 0)),
  );
  encoder.free();
  return frames;
}

/** `opus` bent once: its TOC, its length, its content, or how many frames it says it holds. */
export function bendOpus(random: SeededRandom, opus: Uint8Array): Uint8Array {
  const bent = opus.slice();
  if (bent.length === 0) return random.bytes(random.below(40));
  switch (random.below(9)) {
    case 0:
      bent[0] = random.next();
      return bent;
    case 1:
      // The same content as another configuration, of one frame.
      bent[0] = (random.next() & 0xfc) | 0;
      return bent;
    case 2:
      return bent.subarray(0, 1 + random.below(bent.length));
    case 3:
      return joined([bent[0]!], random.bytes(random.below(300)));
    case 4:
      return padded(random, bent);
    case 5: {
      // Code 1: twice the same frame. Code 2: a length before the first.
      const toc = bent[0]! & 0xfc;
      const body = bent.subarray(1);
      if (random.below(2)) return joined([toc | 1], body, body);
      const first = Math.min(251, random.below(body.length + 2));
      return joined([toc | 2, first], body);
    }
    default:
      for (let n = 1 + random.below(8); n > 0; n -= 1) {
        const at = random.below(bent.length);
        if (at > 0 || random.below(8) === 0)
          bent[at] = random.below(2) ? random.next() : bent[at]! ^ (1 << random.below(8));
      }
      return bent;
  }
}

/** Code 3: several frames, of one size or of stated ones, with padding now and then; rarely with all that fits a payload. */
function padded(random: SeededRandom, opus: Uint8Array): Uint8Array {
  const toc = (random.below(4) ? opus[0]! : random.next()) | 3;
  const body = opus.subarray(1, 1 + random.below(Math.min(opus.length, 250)));
  const count = 1 + random.below(random.below(4) ? 3 : 63);
  const padding = random.below(3) ? random.below(600) : 0;
  const isVbr = random.below(2) === 1;
  const head = [toc, count | (padding > 0 ? 0x40 : 0) | (isVbr ? 0x80 : 0)];
  let left = random.below(100) === 0 ? 65_531 - 400 : padding;
  if (padding > 0) {
    for (; left >= 255; left -= 255) head.push(255);
    head.push(left);
  }
  const sizes = isVbr
    ? Array.from({ length: count - 1 }, () => random.below(1 + Math.floor(body.length / count)))
    : [];
  const whole = isVbr ? body : body.subarray(0, body.length - (body.length % count));
  // What the padding bytes said: 254 for each 255, and the last.
  const tail = padding > 0 ? (head.length - 3) * 254 + left : 0;
  const packet = new Uint8Array(head.length + sizes.length + whole.length + tail);
  packet.set(head);
  packet.set(sizes, head.length);
  packet.set(whole, head.length + sizes.length);
  return packet.length > 65_531 ? packet.subarray(0, 65_531) : packet;
}

function joined(...parts: readonly ArrayLike<number>[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
