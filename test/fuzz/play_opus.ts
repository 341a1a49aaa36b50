/**
 * Inputs of the fuzz targets `decode` and `encode` (native/), played on the wasm build: each function reads its format as the
 * C file of that name does, and throws where something does not hold. A trap is thrown by the engine.
 */

import { ok } from 'node:assert/strict';
import { OPUS_MAX_PACKET_BYTES, OPUS_RATES_HZ, OpusDecoder, OpusEncoder } from '../../wasm/codec.js';
import { Input, nextState } from './native_input.js';

const FRAME = 480;
const MAX_STEPS = 64;
const MAX_FRAMES = 32;
const CANARY = 0x5a5a;

export function playDecode(bytes: Uint8Array): void {
  const input = new Input(bytes);
  const header = input.u8();
  const rate = OPUS_RATES_HZ[(header & 7) % 5]!;
  const longest = (rate / 25) * 3;
  const frame = rate / 50;
  const decoder = new OpusDecoder(rate);
  const out = new Int16Array(longest + 2).fill(CANARY);
  const holdEdges = (samples: number, room: number) => {
    ok(samples <= room, `${samples} samples in room for ${room}`);
    ok(samples > 0 || (samples <= -2 && samples >= -4), `answer ${samples}`);
    ok(out[0] === CANARY && out[1 + Math.max(0, samples)] === CANARY, 'wrote beside the samples');
    out.fill(CANARY);
  };
  let room = longest;
  let fec = false;
  for (let steps = 0; steps < MAX_STEPS && input.left >= 2; steps += 1) {
    const word = input.u16();
    if (word === 0xfffd) {
      fec = true;
      continue;
    }
    if (word === 0xfffa) {
      room = 1 + (input.u16() % longest);
      continue;
    }
    if (word === 0xffff) decoder.reset();
    else if (word === 0xfffc) input.bytes(4);
    else if (word === 0xfffe) holdEdges(decoder.conceal(frame, out, 1), frame);
    else if (word === 0xfffb) {
      const samples = (rate / 400) * (1 + (input.u8() % 48));
      holdEdges(decoder.conceal(samples, out, 1), samples);
    } else {
      const packet = input.bytes(word);
      if (packet.length > 0) {
        if (fec) holdEdges(decoder.decodeFec(packet, 0, packet.length, out, 1), frame);
        const samples = decoder.decode(packet, 0, packet.length, out.subarray(0, 1 + room), 1);
        holdEdges(samples, room);
        if (samples < 0 && header & 0x80) decoder.reset();
      }
    }
    fec = false;
    room = longest;
  }
  decoder.free();
}

export function playEncode(bytes: Uint8Array): void {
  const input = new Input(bytes);
  const bitrate = 6000 + (input.u16() % 58_001);
  const complexity = input.u8() % 11;
  const flags = input.u8();
  const expectedLossPercent = input.u8() % 101;
  const inbandFec = (flags & 2) !== 0;
  const encoder = new OpusEncoder({
    bitrate,
    complexity,
    dtx: (flags & 1) !== 0,
    inbandFec,
    expectedLossPercent,
  });
  const rate = OPUS_RATES_HZ[((flags >> 2) & 7) % 5]!;
  const gap = 1 + (flags >> 5);
  const decoder = new OpusDecoder(24_000);
  const second = new OpusDecoder(rate);
  const pcm = new Int16Array(FRAME);
  const heard = new Int16Array(960);
  const packet = new Uint8Array(OPUS_MAX_PACKET_BYTES + 1).fill(0x5a);
  let isLost = false;
  for (let frames = 0; input.left > 0 && frames < MAX_FRAMES; ) {
    const op = input.u8();
    const kind = op & 7;
    if (kind === 7) encoder.reset();
    fillFrame(pcm, kind, input);
    const repeats = kind === 0 || kind === 7 ? 1 : 1 + ((op >> 3) & 7);
    for (let n = 0; n < repeats && frames < MAX_FRAMES; n += 1, frames += 1) {
      const length = encoder.encode(pcm, 0, packet, 0);
      ok(length >= 1 && length <= OPUS_MAX_PACKET_BYTES, `${length} bytes`);
      ok(packet[OPUS_MAX_PACKET_BYTES] === 0x5a, 'wrote behind the packet');
      ok(decoder.decode(packet, 0, length, heard, 0) === FRAME, 'decodes to one frame');
      ok(decoder.finalRange === encoder.finalRange, 'both ends agree on the range');
      if (frames % gap === gap - 1 && !isLost) {
        isLost = true;
        continue;
      }
      if (isLost) ok(second.decodeFec(packet, 0, length, heard, 0) === rate / 50, 'FEC');
      ok(second.decode(packet, 0, length, heard, 0) === rate / 50, 'second decoder');
      isLost = false;
    }
  }
  for (const instance of [encoder, decoder, second]) instance.free();
}

function fillFrame(pcm: Int16Array, kind: number, input: Input): void {
  switch (kind) {
    case 0:
      for (let i = 0; i < FRAME; i += 1) pcm[i] = input.u16();
      return;
    case 1:
      pcm.fill(0);
      return;
    case 2: {
      const amplitude = input.u16();
      const half = 1 + input.u8();
      for (let i = 0; i < FRAME; i += 1) pcm[i] = Math.floor(i / half) % 2 ? amplitude : -amplitude;
      return;
    }
    case 3: {
      const amplitude = input.u16() & 0x7fff;
      let state = input.u8() * 7919 + 1;
      for (let i = 0; i < FRAME; i += 1) {
        state = nextState(state);
        pcm[i] = Math.floor((state * amplitude) / 2 ** 31);
      }
      return;
    }
    case 4:
      return;
    case 5: {
      const at = input.u16() % FRAME;
      pcm.fill(0);
      pcm[at] = input.u16();
      return;
    }
    case 6: {
      const amplitude = input.u16() & 0x7fff;
      const period = 2 + input.u8();
      for (let i = 0; i < FRAME; i += 1) {
        const phase = i % period;
        const height = phase < Math.floor(period / 2) ? phase : period - phase;
        pcm[i] = Math.trunc((height * 2 * amplitude) / period) - Math.trunc(amplitude / 2);
      }
      return;
    }
    default:
      pcm.fill(input.u16());
  }
}
