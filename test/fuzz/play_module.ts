/**
 * Inputs of the fuzz target `module` (native/module.c), played on the wasm build: calls of its exports in any order with any
 * numbers. Throws where something does not hold; a trap is thrown by the engine.
 */

import { ok } from 'node:assert/strict';
import * as glue from '../../wasm/glue.js';
import { codecLiveBytes, staging } from '../../wasm/module.js';
import { Input, nextState } from './native_input.js';

const MAX_CALLS = 64;
const MAX_LIVE = 3;
const RATES_HZ = [
  8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 4000, 192_000, 96_000, 47_999, 11_026,
];
const EDGES = [
  0, 1, 0xffffffff, 0x80000000, 0x7fffffff, 144_000, 144_001, 65_536, 65_537, 4096, 4097, 8192,
].concat([72_000, 72_001, 5760, 960]);
const FLOATS = [0, -0, 1, -1, 32_768, 3.4e38, -3.4e38, 1e-40, Infinity, -Infinity, Number.NaN, 1e-7];

/** Plays calls of the module's exports, with numbers that its one caller would never give. */
export function playModule(bytes: Uint8Array): void {
  warmUp();
  const idleBytes = codecLiveBytes();
  const input = new Input(bytes);
  staging().packet.fill(0, 0, 4096);
  staging().pcm.fill(0, 0, 14_400);
  staging().input.fill(0);
  for (let calls = 0; calls < MAX_CALLS && input.left > 0; calls += 1) call(input);
  freeAll();
  ok(codecLiveBytes() === idleBytes, `${codecLiveBytes()} bytes live, ${idleBytes} before`);
}

let isWarm = false;

/** The tables of handles grow once and stay. */
function warmUp(): void {
  if (isWarm) return;
  isWarm = true;
  for (let live = 0; live <= MAX_LIVE; live += 1) {
    glue.decoder_new(24_000);
    glue.encoder_new(24_000, 32_000, 0, 0, 0, 0);
    glue.resampler_new(24_000, 48_000);
  }
  freeAll();
}

function freeAll(): void {
  for (let live = 1; live <= MAX_LIVE + 1; live += 1) {
    glue.decoder_free(live);
    glue.encoder_free(live);
    glue.resampler_free(live);
  }
}

function call(input: Input): void {
  const number = () => {
    const kind = input.u8();
    if (kind < 100) return input.u8();
    return kind < 200 ? input.u16() : EDGES[kind % EDGES.length]!;
  };
  const rate = () => {
    const kind = input.u8();
    return kind < 240 ? RATES_HZ[kind % RATES_HZ.length]! : (number() * (kind & 1 ? 1 : 3)) >>> 0;
  };
  const handle = () => {
    const kind = input.u8();
    if (kind < 240) return 1 + (kind % MAX_LIVE);
    return kind < 250 ? kind - 240 : (-1 << ((kind - 250) * 6)) >>> 0;
  };
  const kept = (made: number, free: (handle: number) => void) => {
    ok(made <= MAX_LIVE + 1, `handle ${made}`);
    if (made > MAX_LIVE) free(made);
  };
  const answered = (answer: number, most: number) =>
    ok(answer >= -7 && answer <= most, `answer ${answer} of ${most}`);

  switch (input.u8() % 20) {
    case 0:
      kept(glue.decoder_new(rate()), glue.decoder_free);
      return;
    case 1: {
      const hz = input.u8() < 240 ? 24_000 : rate();
      const bitrate = input.u8() < 200 ? 6000 + (input.u16() % 58_001) : number();
      const complexity = input.u8() < 240 ? input.u8() % 11 : number();
      const dtx = input.u8() % 3;
      const loss = input.u8() % 102;
      kept(glue.encoder_new(hz, bitrate | 0, complexity | 0, dtx, loss, input.u8() % 4), glue.encoder_free);
      return;
    }
    case 2: {
      const from = rate();
      kept(glue.resampler_new(from, rate()), glue.resampler_free);
      return;
    }
    case 3: {
      const kind = input.u8() % 3;
      [glue.decoder_free, glue.encoder_free, glue.resampler_free][kind]!(handle());
      return;
    }
    case 4:
    case 5:
      staging().packet.set(input.bytes(input.u16()));
      return;
    case 6: {
      const kind = input.u8() % 4;
      const amplitude = input.u16();
      const seed = input.u8();
      const { pcm } = staging();
      let state = seed + 1;
      for (let i = 0; i < 7200; i += 1) {
        state = nextState(state);
        if (kind === 0) pcm[i] = state >> 16;
        else if (kind === 1) pcm[i] = Math.floor(i / (seed + 1)) % 2 ? amplitude : -amplitude;
        else pcm[i] = kind === 2 ? amplitude : 0;
      }
      return;
    }
    case 7: {
      const kind = input.u8() % 3;
      const floats = staging().input;
      const bits = new Int32Array(floats.buffer, floats.byteOffset, floats.length);
      let state = input.u8() + 1;
      for (let i = 0; i < floats.length; i += 1) {
        state = nextState(state);
        if (kind === 0) floats[i] = state / 2 ** 31;
        else if (kind === 1) bits[i] = state;
        else floats[i] = FLOATS[(state >>> 16) % FLOATS.length]!;
      }
      return;
    }
    case 8: {
      const [which, length, room] = [handle(), number(), number()];
      answered(glue.decoder_decode(which, length, room), Math.min(room, 144_000));
      return;
    }
    case 9: {
      const [which, samples] = [handle(), number()];
      const answer = glue.decoder_conceal(which, samples);
      ok(answer < 0 || answer === samples, `${answer} samples for ${samples}`);
      return;
    }
    case 10: {
      const which = handle();
      answered(glue.decoder_fec(which, number()), 960);
      return;
    }
    case 11:
    case 12: {
      const [which, length, room] = [handle(), number(), number()];
      answered(glue.decoder_run(which, length, room), Math.min(room, 144_000));
      return;
    }
    case 13: {
      const which = handle();
      glue.decoder_final_range(which);
      glue.decoder_reset(which);
      glue.encoder_final_range(which);
      glue.encoder_lookahead(which);
      if (input.u8() % 2) glue.encoder_reset(which);
      answered(glue.encoder_in_dtx(which), 1);
      return;
    }
    case 14: {
      const answer = glue.encoder_encode(handle());
      ok(answer !== 0, 'a packet of no bytes');
      answered(answer, 1276);
      return;
    }
    case 15: {
      const which = handle();
      let frames = number();
      if (frames > 4 && frames < 65_536) frames %= 5;
      answered(glue.encoder_run(which, frames), 65_536);
      return;
    }
    case 16: {
      const [which, samples] = [handle(), number()];
      answered(glue.resampler_process(which, samples), 8192);
      return;
    }
    case 17: {
      const [which, samples] = [handle(), number()];
      answered(glue.resampler_stream(which, samples), 144_000);
      return;
    }
    case 18: {
      const to = rate();
      const [which, samples] = [handle(), number()];
      const wanted = input.u8() < 200 ? Math.floor((samples * to) / 24_000) >>> 0 : number();
      const answer = glue.resampler_stretch(which, samples, wanted);
      ok(answer < 0 || answer === wanted, `${answer} samples, wanted ${wanted}`);
      return;
    }
    default: {
      const which = handle();
      glue.resampler_delay(which);
      glue.resampler_reset(which);
    }
  }
}
