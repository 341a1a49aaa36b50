/** Whispering: to whom, who hears it, and what ends it. */

import t from 'tap';
import { MAX_WHISPERED } from '../../../../voice/control.js';
import { Bench, deeds, failureOf, frameOf, refusalOf, slotOf, tellsOf } from '../../kit.js';

const whispered = (account: number) => frameOf(account, { target: 255 });

function three(): Bench {
  const bench = new Bench();
  for (const account of [1, 2, 3]) bench.join(account);
  return bench;
}

t.test('those whom somebody names hear their whispers, and no others', async (t) => {
  const bench = three();
  t.match(bench.voice(1, whispered(1)), { reason: 'target-unknown' }, 'to nobody yet');
  t.same(deeds(bench.text(1, { type: 'whisper', slots: [1] })), [
    { kind: 'subscribe', connection: 2, topic: 'lobby/0/w0' },
  ]);
  t.match(bench.voice(1, whispered(1)), { kind: 'forward', topic: 'lobby/0/w0', relaySequence: 0 });
  t.match(bench.voice(1, whispered(1)), { relaySequence: 1, outputs: [] });
  t.same(deeds(bench.text(1, { type: 'whisper', slots: [2] })), [
    { kind: 'tell', connections: [2], message: { type: 'speaking', slot: 0, speaking: false } },
    { kind: 'unsubscribe', connection: 2, topic: 'lobby/0/w0' },
    { kind: 'subscribe', connection: 3, topic: 'lobby/0/w0' },
  ]);
});

t.test('that somebody whispers is told to those alone to whom they do', async (t) => {
  const bench = three();
  bench.text(1, { type: 'whisper', slots: [2] });
  t.same(tellsOf(bench.voice(1, whispered(1)).outputs), [
    [[3], { type: 'speaking', slot: 0, speaking: true }],
  ]);
  t.match(tellsOf(bench.join(4))[0]?.[1], { participants: [{ slot: 0, speaking: false }, {}, {}] });
});

t.test('oneself is left out, a slot named twice counts once, and none ends it', async (t) => {
  const bench = three();
  t.equal(deeds(bench.text(1, { type: 'whisper', slots: [0, 1, 1] })).length, 1);
  t.same(bench.relay.lobby('den')?.members[0]?.whisperTo, [1]);
  t.same(deeds(bench.text(1, { type: 'whisper', slots: [] })), [
    { kind: 'unsubscribe', connection: 2, topic: 'lobby/0/w0' },
  ]);
  t.match(bench.voice(1, whispered(1)), { reason: 'target-unknown' });
});

t.test('when a slot is nobody’s, whispers go to nobody: those before were not meant', async (t) => {
  const bench = three();
  bench.text(1, { type: 'whisper', slots: [1] });
  t.equal(failureOf(bench.text(1, { type: 'whisper', slots: [2, 9] })), 'participant-unknown');
  t.same(bench.relay.lobby('den')?.members[0]?.whisperTo, []);
});

t.test('to more than 16 nobody whispers', async (t) => {
  const bench = three();
  const slots = new Array(MAX_WHISPERED + 1).fill(1);
  t.equal(refusalOf(bench.text(1, { type: 'whisper', slots })), 'message-malformed');
});

t.test(
  'whoever is whispered to and leaves is no longer, and who has their slot after them neither',
  async (t) => {
    const bench = new Bench({ slotRestMs: 2, resumeWithinMs: 1 });
    for (const account of [1, 2, 3]) bench.join(account);
    bench.text(1, { type: 'whisper', slots: [1, 2] });
    bench.text(2, { type: 'leave' });
    bench.now += 10;
    const outputs = bench.join(4);
    t.equal(slotOf(outputs), 1);
    t.same(
      outputs.flatMap((output) => (output.kind === 'subscribe' ? [output.topic] : [])),
      ['lobby/0'],
    );
    t.same(bench.relay.lobby('den')?.members[0]?.whisperTo, [2]);
  },
);

t.test('when a whisperer leaves nobody hears the whispers of who has their slot next', async (t) => {
  const bench = new Bench({ slotRestMs: 2, resumeWithinMs: 1 });
  for (const account of [1, 2]) bench.join(account);
  bench.text(1, { type: 'whisper', slots: [1] });
  const outputs = bench.text(1, { type: 'leave' });
  t.ok(outputs.some((it) => it.kind === 'unsubscribe' && it.connection === 2 && it.topic === 'lobby/0/w0'));
});
