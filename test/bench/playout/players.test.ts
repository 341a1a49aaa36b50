/** The benchmark's speaker sends what Steam and the client would, and the fixed buffers that it compares with do what they say. */

import t from 'tap';
import { FixedBuffer } from '../../../bench/playout/fixed.js';
import type { Measured } from '../../../bench/playout/meter.js';
import { neteq } from '../../../bench/playout/neteq.js';
import { play, transmission } from '../../../bench/playout/simulate.js';
import { repeat, speak, speechScript } from '../../../bench/playout/source.js';
import { opusFrames, readPacket } from '../../../voice/packet.js';
import { VoiceDecoder } from '../../../wasm/decompress.js';
import { loadCodec } from '../../../wasm/load.js';
import { type NetworkTrace, TRACES } from '../../kit/network.js';

loadCodec();
const script = speechScript(20, 1);
const pushToTalk = speak(script, { microphone: 'push-to-talk' });
const open = speak(script, { microphone: 'open-microphone' });

function played(delayMs: number, trace: NetworkTrace, source = pushToTalk): Measured {
  return play(transmission(source, trace, 1), new FixedBuffer(delayMs));
}

t.test('each talkspurt has one marker and one terminator, at its ends', async (t) => {
  const { packets, talkspurts } = pushToTalk;
  t.ok(talkspurts.length >= 2);
  const marked = packets.filter(({ header }) => header.marker);
  t.same(
    marked.map(({ header }) => header.timestamp),
    talkspurts.map(({ from }) => from),
  );
  t.same(
    script.map(({ from }) => from),
    talkspurts.map(({ from }) => from),
    'the media clock is where the script is',
  );
  t.equal(packets.filter(({ header }) => header.terminator).length, talkspurts.length);
  t.ok(packets.every(({ sentMs }, at) => at === 0 || sentMs >= packets[at - 1]!.sentMs));
});

t.test('a packet is sent when its last sample was captured', async (t) => {
  const off = pushToTalk.packets
    .filter(({ frames }) => frames > 0)
    .map(({ header, frames, sentMs }) => Math.abs(header.timestamp / 24 + frames * 20 - sentMs));
  t.ok(off.length > 500 && Math.max(...off) < 0.1, `${Math.max(...off)} ms off at most`);
});

t.test('polled at 60 Hz, packets are sent when the game polls', async (t) => {
  const polled = speak(script, { microphone: 'push-to-talk', pollMs: 1000 / 60 });
  const frames = (packets: typeof polled.packets) => packets.reduce((sum, packet) => sum + packet.frames, 0);
  t.equal(frames(polled.packets), frames(pushToTalk.packets));
  const polls = polled.packets.map(({ sentMs }) => sentMs * 0.06);
  t.ok(polls.every((poll) => Math.abs(poll - Math.round(poll)) < 1e-6));
  t.ok(
    polls.some((poll, at) => poll - (polls[at - 1] ?? poll) > 1.5),
    'some polls find nothing new',
  );
});

t.test('an open microphone is one recording that goes on when it is repeated', async (t) => {
  const twice = repeat(open, 2);
  t.equal(twice.packets.filter(({ header }) => header.marker).length, 1);
  const decoder = new VoiceDecoder(24_000);
  let samples = 0;
  const sequences: number[] = [];
  let isContinuous = true;
  for (const [at, { header, packet }] of twice.packets.entries()) {
    const { pcm, concealedFrames } = decoder.decompressPcm(packet);
    const read = readPacket(packet);
    if (read.kind === 'malformed') throw new Error(read.detail);
    sequences.push(...opusFrames(read).map(({ sequence }) => sequence));
    isContinuous &&= concealedFrames === 0 && header.sequence === at && header.timestamp === samples;
    samples += pcm.length;
  }
  decoder.free();
  t.ok(isContinuous && sequences.length > 2000);
  t.ok(sequences.every((sequence, at) => sequence === at));
});

t.test('a fixed buffer plays everything with its delay on a clean network', async (t) => {
  for (const delayMs of [20, 60, 200]) {
    const measured = played(delayMs, TRACES.clean);
    t.match(measured, { delayP50Ms: delayMs, delayP95Ms: delayMs, concealedFrames: 0, clicks: 0 });
    t.ok(measured.audibleFrames > 300);
  }
});

t.test('a fixed buffer conceals exactly what is lost', async (t) => {
  const sent = transmission(pushToTalk, TRACES.loss, 1);
  const lost = pushToTalk.packets.filter(
    ({ frames }, at) => frames > 0 && sent.arrivedAtMs[at] === null,
  ).length;
  const measured = play(sent, new FixedBuffer(60));
  t.ok(measured.unheardFrames > 0 && measured.unheardFrames <= lost, `${measured.unheardFrames} of ${lost}`);
  t.equal(measured.madeUpFrames, measured.unheardFrames);
});

t.test('a fixed buffer conceals what is later than its delay, and no more', async (t) => {
  const trace: NetworkTrace = {
    ...TRACES.clean,
    reordered: { share: 0.1, fromMs: 50, toMs: 50 },
  };
  t.ok(played(40, trace).concealedFrames > 10);
  t.equal(played(60, trace).concealedFrames, 0);
});

t.test('after a stall a fixed buffer is live again at once', async (t) => {
  const atMs = pushToTalk.talkspurts[0]!.from / 24 + 500;
  const stall: NetworkTrace = {
    ...TRACES.clean,
    stalls: { atMs, everyMs: 60_000, forMs: 1000 },
    order: 'kept',
  };
  const measured = played(60, stall);
  t.ok(measured.afterStallMs! > 55 && measured.afterStallMs! < 65, `${measured.afterStallMs} ms`);
  t.ok(measured.concealedFrames > 20, `${measured.concealedFrames}`);
});

t.test('a fixed buffer gets over a drift that it cannot follow', async (t) => {
  // So fast that 20 s are enough: 2 % are 400 ms.
  for (const driftPpm of [-20_000, 20_000]) {
    const measured = played(60, { ...TRACES.clean, driftPpm }, open);
    const share = measured.concealedFrames / measured.audibleFrames;
    t.ok(share < 0.35, `${driftPpm} ppm: ${(100 * share).toFixed(0)} % concealed`);
    t.ok(measured.delayP95Ms < 60 + 200 + 25, `${driftPpm} ppm: ${measured.delayP95Ms} ms`);
  }
});

t.test('without cargo, neteq is missing and it is reported why', async (t) => {
  const path = process.env.PATH;
  process.env.PATH = '';
  t.teardown(() => {
    process.env.PATH = path;
  });
  t.match(neteq(), { kind: 'missing', reason: /^cargo cannot be run: / });
});
