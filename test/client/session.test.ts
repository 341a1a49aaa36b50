/** The client's side of the protocol: what the relay says goes in, what to do about it comes out. */

import { inspect } from 'node:util';
import t from 'tap';
import { Session, type SessionInput, type SessionOutput } from '../../client/session.js';
import { type RelayMessage, writeMessage } from '../../voice/control.js';
import { personSteamId } from '../../voice/steam_id.js';
import { stampVoiceFrame, writeVoiceFrame } from '../../voice/wire.js';
import { SILENCE_PACKET } from '../kit/golden_packets.js';

const OPTIONS = { lobby: 'den', steamId: personSteamId(7), name: 'Ada' };
const KIM = { slot: 3, steamId: String(personSteamId(8)), name: 'Kim', speaking: true };
const KIM_IN = { ...KIM, steamId: personSteamId(8) };
const BEN = { slot: 0, steamId: String(personSteamId(9)), name: 'Ben', speaking: false };
const BEN_IN = { ...BEN, steamId: personSteamId(9) };

const WELCOME: RelayMessage = {
  type: 'welcome',
  version: 1,
  slot: 5,
  lobby: 'den',
  relayTimeMs: 81_250,
  participants: [KIM],
};

function said(message: RelayMessage | object): SessionInput {
  return { kind: 'text', text: writeMessage(message as RelayMessage) };
}

function voiceFrom(slot: number): Uint8Array {
  const fields = { marker: true, terminator: false, target: 0, sequence: 65_535, timestamp: 4_294_967_295 };
  const frame = writeVoiceFrame(fields, SILENCE_PACKET);
  stampVoiceFrame(frame, { slot, relaySequence: 12, relayTimeMs: 81_300, acknowledge: false });
  return frame;
}

/** A session that was let in, with Kim there. */
function joined(): Session {
  const session = new Session(OPTIONS);
  session.handle({ kind: 'opened' });
  session.handle(said(WELCOME));
  return session;
}

/** The code of the only output, which has to be the end. */
function endOf(outputs: readonly SessionOutput[]): string | null {
  const [output] = outputs;
  if (outputs.length !== 1 || output?.kind !== 'ended') throw new Error(`wants the end: ${outputs.length}`);
  return output.error?.code ?? null;
}

t.test('it says hello when the connection opens, and nothing before', async (t) => {
  const session = new Session(OPTIONS);
  t.equal(session.joined, false);
  t.same(session.leave(), [], 'there is nothing to leave');
  const outputs = session.handle({ kind: 'opened' });
  t.same(outputs, [
    {
      kind: 'send',
      text: '{"type":"hello","versions":[1],"lobby":"den","steamId":"76561197960265735","name":"Ada"}',
    },
  ]);
  t.equal(session.joined, false, 'a hello is not a welcome');
});

t.test('a ticket goes into the hello in hexadecimal, and nowhere else', async (t) => {
  const session = new Session({ ...OPTIONS, ticket: Uint8Array.of(0, 1, 0xab, 0xff) });
  const [hello] = session.handle({ kind: 'opened' });
  if (hello?.kind !== 'send') throw new Error('there is no hello');
  t.match(JSON.parse(hello.text), { type: 'hello', name: 'Ada', ticket: '0001abff' });
  const refused = session.handle(said({ type: 'refused', code: 'ticket-refused', message: 'it is used' }));
  const ended = session.handle({ kind: 'closed', code: 4009, reason: 'ticket-refused' });
  t.match(ended, [{ kind: 'ended', error: { code: 'ERR_HOTMIC_REFUSED', message: /ticket-refused/ } }]);
  t.notMatch(inspect([session, refused, ended], { depth: 9 }), /0001abff|171/, 'it shows in no error');
});

t.test('the welcome tells who is there', async (t) => {
  const session = new Session(OPTIONS);
  session.handle({ kind: 'opened' });
  t.same(session.handle(said(WELCOME)), [
    {
      kind: 'welcome',
      slot: 5,
      relayTimeMs: 81_250,
      maySpeak: true,
      mayListen: true,
      participants: [KIM_IN],
    },
  ]);
  t.equal(session.joined, true);
  t.same(session.participants, [KIM_IN]);
});

t.test('who joins, speaks and leaves is told and remembered', async (t) => {
  const session = joined();
  t.same(session.handle(said({ type: 'joined', participant: BEN })), [
    { kind: 'joined', participant: BEN_IN },
  ]);
  t.same(session.participants, [KIM_IN, BEN_IN]);
  t.same(session.handle(said({ type: 'speaking', slot: 0, speaking: true })), [
    { kind: 'speaking', participant: { ...BEN_IN, speaking: true } },
  ]);
  t.same(session.handle(said({ type: 'left', slot: 0 })), [
    { kind: 'left', participant: { ...BEN_IN, speaking: true } },
  ]);
  t.same(session.participants, [KIM_IN]);
});

t.test('a participant that was told of is not changed by what comes later', async (t) => {
  const session = joined();
  const [kim] = session.participants;
  session.handle(said({ type: 'speaking', slot: 3, speaking: false }));
  t.equal(kim?.speaking, true);
  t.equal(session.participants[0]?.speaking, false);
});

t.test('an unknown slot speaks and leaves without a word', async (t) => {
  const session = joined();
  t.same(session.handle(said({ type: 'speaking', slot: 9, speaking: true })), []);
  t.same(session.handle(said({ type: 'left', slot: 9 })), []);
  t.same(session.participants, [KIM_IN]);
});

t.test('a voice frame comes with its speaker, its header and its packet', async (t) => {
  const session = joined();
  const frame = voiceFrom(3);
  const [output] = session.handle({ kind: 'voice', frame });
  if (output?.kind !== 'voice') throw new Error('wants voice');
  t.same(output.participant, KIM_IN);
  t.match(output.header, {
    marker: true,
    terminator: false,
    sequence: 65_535,
    timestamp: 4_294_967_295,
    slot: 3,
    relayTimeMs: 81_300,
  });
  t.equal(Buffer.compare(output.packet, SILENCE_PACKET), 0);
  t.equal(output.packet.buffer, frame.buffer, 'nothing is copied');
});

t.test('a voice frame that cannot be taken is dropped under its reason', async (t) => {
  const early = new Session(OPTIONS);
  early.handle({ kind: 'opened' });
  const dropOf = (session: Session, frame: Uint8Array) => session.handle({ kind: 'voice', frame });
  t.same(dropOf(early, voiceFrom(3)), [{ kind: 'dropped', reason: 'not-joined' }], 'before the welcome');

  const session = joined();
  t.same(dropOf(session, voiceFrom(9)), [{ kind: 'dropped', reason: 'slot-unknown' }]);
  t.same(dropOf(session, voiceFrom(3).subarray(0, 30)), [{ kind: 'dropped', reason: 'malformed' }]);
  const later = voiceFrom(3);
  later[0] = 0x21;
  t.same(dropOf(session, later), [{ kind: 'dropped', reason: 'malformed' }], 'version 2');
  session.handle(said({ type: 'left', slot: 3 }));
  t.same(dropOf(session, voiceFrom(3)), [{ kind: 'dropped', reason: 'slot-unknown' }], 'who has left');
  session.leave();
  t.same(dropOf(session, voiceFrom(3)), [{ kind: 'dropped', reason: 'not-joined' }], 'while we leave');
  t.equal(endOf(session.handle({ kind: 'closed', code: 1000, reason: '' })), null, 'none of it is an end');
});

t.test('a message that cannot be read ends the session', async (t) => {
  for (const [text, detail] of [
    ['', 'not JSON'],
    ['{"type":"welcome"', 'not JSON'],
    ['null', 'Invalid input'],
    ['{"type":"renamed"}', 'Invalid input'],
    ['{"type":"left","slot":65536}', 'slot'],
    ['{"type":"left","slot":-1}', 'slot'],
    [writeMessage({ type: 'joined', participant: { ...BEN, name: 'Be\u001b[2Jn' } }), 'participant.name'],
    [writeMessage({ type: 'joined', participant: { ...BEN, steamId: '-1' } }), 'participant.steamId'],
    [`"${'x'.repeat(256 * 1024)}"`, 'wants at most 262144'],
  ] as const) {
    const [output] = joined().handle({ kind: 'text', text });
    if (output?.kind !== 'ended') throw new Error(`wants the end after ${text.slice(0, 40)}`);
    t.equal(output.error?.code, 'ERR_HOTMIC_PROTOCOL');
    t.ok(output.error?.message.includes(detail), `${output.error?.message} names ${detail}`);
  }
});

t.test('a message at the wrong time ends the session', async (t) => {
  for (const message of [
    { type: 'joined', participant: BEN },
    { type: 'left', slot: 3 },
    { type: 'speaking', slot: 3, speaking: true },
  ]) {
    const session = new Session(OPTIONS);
    session.handle({ kind: 'opened' });
    t.equal(
      endOf(session.handle(said(message))),
      'ERR_HOTMIC_PROTOCOL',
      `${message.type} before the welcome`,
    );
  }
  t.equal(endOf(new Session(OPTIONS).handle(said(WELCOME))), 'ERR_HOTMIC_PROTOCOL', 'before the hello');
  t.equal(endOf(joined().handle(said(WELCOME))), 'ERR_HOTMIC_PROTOCOL', 'a second welcome');
});

t.test('a relay that speaks another version than ours is not followed', async (t) => {
  const session = new Session(OPTIONS);
  session.handle({ kind: 'opened' });
  const [output] = session.handle(said({ ...WELCOME, version: 2 }));
  t.match(output, {
    kind: 'ended',
    error: {
      code: 'ERR_HOTMIC_PROTOCOL',
      message: 'Cannot follow relay: it speaks version 2, wants 1',
    },
  });
});

t.test('a refusal is told when the connection closes behind it, with the code of the relay', async (t) => {
  for (const session of [new Session(OPTIONS), joined()]) {
    if (!session.joined) session.handle({ kind: 'opened' });
    const refused = { type: 'refused', code: 'lobby-full', message: 'den has no room' };
    t.same(session.handle(said(refused)), []);
    t.match(session.handle({ kind: 'closed', code: 4006, reason: 'lobby-full' }), [
      {
        kind: 'ended',
        error: { code: 'ERR_HOTMIC_REFUSED', message: 'Relay refused (lobby-full): den has no room' },
      },
    ]);
  }
});

t.test('we leave once, still follow the lobby, and the close behind it is no error', async (t) => {
  const session = joined();
  t.same(session.leave(), [{ kind: 'send', text: '{"type":"leave"}' }]);
  t.same(session.leave(), []);
  t.equal(session.joined, false, 'nothing more may be sent');
  t.same(session.handle(said({ type: 'left', slot: 3 })), [{ kind: 'left', participant: KIM_IN }]);
  t.same(session.handle({ kind: 'closed', code: 1000, reason: '' }), [{ kind: 'ended', error: null }]);
});

t.test('a connection that closes by itself is lost, and the error says how', async (t) => {
  for (const [code, reason, message] of [
    [1001, '', 'Relay closed the connection (1001)'],
    [1001, 'shutdown', 'Relay closed the connection (1001, shutdown)'],
    [1006, '', 'Connection to the relay broke (1006)'],
  ] as const) {
    t.match(joined().handle({ kind: 'closed', code, reason }), [
      { kind: 'ended', error: { code: 'ERR_HOTMIC_CONNECTION_LOST', message } },
    ]);
  }
  const neverOpened = new Session(OPTIONS).handle({ kind: 'closed', code: 1006, reason: '' });
  t.equal(endOf(neverOpened), 'ERR_HOTMIC_CONNECTION_LOST');
});

t.test('after the end nothing comes out, whatever goes in', async (t) => {
  const ends: Record<string, SessionInput> = {
    'a close': { kind: 'closed', code: 1006, reason: '' },
    'a malformed message': { kind: 'text', text: '?' },
  };
  for (const [name, end] of Object.entries(ends)) {
    const session = joined();
    session.handle(end);
    const afterwards: SessionInput[] = [
      { kind: 'opened' },
      said(WELCOME),
      said({ type: 'joined', participant: BEN }),
      said({ type: 'speaking', slot: 3, speaking: false }),
      said({ type: 'refused', code: 'lobby-full', message: '' }),
      { kind: 'text', text: '?' },
      { kind: 'voice', frame: voiceFrom(3) },
      { kind: 'closed', code: 1000, reason: '' },
    ];
    for (const input of afterwards) t.same(session.handle(input), [], `${input.kind} after ${name}`);
    t.same(session.leave(), []);
    t.equal(session.joined, false);
  }
});

t.test('a token goes into the hello, and what it does not grant comes with the welcome', async (t) => {
  const token = 'aGVhZGVy.cGF5bG9hZA.c2lnbmF0dXJl';
  const session = new Session({ lobby: 'den', steamId: 76561197960265730n, name: 'Robin', token });
  const [hello] = session.handle({ kind: 'opened' });
  t.match(hello, { kind: 'send', text: new RegExp(`"token":"${token}"`) });
  const text = JSON.stringify({ ...WELCOME, speak: false, listen: false });
  t.match(session.handle({ kind: 'text', text }), [{ kind: 'welcome', maySpeak: false, mayListen: false }]);
});
