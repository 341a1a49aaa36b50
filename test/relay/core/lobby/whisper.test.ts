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

t.test('only the participants named hear a whisper', async (t) => {
  const bench = three();
  t.match(bench.voice(1, whispered(1)), { reason: 'target-unknown' }, 'to nobody yet');
  t.same(deeds(bench.text(1, { type: 'whisper', slots: [1] })), [
    { kind: 'subscribe', connection: 2, topic: 'lobby/0/w0' },
  ]);
  t.match(bench.voice(1, whispered(1)), {
    kind: 'forward',
    topic: null,
    ownTopic: 'lobby/0/w0',
    relaySequence: 0,
  });
  t.match(bench.voice(1, whispered(1)), { relaySequence: 1, outputs: [] });
  t.same(deeds(bench.text(1, { type: 'whisper', slots: [2] })), [
    { kind: 'tell', connections: [2], message: { type: 'hears', until: [[0, 255, 2]] } },
    { kind: 'tell', connections: [2], message: { type: 'speaking', slot: 0, speaking: false } },
    { kind: 'unsubscribe', connection: 2, topic: 'lobby/0/w0' },
    { kind: 'subscribe', connection: 3, topic: 'lobby/0/w0' },
  ]);
  t.match(bench.voice(1, whispered(1)), { relaySequence: 0 }, 'what is said to another list counts from 0');
});

t.test('only the participants whispered to hear who whispers', async (t) => {
  const bench = three();
  bench.text(1, { type: 'whisper', slots: [2] });
  t.same(tellsOf(bench.voice(1, whispered(1)).outputs), [
    [[3], { type: 'speaking', slot: 0, speaking: true }],
  ]);
  t.match(tellsOf(bench.join(4))[0]?.[1], { participants: [{ slot: 0, speaking: false }, {}, {}] });
});

t.test(
  'the own slot is left out, a slot named twice counts once, and an empty list ends the whisper',
  async (t) => {
    const bench = three();
    t.equal(deeds(bench.text(1, { type: 'whisper', slots: [0, 1, 1] })).length, 1);
    t.same(bench.relay.lobby('den')?.members[0]?.whisperTo, [1]);
    t.same(deeds(bench.text(1, { type: 'whisper', slots: [] })), [
      { kind: 'unsubscribe', connection: 2, topic: 'lobby/0/w0' },
    ]);
    t.match(bench.voice(1, whispered(1)), { reason: 'target-unknown' });
  },
);

t.test(
  'when a slot is free, whispers go to nobody: the participants named before were not meant',
  async (t) => {
    const bench = three();
    bench.text(1, { type: 'whisper', slots: [1] });
    t.equal(failureOf(bench.text(1, { type: 'whisper', slots: [2, 9] })), 'participant-unknown');
    t.same(bench.relay.lobby('den')?.members[0]?.whisperTo, []);
  },
);

t.test('nobody can whisper to more than 16', async (t) => {
  const bench = three();
  const slots = new Array(MAX_WHISPERED + 1).fill(1);
  t.equal(refusalOf(bench.text(1, { type: 'whisper', slots })), 'message-malformed');
});

t.test(
  'a participant who leaves is no longer whispered to, and neither is the next one with that slot',
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

t.test(
  'when a whisperer leaves, nobody hears the whispers of the next participant with that slot',
  async (t) => {
    const bench = new Bench({ slotRestMs: 2, resumeWithinMs: 1 });
    for (const account of [1, 2]) bench.join(account);
    bench.text(1, { type: 'whisper', slots: [1] });
    const outputs = bench.text(1, { type: 'leave' });
    t.ok(outputs.some((it) => it.kind === 'unsubscribe' && it.connection === 2 && it.topic === 'lobby/0/w0'));
  },
);
