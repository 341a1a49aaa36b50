/** A session that the relay asks how far it has read, parks and unparks, and that drops what is too old. */

import t from 'tap';
import type { SessionOutput } from '../../../client/session/session_io.js';
import { readAcknowledgement } from '../../../voice/acknowledgement.js';
import { type RelayMessageToWrite, writeMessage } from '../../../voice/control.js';
import { personSteamId } from '../../../voice/steam_id.js';
import { stampVoiceFrame, writeVoiceFrame } from '../../../voice/wire.js';
import { SILENCE_PACKET } from '../../kit/golden_packets.js';
import { RESUME, welcomeOf } from '../scripted_transport.js';
import { type Drive, drive } from './drive.js';

/** The relay's clock when ours shows 0. It wraps after 3 s. */
const RELAY_AT_START = 2 ** 32 - 3000;
const RELAY = ['ping', 'recording', 'stale', 'heartbeat'];
const KIM = { slot: 3, steamId: String(personSteamId(8)), name: 'Kim' };
const BEN = { slot: 4, steamId: String(personSteamId(9)), name: 'Ben' };

type Welcome = Extract<RelayMessageToWrite, { type: 'welcome' }>;

/** A session in a lobby with Kim and Ben, and a relay whose clock runs as ours does. */
function joined(changed: Partial<Welcome> = {}, settings: Parameters<typeof drive>[0] = {}) {
  const session = drive({ rejoin: 'may', ...settings });
  const { handle, sleep, now } = session;
  let relayStart = RELAY_AT_START;
  const relayTimeMs = (agoMs = 0) => (relayStart + now() - agoMs) >>> 0;
  const say = (message: RelayMessageToWrite) => handle({ kind: 'text', text: writeMessage(message) });
  const welcome = () =>
    say(
      welcomeOf({
        capabilities: RELAY,
        staleAfterMs: 150,
        relayTimeMs: relayTimeMs(),
        resume: RESUME,
        participants: [KIM, BEN].map((who) => ({ ...who, speaking: false })),
        ...changed,
      }),
    );
  session.open();
  welcome();
  const sequences = new Map<number, number>();
  /** A frame that the relay had some time ago. */
  const hear = (
    agoMs = 0,
    { slot = 3, acknowledge = false, opaque = false, skip = 0 } = {},
  ): readonly SessionOutput[] => {
    const relaySequence = (sequences.get(slot) ?? 0) + skip;
    sequences.set(slot, relaySequence + 1);
    const frame = writeVoiceFrame(
      {
        marker: false,
        terminator: false,
        target: 0,
        sequence: relaySequence,
        timestamp: 480 * relaySequence,
      },
      SILENCE_PACKET,
    );
    if (opaque) frame[0]! |= 0x08;
    stampVoiceFrame(frame, { slot, relaySequence, relayTimeMs: relayTimeMs(agoMs), acknowledge });
    return handle({ kind: 'voice', frame });
  };
  return {
    ...{ session, say, welcome, hear, relayTimeMs, sleep, sequences },
    counts: () => session.session.counts(),
    /** The relay is another one, whose clock shows this much more. */
    moveRelay: (ms: number) => {
      relayStart += ms;
    },
  };
}

const kindsOf = (outputs: readonly SessionOutput[]) =>
  outputs.map((output) =>
    output.kind === 'send' && typeof output.data !== 'string'
      ? `ack ${readAcknowledgement(output.data)}`
      : output.kind,
  );

/** The marker of the only frame that is passed on. */
function markerOf(outputs: readonly SessionOutput[]): boolean {
  const voice = outputs.find((output) => output.kind === 'voice');
  if (voice?.kind !== 'voice') throw new Error('nothing is heard');
  return voice.header.marker;
}

t.test('a flagged frame is acknowledged before it is passed on', async (t) => {
  const { hear, relayTimeMs } = joined();
  t.same(kindsOf(hear(0, { acknowledge: true })), [`ack ${relayTimeMs()}`, 'voice']);
  t.same(kindsOf(hear()), ['voice']);
});

t.test('it is acknowledged whether it is passed on or not', async (t) => {
  const { hear, relayTimeMs, sleep, counts } = joined();
  t.same(kindsOf(hear(0, { acknowledge: true, slot: 77 })), [`ack ${relayTimeMs()}`]);
  sleep(20);
  t.same(kindsOf(hear(0, { acknowledge: true, opaque: true })), [`ack ${relayTimeMs()}`]);
  sleep(5000);
  t.same(kindsOf(hear(4900, { acknowledge: true })), [`ack ${relayTimeMs(4900)}`]);
  t.match(counts().dropped, { 'slot-unknown': 1, opaque: 1, stale: 1 });
});

t.test('an acknowledgement counts for the 10 ms after it, also where the clock wraps', async (t) => {
  const { hear, sleep, relayTimeMs } = joined();
  sleep(2990);
  t.same(kindsOf(hear(0, { acknowledge: true })), [`ack ${relayTimeMs()}`, 'voice']);
  sleep(9);
  t.same(kindsOf(hear(0, { acknowledge: true, slot: 4 })), ['voice']);
  sleep(1);
  t.equal(relayTimeMs(), 0);
  t.same(kindsOf(hear(0, { acknowledge: true })), ['ack 0', 'voice']);
});

t.test('a relay without the capability gets no acknowledgements', async (t) => {
  const { hear } = joined({ capabilities: ['ping', 'recording'] });
  t.same(kindsOf(hear(0, { acknowledge: true })), ['voice']);
});

t.test('parked is acknowledged at once, each time, and told once', async (t) => {
  const { say, relayTimeMs, sleep, counts } = joined();
  const at = relayTimeMs();
  t.same(kindsOf(say({ type: 'parked', relayTimeMs: at })), [`ack ${at}`, 'parked']);
  sleep(1);
  t.same(kindsOf(say({ type: 'parked', relayTimeMs: at + 1 })), [`ack ${at + 1}`]);
  t.same(say({ type: 'live' }), [{ kind: 'caught-up', skippedFrames: 0 }]);
  t.same(say({ type: 'live' }), [], 'only once');
  t.equal(counts().parks, 1);
});

t.test('what the relay leaves out while we are parked is skipped, and not missed', async (t) => {
  const { hear, say, relayTimeMs, sequences, counts } = joined();
  hear();
  hear(0, { slot: 4, skip: 2 });
  t.equal(counts().framesMissed, 2);
  say({ type: 'parked', relayTimeMs: relayTimeMs() });
  say({
    type: 'hears',
    until: [
      [3, 0, 101],
      [4, 0, 3],
      [77, 0, 500],
    ],
    next: [
      [3, 0, 101],
      [4, 0, 3],
      [77, 0, 500],
    ],
  });
  t.same(say({ type: 'live' }), [{ kind: 'caught-up', skippedFrames: 100 }]);
  sequences.set(3, 101);
  t.equal(markerOf(hear()), true, 'the next frame does not go on from the last one');
  t.equal(markerOf(hear()), false, 'but the one after it does');
  t.equal(markerOf(hear(0, { slot: 4 })), false, 'and so does that of somebody of whom nothing was skipped');
  t.match(counts(), { framesSkipped: 100, framesMissed: 2 });
  say({ type: 'hears', until: [[3, 0, 105]] });
  t.match(counts(), { framesSkipped: 100, framesMissed: 4 }, 'from now on it is missed again');
});

t.test('whoever gets the slot of somebody who left goes on from nothing', async (t) => {
  const { hear, say, relayTimeMs } = joined();
  hear();
  say({ type: 'parked', relayTimeMs: relayTimeMs() });
  say({ type: 'hears', until: [[3, 0, 9]], next: [[3, 0, 9]] });
  say({ type: 'live' });
  say({ type: 'left', slot: 3 });
  say({ type: 'joined', participant: { ...KIM, steamId: String(personSteamId(30)) } });
  t.equal(markerOf(hear()), false);
});

t.test('20 s that are read at once are dropped and counted, but for what is in time', async (t) => {
  const { hear, sleep, counts } = joined();
  for (let frame = 0; frame < 10; frame += 1) {
    sleep(20);
    t.same(kindsOf(hear()), ['voice']);
  }
  sleep(20_000);
  const heard: number[] = [];
  let first: readonly SessionOutput[] | null = null;
  for (let agoMs = 19_980; agoMs >= 0; agoMs -= 20) {
    const outputs = hear(agoMs);
    if (outputs.length === 0) continue;
    first ??= outputs;
    heard.push(agoMs);
  }
  t.same([heard.length, heard[0]], [8, 140]);
  t.equal(markerOf(first!), true, 'the first of them does not go on from what was heard before');
  t.equal(counts().dropped.stale, 992);
  t.equal(counts().framesMissed, 0, 'they have arrived');
});

t.test('heartbeats keep the base in silence', async (t) => {
  const { say, hear, sleep, relayTimeMs } = joined();
  // The path becomes 400 ms longer.
  for (let beat = 0; beat < 5; beat += 1) {
    sleep(500);
    t.same(say({ type: 'heartbeat', relayTimeMs: relayTimeMs(400) }), []);
  }
  t.same(kindsOf(hear(400)), ['voice']);
  t.same(kindsOf(hear(560)), []);
});

t.test('a relay that does not say what is stale gets nothing dropped', async (t) => {
  const { hear, sleep } = joined({ staleAfterMs: undefined });
  hear();
  sleep(20_000);
  t.same(kindsOf(hear(20_000)), ['voice']);
});

t.test('who keeps all voice is not parked, and gets it however late', async (t) => {
  const session = drive({ staleVoice: 'keep' });
  t.match(session.open(), [{ kind: 'send', data: /"capabilities":\["heartbeat"\]/ }]);
  const { hear, sleep } = joined({}, { staleVoice: 'keep' });
  hear();
  sleep(20_000);
  t.same(kindsOf(hear(20_000)), ['voice']);
});

t.test('after a resume nothing is asked yet, nobody is parked, and the base is kept', async (t) => {
  const { session, say, welcome, hear, relayTimeMs, sleep } = joined();
  hear(0, { acknowledge: true });
  const parkedAt = relayTimeMs();
  say({ type: 'parked', relayTimeMs: parkedAt });
  session.handle({ kind: 'closed', code: 1006, reason: '' });
  session.open();
  sleep(5);
  t.same(kindsOf(welcome()), ['resumed']);
  t.same(kindsOf(hear(0, { acknowledge: true })), [`ack ${relayTimeMs()}`, 'voice']);
  t.same(say({ type: 'live' }), [], 'that was another connection');
  t.same(kindsOf(hear(200)), [], 'the clocks are the same');
});

t.test('after a resume each voice begins again: what was said meanwhile is not lost', async (t) => {
  const { session, welcome, hear } = joined();
  hear();
  session.handle({ kind: 'closed', code: 1006, reason: '' });
  session.open();
  welcome();
  t.equal(markerOf(hear(0, { skip: 50 })), true);
  t.equal(markerOf(hear()), false);
});

t.test('another relay has another clock, and relay times go on on the first one', async (t) => {
  const { session, say, welcome, hear, sleep, moveRelay, relayTimeMs, counts } = joined();
  // An hour, in which the first relay's clock runs 200 ppm slower than ours.
  for (let beat = 0; beat < 7200; beat += 1) {
    sleep(500);
    moveRelay(-0.1);
    say({ type: 'heartbeat', relayTimeMs: relayTimeMs() });
  }
  const before = relayTimeMs();
  session.handle({ kind: 'closed', code: 1006, reason: '' });
  session.open();
  say({ type: 'refused', code: 'resume-refused', message: 'no place' });
  session.handle({ kind: 'closed', code: 4013, reason: 'resume-refused' });
  session.open();
  const passed = session.now();
  moveRelay(123_456_789);
  t.same(kindsOf(welcome()), ['resumed']);
  const [voice] = hear();
  if (voice?.kind !== 'voice') throw new Error('nothing is heard');
  const expected = (before + session.now() - passed) >>> 0;
  t.ok(Math.abs(voice.header.relayTimeMs - expected) <= 300, 'as if it were the first relay');
  t.ok(Math.abs(voice.header.relayTimeMs - before) < 1000);
  t.equal(counts().dropped.stale, 0);
});

/** A relay's messages at a time when they make no sense break nothing. */
t.test('parked, live and heartbeats before the welcome are out of order', async (t) => {
  for (const message of [
    { type: 'parked', relayTimeMs: 1 },
    { type: 'heartbeat', relayTimeMs: 1 },
    { type: 'live' },
  ] as const) {
    const session: Drive = drive();
    session.open();
    const [output] = session.handle({ kind: 'text', text: writeMessage(message) });
    t.match(output, { kind: 'join-failed', error: { code: 'ERR_HOTMIC_PROTOCOL' } });
  }
});
