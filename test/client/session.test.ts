/** The client's side of the protocol: the relay's messages are its inputs, and what to do about them its outputs. */

import { inspect } from 'node:util';
import t from 'tap';
import { Session } from '../../client/session.js';
import type { SessionInput, SessionOutput, SessionReturn } from '../../client/session_io.js';
import { type RelayMessageToWrite, writeMessage } from '../../voice/control.js';
import { personSteamId } from '../../voice/steam_id.js';
import { stampVoiceFrame, writeVoiceFrame } from '../../voice/wire.js';
import { SILENCE_PACKET } from '../kit/golden_packets.js';
import { memberOf, RESUME, welcomeOf } from './scripted_transport.js';

const OPTIONS = { lobby: 'den', steamId: personSteamId(7), name: 'Ada' };
const KIM = { slot: 3, steamId: String(personSteamId(8)), name: 'Kim' };
const KIM_IN = { ...memberOf(3, 8, 'Kim'), speaking: true };
const BEN = { slot: 0, steamId: String(personSteamId(9)), name: 'Ben' };
const BEN_IN = { ...memberOf(0, 9, 'Ben'), speaking: false };
const ADA_IN = memberOf(5, 7, 'Ada');

const WELCOME = welcomeOf({ relayTimeMs: 81_250, participants: [{ ...KIM, speaking: true }] });
const AUTO: SessionReturn = { reconnect: 'auto', rejoin: 'may' };
const LOST: SessionInput = { kind: 'closed', code: 1006, reason: '' };

function said(message: RelayMessageToWrite | object): SessionInput {
  return { kind: 'text', text: writeMessage(message as RelayMessageToWrite) };
}

function voiceFrom(slot: number, target = 0): Uint8Array {
  const fields = { marker: true, terminator: false, target, sequence: 65_535, timestamp: 4_294_967_295 };
  const frame = writeVoiceFrame(fields, SILENCE_PACKET);
  stampVoiceFrame(frame, { slot, relaySequence: 12, relayTimeMs: 81_300, acknowledge: false });
  return frame;
}

/** A session that joined a lobby with Kim in it. */
function joined(): Session {
  const session = new Session(OPTIONS);
  session.handle({ kind: 'opened' });
  session.handle(said(WELCOME));
  return session;
}

/** The error code of the only output, which must be the end. */
function endOf(outputs: readonly SessionOutput[]): string | null {
  const [output] = outputs;
  if (outputs.length !== 1 || output?.kind !== 'ended')
    throw new Error(`expected the end: ${outputs.length}`);
  return output.error?.code ?? null;
}

t.test('it sends hello when the connection opens, and nothing before', async (t) => {
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
  const session = new Session(OPTIONS);
  const credential = { kind: 'ticket', ticket: Uint8Array.of(0, 1, 0xab, 0xff) } as const;
  const [hello] = session.handle({ kind: 'opened', credential });
  if (hello?.kind !== 'send') throw new Error('there is no hello');
  t.match(JSON.parse(hello.text), { type: 'hello', name: 'Ada', ticket: '0001abff' });
  const refused = session.handle(said({ type: 'refused', code: 'ticket-refused', message: 'it is used' }));
  const ended = session.handle({ kind: 'closed', code: 4009, reason: 'ticket-refused' });
  t.match(ended, [{ kind: 'ended', error: { code: 'ERR_HOTMIC_REFUSED', message: /ticket-refused/ } }]);
  t.notMatch(inspect([session, refused, ended], { depth: 9 }), /0001abff|171/, 'it shows in no error');
});

t.test('the welcome lists who is there', async (t) => {
  const session = new Session(OPTIONS);
  session.handle({ kind: 'opened' });
  t.same(session.handle(said(WELCOME)), [{ kind: 'welcome', relayTimeMs: 81_250 }]);
  t.same(session.you, ADA_IN);
  t.same([session.maySpeak, session.mayListen], [true, true]);
  t.equal(session.joined, true);
  t.same(session.participants, [KIM_IN]);
});

t.test('participants who join, speak and leave are reported and tracked', async (t) => {
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

t.test('a reported participant object is not changed by later messages', async (t) => {
  const session = joined();
  const [kim] = session.participants;
  session.handle(said({ type: 'speaking', slot: 3, speaking: false }));
  t.equal(kim?.speaking, true);
  t.equal(session.participants[0]?.speaking, false);
});

t.test('an unknown slot that speaks or leaves is ignored', async (t) => {
  const session = joined();
  t.same(session.handle(said({ type: 'speaking', slot: 9, speaking: true })), []);
  t.same(session.handle(said({ type: 'left', slot: 9 })), []);
  t.same(session.participants, [KIM_IN]);
});

t.test('a voice frame comes with its speaker, its header and its packet', async (t) => {
  const session = joined();
  const frame = voiceFrom(3);
  const [output] = session.handle({ kind: 'voice', frame });
  if (output?.kind !== 'voice') throw new Error('expected voice');
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

t.test('a voice frame that cannot be used is dropped with its reason', async (t) => {
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
  t.equal(
    endOf(session.handle({ kind: 'closed', code: 1000, reason: '' })),
    null,
    'none of them ends the session',
  );
});

t.test('a message that cannot be read ends the session', async (t) => {
  for (const [text, detail] of [
    ['', 'not JSON'],
    ['{"type":"welcome"', 'not JSON'],
    ['null', 'expected type object'],
    ['{"type":"renamed"}', 'type: expected a known value'],
    ['{"type":"left","slot":65536}', 'slot'],
    ['{"type":"left","slot":-1}', 'slot'],
    [writeMessage({ type: 'joined', participant: { ...BEN, name: 'Be\u001b[2Jn' } }), 'participant.name'],
    [writeMessage({ type: 'joined', participant: { ...BEN, steamId: '-1' } }), 'participant.steamId'],
    [`"${'x'.repeat(512 * 1024)}"`, 'expected at most 524288'],
  ] as const) {
    const [output] = joined().handle({ kind: 'text', text });
    if (output?.kind !== 'ended') throw new Error(`expected the end after ${text.slice(0, 40)}`);
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

t.test('a relay that speaks another protocol version is not followed', async (t) => {
  const session = new Session(OPTIONS);
  session.handle({ kind: 'opened' });
  const [output] = session.handle(said({ ...WELCOME, version: 2 }));
  t.match(output, {
    kind: 'ended',
    error: {
      code: 'ERR_HOTMIC_PROTOCOL',
      message: 'Cannot follow the relay: it speaks version 2, expected 1',
    },
  });
});

t.test("a refusal is reported when the connection then closes, with the relay's code", async (t) => {
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

t.test('we leave once, still follow the lobby, and the close that follows is not an error', async (t) => {
  const session = joined();
  t.same(session.leave(), [{ kind: 'send', text: '{"type":"leave"}' }]);
  t.same(session.leave(), []);
  t.equal(session.joined, false, 'nothing more may be sent');
  t.same(session.handle(said({ type: 'left', slot: 3 })), [{ kind: 'left', participant: KIM_IN }]);
  t.same(session.handle({ kind: 'closed', code: 1000, reason: '' }), [{ kind: 'ended', error: null }]);
});

t.test('a connection that closes unexpectedly is lost, and the error says how', async (t) => {
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

t.test('after the end nothing is output, whatever the input', async (t) => {
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

t.test('a token goes into the hello, and the welcome says what it does not grant', async (t) => {
  const token = 'aGVhZGVy.cGF5bG9hZA.c2lnbmF0dXJl';
  const session = new Session(OPTIONS);
  const [hello] = session.handle({ kind: 'opened', credential: { kind: 'token', token } });
  t.match(hello, { kind: 'send', text: new RegExp(`"token":"${token}"`) });
  session.handle(said({ ...WELCOME, speak: false, listen: false }));
  t.same([session.maySpeak, session.mayListen], [false, false]);
});

t.test('a hello without a SteamID names none, and the welcome says which one we have', async (t) => {
  const session = new Session({ lobby: 'den', name: 'Ada' });
  const [hello] = session.handle({ kind: 'opened' });
  t.same(hello, { kind: 'send', text: '{"type":"hello","versions":[1],"lobby":"den","name":"Ada"}' });
  session.handle(said(welcomeOf({ you: { ...BEN, guest: true } })));
  t.same(session.you, { ...memberOf(0, 9, 'Ben'), guest: true });
});

t.test('a challenge is answered by a hello with the ticket for its nonce, once', async (t) => {
  const session = new Session(OPTIONS);
  const [request] = session.handle({
    kind: 'opened',
    credential: { kind: 'app-ticket', beside: { kind: 'token', token: 'a.b.c' } },
  });
  t.match(request, { kind: 'send', text: /"token":"a.b.c","appTicket":"request"/ });
  const challenge = said({ type: 'challenge', nonce: `00ff${'12'.repeat(14)}` });
  const nonce = Uint8Array.of(0, 255, ...Array<number>(14).fill(18));
  t.same(session.handle(challenge), [{ kind: 'challenge', nonce }]);
  const [hello] = session.handle({ kind: 'app-ticket', ticket: Uint8Array.of(1, 171) });
  t.match(hello, { kind: 'send', text: /"type":"hello".*"token":"a.b.c","appTicket":"01ab"/ });
  t.match(session.handle(said(WELCOME)), [{ kind: 'welcome' }]);
  t.same(
    session.handle({ kind: 'app-ticket', ticket: Uint8Array.of(1) }),
    [],
    'what comes too late is not sent',
  );
  t.equal(endOf(session.handle(challenge)), 'ERR_HOTMIC_PROTOCOL');

  const unasked = new Session(OPTIONS);
  unasked.handle({ kind: 'opened' });
  t.equal(endOf(unasked.handle(challenge)), 'ERR_HOTMIC_PROTOCOL', 'without a request there is no challenge');
});

t.test('channels and their members are known by channel name', async (t) => {
  const session = new Session(OPTIONS);
  session.handle({ kind: 'opened' });
  const participants = [{ ...KIM, channels: [4], speaking: false }];
  session.handle(said(welcomeOf({ participants, channels: [{ number: 4, name: 'red' }] })));
  t.same(session.channels, ['red']);
  t.same(session.participants[0]?.channels, ['red']);
  t.equal(session.numberOf({ channel: 'red' }), null, 'we are not in it');

  const made = session.handle(said({ type: 'channel', channel: { number: 9, name: 'blue' } }));
  t.same(made, [{ kind: 'channels', channels: ['red', 'blue'] }]);
  const you = { slot: 5, steamId: String(personSteamId(7)), name: 'Ada', channels: [9] };
  const before = session.you;
  t.same(session.handle(said({ type: 'changed', participant: you })), [
    { kind: 'you-changed', you: { ...ADA_IN, channels: ['blue'] }, before },
  ]);
  t.equal(session.numberOf({ channel: 'blue' }), 9);
  t.same([session.numberOf('lobby'), session.numberOf('whisper')], [0, 255]);
  t.same(session.handle(said({ type: 'channel-ended', number: 4 })), [
    { kind: 'channels', channels: ['blue'] },
  ]);
  t.same(session.handle(said({ type: 'channel-ended', number: 4 })), [], 'once');
});

t.test('a change is reported with the state before, and does not affect who is speaking', async (t) => {
  const session = joined();
  const changed = session.handle(
    said({ type: 'changed', participant: { ...KIM, name: 'Kimmy', muted: true } }),
  );
  const participant = { ...KIM_IN, name: 'Kimmy', muted: true };
  t.same(changed, [{ kind: 'changed', participant, before: KIM_IN }]);
  t.same(session.participants, [participant]);
  t.same(session.handle(said({ type: 'changed', participant: BEN })), [], 'someone who is not there');
});

t.test('a voice frame says whom it is for', async (t) => {
  const session = joined();
  session.handle(said({ type: 'channel', channel: { number: 9, name: 'blue' } }));
  for (const [number, target] of [
    [0, 'lobby'],
    [255, 'whisper'],
    [9, { channel: 'blue' }],
  ] as const) {
    const [output] = session.handle({ kind: 'voice', frame: voiceFrom(3, number) });
    if (output?.kind !== 'voice') throw new Error('expected voice');
    t.same(output.target, target);
  }
  const dropped = session.handle({ kind: 'voice', frame: voiceFrom(3, 10) });
  t.same(dropped, [{ kind: 'dropped', reason: 'target-unknown' }]);
});

t.test('requests are sent while we are in the lobby, and failures are reported', async (t) => {
  const session = joined();
  t.same(session.request({ type: 'rename', name: 'Ad' }), {
    kind: 'send',
    text: '{"type":"rename","name":"Ad"}',
  });
  t.same(
    session.handle(said({ type: 'failed', request: 'channels', code: 'channels-full', message: 'no room' })),
    [{ kind: 'failed', request: 'channels', code: 'channels-full', message: 'no room' }],
  );
  t.same(session.handle(said({ type: 'draining', withinMs: 500, goTo: 'wss://b' })), [
    { kind: 'draining', withinMs: 500, goTo: 'wss://b' },
  ]);
  t.equal(session.joined, true);
  session.leave();
  t.equal(session.request({ type: 'rename', name: 'Ad' }), null);
});

/** A session that reconnects, in a lobby with Kim, who is speaking. */
function resumable(welcome: object = {}, onLoss = AUTO): Session {
  const session = new Session(OPTIONS, onLoss);
  session.handle({ kind: 'opened' });
  session.handle(said({ ...WELCOME, resume: RESUME, ...welcome }));
  return session;
}

t.test('after a lost connection the session is away, and sends resume on the next one', async (t) => {
  const session = resumable();
  t.match(session.handle(LOST), [
    { kind: 'away', why: 'broken', withinMs: 30_000, error: { code: 'ERR_HOTMIC_CONNECTION_LOST' } },
    { kind: 'speaking', participant: { name: 'Kim', speaking: false } },
  ]);
  t.same([session.away, session.joined, session.over], [true, false, false]);
  t.equal(session.request({ type: 'whisper', slots: [3] }), null);
  t.equal(session.numberOf('lobby'), null, 'nothing can be sent');
  t.equal(session.opening, 'resume');
  t.same(session.handle({ kind: 'opened' }), [
    { kind: 'send', text: `{"type":"resume","versions":[1],"secret":"${RESUME.secret}"}` },
  ]);
  const again = { ...RESUME, secret: 'cd'.repeat(16) };
  const outputs = session.handle(said({ ...WELCOME, relayTimeMs: 90_000, resume: again }));
  t.same(outputs, [
    { kind: 'resumed', how: 'resumed', relayTimeMs: 90_000 },
    { kind: 'speaking', participant: KIM_IN },
  ]);
  t.equal(session.joined, true);
  session.handle({ kind: 'closed', code: 1001, reason: 'shutdown' });
  t.match(
    session.handle({ kind: 'opened' }),
    [{ text: new RegExp(again.secret) }],
    'the newest secret counts',
  );
});

t.test('after a resume, what changed while away is reported as changes', async (t) => {
  const zoe = { slot: 7, steamId: String(personSteamId(11)), name: 'Zoe' };
  const zoeIn = { ...memberOf(7, 11, 'Zoe'), speaking: false };
  const session = resumable({
    participants: [
      { ...KIM, speaking: false },
      { ...BEN, speaking: false },
      { ...zoe, speaking: false },
    ],
    channels: [{ number: 1, name: 'red' }],
  });
  session.handle(LOST);
  session.handle({ kind: 'opened' });
  const eve = { slot: 0, steamId: String(personSteamId(12)), name: 'Eve' };
  const outputs = session.handle(
    said({
      ...WELCOME,
      resume: RESUME,
      you: { ...WELCOME.you, muted: true },
      channels: [{ number: 2, name: 'blue' }],
      participants: [
        { ...KIM, channels: [2], speaking: false },
        { ...eve, speaking: true },
        { ...zoe, speaking: false },
      ],
    }),
  );
  const kim = { ...KIM_IN, speaking: false };
  t.same(outputs, [
    { kind: 'resumed', how: 'resumed', relayTimeMs: 81_250 },
    { kind: 'channels', channels: ['blue'] },
    { kind: 'left', participant: BEN_IN },
    { kind: 'changed', participant: { ...kim, channels: ['blue'] }, before: kim },
    { kind: 'joined', participant: { ...memberOf(0, 12, 'Eve'), speaking: true } },
    { kind: 'you-changed', you: { ...ADA_IN, muted: true }, before: ADA_IN },
  ]);
  t.same(session.participants.at(-1), zoeIn, 'an unchanged participant is not reported');
});

t.test(
  'when the place is gone it sends another hello under the same identity, and enters our channels',
  async (t) => {
    const session = resumable({ channels: [{ number: 1, name: 'red' }] });
    const you = { slot: 5, steamId: String(personSteamId(7)), name: 'Ada II', channels: [1] };
    session.handle(said({ type: 'changed', participant: you }));
    session.handle(LOST);
    session.handle({ kind: 'opened' });
    session.handle(said({ type: 'refused', code: 'resume-refused', message: 'nobody waits' }));
    t.match(session.handle({ kind: 'closed', code: 4013, reason: 'resume-refused' }), [
      { kind: 'still-away' },
    ]);
    t.equal(session.opening, 'hello');
    const [hello] = session.handle({ kind: 'opened', credential: { kind: 'token', token: 'a.b.c' } });
    t.match(hello, { text: /"steamId":"76561197960265735","name":"Ada II","token":"a.b.c"/ });
    const outputs = session.handle(
      said(welcomeOf({ slot: 2, you: { ...WELCOME.you, slot: 2, name: 'Ada II' } })),
    );
    t.match(outputs, [
      { kind: 'resumed', how: 'joined-anew' },
      { kind: 'channels', channels: [] },
      { kind: 'left', participant: { name: 'Kim' } },
      { kind: 'you-changed', you: { slot: 2 } },
      { kind: 'send', text: '{"type":"channels","channels":["red"]}' },
    ]);
  },
);

t.test('when the place is gone, the session of a guest, or without another credential, ends', async (t) => {
  const guest = { you: { ...WELCOME.you, guest: true } };
  for (const session of [resumable(guest), resumable({}, { reconnect: 'auto', rejoin: 'never' })]) {
    session.handle(LOST);
    session.handle({ kind: 'opened' });
    session.handle(said({ type: 'refused', code: 'resume-refused', message: 'nobody waits' }));
    const end = session.handle({ kind: 'closed', code: 4013, reason: 'resume-refused' });
    t.equal(endOf(end), 'ERR_HOTMIC_CONNECTION_LOST');
  }
});

t.test(
  'a guest who may only listen joins again under another SteamID; one who may speak does not',
  async (t) => {
    const guest = { ...WELCOME.you, guest: true };
    const listener = resumable({ you: guest, speak: false, resume: undefined });
    t.match(listener.handle(LOST), [{ kind: 'away' }]);
    t.match(listener.handle({ kind: 'opened' }), [{ kind: 'send', text: /"type":"hello"/ }]);
    const you = { ...guest, slot: 7, steamId: '90071996842377217' };
    const again = said(welcomeOf({ slot: 7, you, speak: false }));
    t.match(listener.handle(again), [{ kind: 'resumed', how: 'joined-anew' }]);
    t.match(listener.you, { slot: 7, steamId: 90071996842377217n });
    const speaker = resumable({ you: guest, resume: undefined });
    t.equal(endOf(speaker.handle(LOST)), 'ERR_HOTMIC_CONNECTION_LOST');
  },
);

t.test('a temporary refusal is retried; any other ends the session', async (t) => {
  for (const [code, kind] of [
    ['relay-full', 'still-away'],
    ['lobby-full', 'still-away'],
    ['admission-unavailable', 'still-away'],
    ['address-full', 'still-away'],
    ['guests-full', 'still-away'],
    ['steam-id-in-use', 'still-away'],
    ['banned', 'ended'],
    ['replaced', 'ended'],
    ['token-refused', 'ended'],
    ['riddle', 'ended'],
  ] as const) {
    const session = resumable();
    session.handle(LOST);
    session.handle({ kind: 'opened' });
    session.handle(said({ type: 'refused', code, message: 'no' }));
    t.match(session.handle({ kind: 'closed', code: 4099, reason: code }), [{ kind }], code);
  }
});

t.test('a session that was refused, must not reconnect, or may not resume does not reconnect', async (t) => {
  const kicked = resumable();
  kicked.handle(said({ type: 'refused', code: 'kicked', message: 'a moderator kicked you' }));
  t.equal(endOf(kicked.handle({ kind: 'closed', code: 4015, reason: 'kicked' })), 'ERR_HOTMIC_REFUSED');
  const silently = resumable().handle({ kind: 'closed', code: 4016, reason: 'banned' });
  t.equal(endOf(silently), 'ERR_HOTMIC_CONNECTION_LOST', 'the code alone says enough');
  const never = resumable({}, { reconnect: 'never', rejoin: 'may' });
  t.equal(endOf(never.handle(LOST)), 'ERR_HOTMIC_CONNECTION_LOST');
  const unoffered = resumable({ resume: undefined }, { reconnect: 'auto', rejoin: 'never' });
  t.equal(endOf(unoffered.handle(LOST)), 'ERR_HOTMIC_CONNECTION_LOST');
});

t.test('without an offer to resume, a session with a credential joins again', async (t) => {
  const session = resumable({ resume: undefined });
  t.match(session.handle(LOST), [{ kind: 'away', withinMs: 30_000 }, { kind: 'speaking' }]);
  t.equal(session.opening, 'hello');
});

t.test('when the time is over, the end reports the loss; leaving while away ends at once', async (t) => {
  const late = resumable();
  late.handle(LOST);
  late.handle({ kind: 'opened' });
  const again = late.handle({ kind: 'closed', code: 1006, reason: '', failure: new Error('no') });
  t.match(again, [{ kind: 'still-away' }]);
  t.match(late.giveUp(), [
    { kind: 'ended', error: { code: 'ERR_HOTMIC_CONNECTION_LOST', message: /broke \(1006\)/ } },
  ]);
  const leaver = resumable();
  leaver.handle(LOST);
  t.same(leaver.leave(), [{ kind: 'ended', error: null }]);
});

t.test('the resume secret is in no output but the resume itself', async (t) => {
  const session = resumable();
  const lost = session.handle(LOST);
  session.handle({ kind: 'opened' });
  session.handle(said({ type: 'refused', code: 'kicked', message: 'no' }));
  const end = session.handle({ kind: 'closed', code: 4015, reason: 'kicked' });
  t.notMatch(inspect([session, lost, end], { depth: 9 }), new RegExp(RESUME.secret));
});

t.test(
  'a relay that invents endless people is followed up to a thousand, and the rest are counted',
  async (t) => {
    const session = new Session({ lobby: 'den', name: 'Ada' });
    session.handle({ kind: 'opened' });
    session.handle({ kind: 'text', text: writeMessage(welcomeOf()) });
    let told = 0;
    for (let slot = 6; slot < 5006; slot++) {
      const text = writeMessage({ type: 'joined', participant: { slot, steamId: '7', name: 'x' } });
      told += session.handle({ kind: 'text', text }).length;
    }
    t.equal(told, 1000);
    t.equal(session.participants.length, 1000);
    t.equal(session.refusedParticipants, 4000);
  },
);

t.test('a welcome with too many people, or people in too many channels, is refused', async (t) => {
  const person = (slot: number, channels: number[]) => ({
    slot,
    steamId: '7',
    name: 'x',
    speaking: false,
    channels,
  });
  const crowd = Array.from({ length: 1001 }, (_, slot) => person(slot, []));
  for (const participants of [crowd, [person(1, new Array(17).fill(1))]]) {
    const session = new Session({ lobby: 'den', name: 'Ada' });
    session.handle({ kind: 'opened' });
    const [ended] = session.handle({ kind: 'text', text: writeMessage(welcomeOf({ participants })) });
    t.match(ended, { kind: 'ended', error: { code: 'ERR_HOTMIC_PROTOCOL' } });
  }
});

t.test('the text of a refusal is cut, and its control characters are removed', async (t) => {
  const session = new Session({ lobby: 'den', name: 'Ada' });
  session.handle({ kind: 'opened' });
  const message = `\u001b[2J${'x'.repeat(100_000)}`;
  session.handle({ kind: 'text', text: writeMessage({ type: 'refused', code: message, message }) });
  const [ended] = session.handle({ kind: 'closed', code: 4006, reason: '' });
  if (ended?.kind !== 'ended' || !ended.error) throw new Error('not ended');
  t.ok(ended.error.message.length < 1100);
  t.notMatch(ended.error.message, /\p{Cc}/u);
});
