/** The trial of deep PLC: the losses are those that it names, and the committed figures follow from the committed result. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { KEPT, PAGE, plcTables, withPlcFigures } from '../../../bench/plc/figures.js';
import { heard, LOSSES, lostFrames } from '../../../bench/plc/losses.js';
import { PlcModule } from '../../../bench/plc/module.js';
import { type Raw, SEEDS } from '../../../bench/plc/plc.js';
import type { Result } from '../../../bench/result.js';
import { FRAME_SAMPLES, VOICE_RATE_HZ } from '../../../voice/units.js';
import { OPUS_MAX_PACKET_BYTES, OpusDecoder, OpusEncoder } from '../../../wasm/codec.js';
import { loadCodec } from '../../../wasm/load.js';

const runsOf = (lost: Uint8Array) => lost.join('').split('0').filter(Boolean);

t.test('the share of lost frames and the length of bursts are those of the pattern', async (t) => {
  for (const losses of LOSSES) {
    const lost = lostFrames(losses, 50_000, 1);
    const share = lost.reduce((sum, isLost) => sum + isLost, 0) / lost.length;
    t.ok(Math.abs(share - losses.share) < losses.share / 10, `${losses.name}: ${share}`);
    if (losses.burstMs === null) continue;
    t.same([...new Set(runsOf(lost))], ['1'.repeat(losses.burstMs / 20)], losses.name);
  }
});

t.test('a seed loses the same frames again, and the shortest clip loses one', async (t) => {
  const [rare] = LOSSES;
  t.same(lostFrames(rare!, 400, 7), lostFrames(rare!, 400, 7));
  t.notSame(lostFrames(rare!, 400, 7), lostFrames(rare!, 400, 8));
  t.ok(runsOf(lostFrames(rare!, 20, 3)).length > 0);
});

t.test('a stream is decoded as the shipped decoder does it, FEC included', async (t) => {
  loadCodec();
  const encoder = new OpusEncoder({ inbandFec: true, expectedLossPercent: 20 });
  const frames = 60;
  const pcm = Int16Array.from(
    { length: frames * FRAME_SAMPLES },
    (_, i) => 8000 * Math.sin(i / 20 + i * i * 1e-7),
  );
  const scratch = new Uint8Array(OPUS_MAX_PACKET_BYTES);
  const packets = Array.from({ length: frames }, (_, at) =>
    scratch.slice(0, encoder.encode(pcm, at * FRAME_SAMPLES, scratch, 0)),
  );
  const lost = Uint8Array.from({ length: frames }, (_, at) => (at % 20 > 16 ? 1 : 0));
  const decoder = new OpusDecoder(VOICE_RATE_HZ);
  const expected = new Int16Array(pcm.length);
  for (const [at, packet] of packets.entries()) {
    const next = lost[at + 1] === 0 ? packets[at + 1]! : null;
    const place = at * FRAME_SAMPLES;
    if (lost[at] === 0) decoder.decode(packet, 0, packet.length, expected, place);
    else if (next) decoder.decodeFec(next, 0, next.length, expected, place);
    else decoder.conceal(FRAME_SAMPLES, expected, place);
  }
  const module = new PlcModule(readFileSync('wasm/pkg/hotmic_wasm_bg.wasm'));
  t.same(heard(module, packets, lost, { plc: 'classic', fec: true }), expected);
  for (const instance of [encoder, decoder]) instance.free();
});

t.test('the committed result has every pattern with every seed, and the page has its figures', async (t) => {
  const kept = JSON.parse(readFileSync(KEPT, 'utf8')) as Result;
  t.equal(kept.void, null);
  const { scored } = kept.raw as Raw;
  for (const { name } of LOSSES) {
    const seeds = new Set(scored.filter(({ losses }) => losses === name).map(({ seed }) => seed));
    t.same([...seeds].sort(), SEEDS, name);
  }
  const page = readFileSync(PAGE, 'utf8');
  t.equal(withPlcFigures(page, plcTables(kept)), page);
});
