/**
 * Which decoders the pool keeps, written from its description and not from the code: which are dropped, which make room, and that
 * a stranger's packets cost nobody else anything.
 */

import t from 'tap';
import type { VoiceResult } from '../../voice/voice_result.js';
import { loadCodec } from '../../wasm/load.js';
import { codecLiveBytes } from '../../wasm/module.js';
import { VoiceDecompressor } from '../../wasm/voice_decompressor.js';
import {
  BUFFER_TOO_SMALL,
  DATA_CORRUPTED,
  FRAME,
  newDecompressor,
  OK,
  UNSUPPORTED_CODEC,
} from '../kit/decoders.js';
import { frameOf, opusOp, packetOfOps, RATE_24K, sealPacket } from '../kit/raw_packet.js';
import { ADA, BEN, CLEO, packet, sealed } from '../kit/speakers.js';

loadCodec();

const FRAME_BYTES = 2 * FRAME;

t.test('a decoder that was idle is dropped, and its speaker’s next frame counts as the first', async (t) => {
  for (const idleMs of [2000, undefined]) {
    const idle = idleMs ?? 60_000;
    const at = { now: 5000 };
    const voice = newDecompressor(t, { clock: () => at.now, ...(idleMs && { idleMs }) });
    const before = codecLiveBytes();
    voice.decompressPcm(packet(ADA, 0), 24_000);
    voice.decompressPcm(packet(BEN, 0), 44_100);
    at.now += idle - 1;
    t.match(voice.decompressPcm(packet(ADA, 3), 24_000), { concealedFrames: 2 }, 'not yet');
    t.equal(voice.decoders, 2);
    // Idle ones are looked for now and then.
    at.now += idle / 4;
    t.match(voice.decompressPcm(packet(ADA, 4), 24_000), { concealedFrames: 0 });
    t.equal(voice.decoders, 1, `who was silent for more than ${idle} ms is gone`);
    t.match(voice.decompressPcm(packet(BEN, 7), 44_100), { concealedFrames: 0 });
    at.now += 2 * idle;
    t.match(voice.decompressPcm(packet(ADA, 7), 24_000), { concealedFrames: 0 }, 'the same speaker, too');
    voice.forget(ADA);
    t.equal(codecLiveBytes(), before, 'and its memory with it');
  }
});

t.test('a speaker who is silent for longer than idleMs starts over, exact to the millisecond', async (t) => {
  const at = { now: 0 };
  const voice = newDecompressor(t, { clock: () => at.now, idleMs: 2000 });
  voice.decompressPcm(packet(BEN, 0), 24_000);
  at.now = 1999;
  voice.decompressPcm(packet(ADA, 0), 24_000);
  at.now = 2001;
  t.match(voice.decompressPcm(packet(BEN, 7), 24_000), { concealedFrames: 0 });
});

t.test('refused packets keep no decoder alive, of nobody', async (t) => {
  const at = { now: 0 };
  const voice = newDecompressor(t, { clock: () => at.now, idleMs: 2000 });
  for (const id of [ADA, BEN, CLEO]) voice.decompressPcm(packet(id, 0), 24_000);
  const forged = packet(ADA, 1);
  forged[12]! ^= 1;
  for (; at.now < 10_000; at.now += 500) {
    t.match(voice.decompressVoice(forged, 24_000), { result: DATA_CORRUPTED });
    t.match(voice.decompressVoice(packet(ADA, 1), 24_000, 0), { result: BUFFER_TOO_SMALL });
  }
  voice.decompressPcm(packet(4n, 0), 24_000);
  t.equal(voice.decoders, 1);
  t.match(voice.decompressPcm(packet(ADA, 9), 24_000), { concealedFrames: 0 });
});

t.test('the one idle for longest makes room, and nobody else is touched', async (t) => {
  const at = { now: 0 };
  const voice = newDecompressor(t, { clock: () => at.now, maxDecoders: 2 });
  const say = (id: bigint, sequence: number) => {
    at.now += 1;
    return voice.decompressPcm(packet(id, sequence), 24_000).concealedFrames;
  };
  say(ADA, 0);
  say(BEN, 0);
  t.equal(say(ADA, 2), 1, 'Ada spoke again, so Ben is the one');
  t.equal(say(CLEO, 50), 0);
  t.equal(voice.decoders, 2);
  t.equal(say(ADA, 4), 1, 'Ada is still there');
  t.equal(say(BEN, 4), 0, 'Ben starts over');
  t.equal(say(CLEO, 60), 0, 'Cleo’s decoder was dropped for him');
});

t.test('a refused packet earns no decoder, and puts none out', async (t) => {
  const at = { now: 0 };
  const voice = newDecompressor(t, { clock: () => at.now, maxDecoders: 1 });
  voice.decompressPcm(packet(ADA, 0), 24_000);
  const flipped = packet(BEN, 0);
  flipped[9]! ^= 1;
  const refused: [Uint8Array, VoiceResult, bytes?: number][] = [
    [flipped, DATA_CORRUPTED],
    [packet(BEN, 0).subarray(0, 14), DATA_CORRUPTED],
    [sealed(BEN, packetOfOps(`${RATE_24K}${opusOp(frameOf(0, '6a'))}`)), DATA_CORRUPTED],
    [sealed(BEN, packetOfOps('0b401f00ffff')), DATA_CORRUPTED],
    [sealed(BEN, packetOfOps('070000')), UNSUPPORTED_CODEC],
    [packet(BEN, 0), BUFFER_TOO_SMALL, FRAME_BYTES - 1],
  ];
  // The table of handles may grow by the one that sizes.
  voice.decompressVoice(packet(CLEO, 0), 24_000, 0);
  const before = codecLiveBytes();
  for (const [bytes, result, room] of refused) {
    t.match(voice.decompressVoice(bytes, 24_000, room), { result, uncompressed: { length: 0 } });
    t.match(voice.decompressVoice(bytes, 44_100, room), { uncompressed: { length: 0 } });
  }
  t.equal(voice.decoders, 1);
  t.equal(codecLiveBytes(), before);
  t.match(
    voice.decompressPcm(packet(ADA, 2), 24_000),
    { concealedFrames: 1 },
    'Ada’s was not put out for it',
  );
});

t.test('forget drops all decoders of a speaker, and only those', async (t) => {
  const voice = newDecompressor(t);
  const before = codecLiveBytes();
  for (const rate of [11_025, 24_000, 48_000]) voice.decompressPcm(packet(ADA, 0), rate);
  voice.decompressPcm(packet(BEN, 0), 24_000);
  voice.forget(CLEO);
  t.equal(voice.decoders, 4, 'of one unknown: nothing');
  voice.forget(ADA);
  t.equal(voice.decoders, 1);
  t.match(voice.decompressPcm(packet(ADA, 5), 48_000), { concealedFrames: 0 });
  t.match(voice.decompressPcm(packet(BEN, 2), 24_000), { concealedFrames: 1 });
  voice.forget(ADA);
  voice.forget(BEN);
  t.equal(codecLiveBytes(), before);
});

t.test('options out of range are named', async (t) => {
  for (const [name, ...values] of [
    ['maxDecoders', 0, 65_537, -1, 1.5, Number.NaN],
    ['idleMs', 999, 3_600_001, -1, Number.NaN],
  ] as const) {
    for (const value of values) {
      const wanted = { name: 'RangeError', message: new RegExp(`${name} is ${value}`) };
      t.throws(() => new VoiceDecompressor({ clock: () => 0, [name]: value }), wanted);
    }
  }
});

t.test('twenty thousand SteamIDs take no more memory than the decoders allowed', async (t) => {
  const before = codecLiveBytes();
  const at = { now: 0 };
  const voice = newDecompressor(t, { clock: () => at.now });
  const bytes = packet(ADA, 0);
  const view = new DataView(bytes.buffer);
  let most = 0;
  let full = 0;
  for (let account = 1; account <= 20_000; account += 1) {
    view.setUint32(0, account, true);
    at.now += 1;
    const { result } = voice.decompressPcm(sealPacket(bytes), account % 2 === 0 ? 24_000 : 16_000);
    if (result !== OK || voice.decoders > 64) t.fail(`${result}, ${voice.decoders} decoders`);
    if (account === 200) full = codecLiveBytes();
    most = Math.max(most, codecLiveBytes());
  }
  t.equal(voice.decoders, 64);
  t.ok(most <= full * 1.01, `${most} bytes at most, ${full} after 200`);
  voice.free();
  t.equal(codecLiveBytes(), before);
});
