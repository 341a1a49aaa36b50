/** The client's side of the protocol: the relay's messages are its inputs, and what to do about them its outputs. */

import { inspect } from 'node:util';
import t from 'tap';
import type { SessionOutput } from '../../../client/session/session_io.js';
import { type RelayMessageToWrite, writeMessage } from '../../../voice/control.js';
import { personSteamId } from '../../../voice/steam_id.js';
import { stampVoiceFrame, writeVoiceFrame } from '../../../voice/wire.js';
import { SILENCE_PACKET } from '../../kit/golden_packets.js';
import { memberOf, RESUME, welcomeOf } from '../scripted_transport.js';
import { type Drive, drive } from './drive.js';

const KIM = { slot: 3, steamId: String(personSteamId(8)), name: 'Kim' };
const KIM_IN = { ...memberOf(3, 8, 'Kim'), speaking: true };
const BEN = { slot: 0, steamId: String(personSteamId(9)), name: 'Ben' };
const BEN_IN = { ...memberOf(0, 9, 'Ben'), speaking: false };
const ADA_IN = memberOf(5, 7, 'Ada');

const WELCOME = welcomeOf({
  capabilities: ['recording'],
  relayTimeMs: 81_250,
  participants: [{ ...KIM, speaking: true }],
});
const LOST = { kind: 'closed', code: 1006, reason: '' } as const;

function said(message: RelayMessageToWrite | object) {
  return { kind: 'text', text: writeMessage(message as RelayMessageToWrite) } as const;
}

function voiceFrom(slot: number, target = 0): Uint8Array {
  const fields = { marker: true, terminator: false, target, sequence: 65_535, timestamp: 4_294_967_295 };
  const frame = writeVoiceFrame(fields, SILENCE_PACKET);
  stampVoiceFrame(frame, { slot, relaySequence: 12, relayTimeMs: 81_300, acknowledge: false });
  return frame;
}

/** A session that joined a lobby with Kim in it. */
function joined(): Drive {
  const session = drive();
  session.open();
  session.handle(said(WELCOME));
  return session;
}

/** The error code at the end of a session that was joined, or that could not be. */
function endOf(outputs: readonly SessionOutput[]): string | null {
  const [output] = outputs;
  if (output?.kind !== 'ended' && output?.kind !== 'join-failed')
    throw new Error(`not the end: ${output?.kind}`);
  const { error } = output as { error: { code: string } | null };
  return error?.code ?? null;
}

t.test('it sends hello when the connection opens, and nothing before', async (t) => {
  const session = drive();
  t.equal(session.session.state === 'joined', false);
  const outputs = session.open();
  t.same(outputs, [
    {
      kind: 'send',
      data: '{"type":"hello","versions":[1],"capabilities":["stale","heartbeat"],"lobby":"den","steamId":"76561197960265735","name":"Ada"}',
    },
  ]);
  t.equal(session.session.state === 'joined', false, 'a hello is not a welcome');
});

t.test('a ticket goes into the hello in hexadecimal, and nowhere else', async (t) => {
  const session = drive();
  const credential = { kind: 'ticket', ticket: Uint8Array.of(0, 1, 0xab, 0xff) } as const;
  const [hello] = session.open(credential);
  if (hello?.kind !== 'send') throw new Error('there is no hello');
  t.match(JSON.parse(String(hello.data)), { type: 'hello', name: 'Ada', ticket: '0001abff' });
  const refused = session.handle(said({ type: 'refused', code: 'ticket-refused', message: 'it is used' }));
  const ended = session.handle({ kind: 'closed', code: 4009, reason: 'ticket-refused' });
  t.match(ended, [{ error: { code: 'ERR_HOTMIC_REFUSED', message: /ticket-refused/ } }, { kind: 'closed' }]);
  t.notMatch(inspect([session, refused, ended], { depth: 9 }), /0001abff|171/, 'it shows in no error');
});

t.test('the welcome lists who is there', async (t) => {
  const session = drive();
  session.open();
  t.same(session.handle(said(WELCOME)), [{ kind: 'welcome' }]);
  t.same(session.session.lobby.you, ADA_IN);
  t.same([session.session.lobby.maySpeak, session.session.lobby.mayListen], [true, true]);
  t.equal(session.session.state === 'joined', true);
  t.same(session.session.lobby.participants, [KIM_IN]);
});

t.test('participants who join, speak and leave are reported and tracked', async (t) => {
  const session = joined();
  t.same(session.handle(said({ type: 'joined', participant: BEN })), [
    { kind: 'joined', participant: BEN_IN },
  ]);
  t.same(session.session.lobby.participants, [KIM_IN, BEN_IN]);
  t.same(session.handle(said({ type: 'speaking', slot: 0, speaking: true })), [
    { kind: 'speaking', participant: { ...BEN_IN, speaking: true } },
  ]);
  t.same(session.handle(said({ type: 'left', slot: 0 })), [
    { kind: 'left', participant: { ...BEN_IN, speaking: true } },
  ]);
  t.same(session.session.lobby.participants, [KIM_IN]);
});

t.test('whoever is not in our hearing set does not speak to us, and is not missed', async (t) => {
  const session = joined();
  const { lobby } = session.session;
  session.handle(said({ type: 'joined', participant: BEN }));
  t.equal(lobby.heard, null, 'everyone');
  t.same(session.handle(said({ type: 'hears', only: true, more: [0], until: [[3, 0, 2]] })), [
    { kind: 'speaking', participant: { ...KIM_IN, speaking: false } },
  ]);
  t.equal(session.session.counts().framesMissed, 2, 'two were for us and did not come');
  t.same(lobby.heard, [BEN_IN]);
  const more = { type: 'hears', more: [3], fewer: [0], speaking: [3], next: [[3, 0, 12]] } as const;
  t.same(session.handle(said(more)), [{ kind: 'speaking', participant: { ...KIM_IN, speaking: true } }]);
  t.same(lobby.heard, [{ ...KIM_IN, speaking: true }]);
  session.handle({ kind: 'voice', frame: voiceFrom(3) });
  t.equal(session.session.counts().framesMissed, 2, 'what came between was not for us');
  session.handle(said({ type: 'hears', more: [9], next: [[9, 0, 5]] }));
  t.equal(lobby.heard?.length, 1, 'whoever is not in the lobby is left out');
  session.handle(said({ type: 'left', slot: 3 }));
  t.same(lobby.heard, []);
  session.handle(said({ type: 'hears', only: false }));
  t.equal(lobby.heard, null);
});

t.test('a reported participant object is not changed by later messages', async (t) => {
  const session = joined();
  const [kim] = session.session.lobby.participants;
  session.handle(said({ type: 'speaking', slot: 3, speaking: false }));
  t.equal(kim?.speaking, true);
  t.equal(session.session.lobby.participants[0]?.speaking, false);
});

t.test('an unknown slot that speaks or leaves is ignored', async (t) => {
  const session = joined();
  t.same(session.handle(said({ type: 'speaking', slot: 9, speaking: true })), []);
  t.same(session.handle(said({ type: 'left', slot: 9 })), []);
  t.same(session.session.lobby.participants, [KIM_IN]);
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

t.test('a voice frame that cannot be used is dropped, and counted by its reason', async (t) => {
  const dropOf = (drive: Drive, frame: Uint8Array) => {
    const before = drive.session.counts().dropped;
    t.same(drive.handle({ kind: 'voice', frame }), []);
    const { dropped } = drive.session.counts();
    return Object.entries(dropped).flatMap(([reason, count]) =>
      count > before[reason as keyof typeof before] ? [reason] : [],
    );
  };
  const early = drive();
  early.open();
  t.same(dropOf(early, voiceFrom(3)), ['not-joined'], 'before the welcome');

  const session = joined();
  t.same(dropOf(session, voiceFrom(9)), ['slot-unknown']);
  t.same(dropOf(session, voiceFrom(3).subarray(0, 30)), ['malformed']);
  t.same(dropOf(session, voiceFrom(3, 10)), ['target-unknown']);
  const encrypted = voiceFrom(3);
  encrypted[0]! |= 0x08;
  t.same(dropOf(session, encrypted), ['opaque']);
  const later = voiceFrom(3);
  later[0] = 0x21;
  t.same(dropOf(session, later), ['malformed'], 'version 2');
  session.handle(said({ type: 'left', slot: 3 }));
  t.same(dropOf(session, voiceFrom(3)), ['slot-unknown'], 'who has left');
  session.handle({ kind: 'leave' });
  t.same(dropOf(session, voiceFrom(3)), ['not-joined'], 'while we leave');
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
    [`"${'x'.repeat(64 * 1024)}"`, 'expected at most 65536'],
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
    const session = drive();
    session.open();
    t.equal(
      endOf(session.handle(said(message))),
      'ERR_HOTMIC_PROTOCOL',
      `${message.type} before the welcome`,
    );
  }
  const unopened = drive();
  unopened.handle({ kind: 'join' });
  t.same(unopened.handle(said(WELCOME)), [], 'a connection that is not open says nothing');
  t.equal(endOf(joined().handle(said(WELCOME))), 'ERR_HOTMIC_PROTOCOL', 'a second welcome');
});

t.test('a relay that speaks another protocol version is not followed', async (t) => {
  const session = drive();
  session.open();
  const [output] = session.handle(said({ ...WELCOME, version: 2 }));
  t.match(output, {
    kind: 'join-failed',
    error: {
      code: 'ERR_HOTMIC_PROTOCOL',
      message: 'Cannot follow the relay: it speaks version 2, expected 1',
    },
  });
});

t.test("a refusal is reported when the connection then closes, with the relay's code", async (t) => {
  for (const session of [drive(), joined()]) {
    if (session.session.state !== 'joined') session.open();
    const refused = { type: 'refused', code: 'lobby-full', message: 'den has no room' };
    t.same(session.handle(said(refused)), []);
    const outputs = session.handle({ kind: 'closed', code: 4006, reason: 'lobby-full' });
    t.match(outputs[0], {
      error: { code: 'ERR_HOTMIC_REFUSED', message: 'Relay refused (lobby-full): den has no room' },
    });
    t.match(outputs.slice(1), [{ kind: 'closed' }]);
  }
});

t.test('we leave once, still follow the lobby, and the close that follows is not an error', async (t) => {
  const session = joined();
  t.same(session.handle({ kind: 'leave' }), [{ kind: 'send', data: '{"type":"leave"}' }]);
  t.same(session.handle({ kind: 'leave' }), []);
  t.equal(session.session.state === 'joined', false, 'nothing more may be sent');
  t.same(session.handle(said({ type: 'left', slot: 3 })), [{ kind: 'left', participant: KIM_IN }]);
  t.same(session.handle({ kind: 'closed', code: 1000, reason: '' }), [
    { kind: 'ended', error: null },
    { kind: 'closed' },
  ]);
});

t.test('a connection that closes unexpectedly is lost, and the error says how', async (t) => {
  for (const [code, reason, message] of [
    [1001, '', 'Relay closed the connection (1001)'],
    [1001, 'shutdown', 'Relay closed the connection (1001, shutdown)'],
    [1006, '', 'Connection to the relay broke (1006)'],
  ] as const) {
    t.match(joined().handle({ kind: 'closed', code, reason }), [
      { kind: 'ended', error: { code: 'ERR_HOTMIC_CONNECTION_LOST', message } },
      { kind: 'closed' },
    ]);
  }
  const neverOpened = drive();
  neverOpened.handle({ kind: 'join' });
  neverOpened.handle({ kind: 'credential', credential: { kind: 'none' } });
  t.equal(endOf(neverOpened.handle(LOST)), 'ERR_HOTMIC_CONNECTION_LOST');
});

t.test('after the end nothing is output, whatever the input', async (t) => {
  const ends = { 'a close': LOST, 'a malformed message': { kind: 'text', text: '?' } } as const;
  for (const [name, end] of Object.entries(ends)) {
    const session = joined();
    session.handle(end);
    session.handle(LOST);
    const afterwards = [
      { kind: 'join' },
      { kind: 'opened' },
      said(WELCOME),
      said({ type: 'joined', participant: BEN }),
      said({ type: 'speaking', slot: 3, speaking: false }),
      said({ type: 'refused', code: 'lobby-full', message: '' }),
      { kind: 'text', text: '?' },
      { kind: 'voice', frame: voiceFrom(3) },
      { kind: 'time' },
      { kind: 'leave' },
      { kind: 'abort' },
      LOST,
    ] as const;
    for (const input of afterwards) t.same(session.handle(input), [], `${input.kind} after ${name}`);
    t.equal(session.session.deadline(), null);
    t.equal(session.session.state, 'over');
  }
});

t.test('a token goes into the hello, and the welcome says what it does not grant', async (t) => {
  const token = 'aGVhZGVy.cGF5bG9hZA.c2lnbmF0dXJl';
  const session = drive();
  const [hello] = session.open({ kind: 'token', token });
  t.match(hello, { kind: 'send', data: new RegExp(`"token":"${token}"`) });
  session.handle(said({ ...WELCOME, speak: false, listen: false }));
  t.same([session.session.lobby.maySpeak, session.session.lobby.mayListen], [false, false]);
});

t.test('a hello without a SteamID names none, and the welcome says which one we have', async (t) => {
  const session = drive({ steamId: null });
  const [hello] = session.open();
  t.same(hello, {
    kind: 'send',
    data: '{"type":"hello","versions":[1],"capabilities":["stale","heartbeat"],"lobby":"den","name":"Ada"}',
  });
  session.handle(said(welcomeOf({ you: { ...BEN, guest: true } })));
  t.same(session.session.lobby.you, { ...memberOf(0, 9, 'Ben'), guest: true });
});

t.test('a challenge is answered by a hello with the ticket for its nonce, once', async (t) => {
  const session = drive();
  const [request] = session.open({ kind: 'app-ticket', beside: { kind: 'token', token: 'a.b.c' } });
  t.match(request, { kind: 'send', data: /"token":"a.b.c","appTicket":"request"/ });
  const challenge = said({ type: 'challenge', nonce: `00ff${'12'.repeat(14)}` });
  const nonce = Uint8Array.of(0, 255, ...Array<number>(14).fill(18));
  t.same(session.handle(challenge), [{ kind: 'ask-app-ticket', attempt: 1, nonce }]);
  const [hello] = session.handle({ kind: 'app-ticket', ticket: Uint8Array.of(1, 171) });
  t.match(hello, { kind: 'send', data: /"type":"hello".*"token":"a.b.c","appTicket":"01ab"/ });
  t.match(session.handle(said(WELCOME)), [{ kind: 'welcome' }]);
  t.same(
    session.handle({ kind: 'app-ticket', ticket: Uint8Array.of(1) }),
    [],
    'what comes too late is not sent',
  );
  t.equal(endOf(session.handle(challenge)), 'ERR_HOTMIC_PROTOCOL');

  const unasked = drive();
  unasked.open();
  t.equal(endOf(unasked.handle(challenge)), 'ERR_HOTMIC_PROTOCOL', 'without a request there is no challenge');
});

t.test('channels and their members are known by channel name', async (t) => {
  const session = drive();
  session.open();
  const participants = [{ ...KIM, channels: [4], speaking: false }];
  session.handle(said(welcomeOf({ participants, channels: [{ number: 4, name: 'red' }] })));
  t.same(session.session.lobby.channels, ['red']);
  t.same(session.session.lobby.participants[0]?.channels, ['red']);
  t.equal(session.reaches({ channel: 'red' }), null, 'we are not in it');

  const made = session.handle(said({ type: 'channel', channel: { number: 9, name: 'blue' } }));
  t.same(made, [{ kind: 'channels', channels: ['red', 'blue'] }]);
  const you = { slot: 5, steamId: String(personSteamId(7)), name: 'Ada', channels: [9] };
  const before = session.session.lobby.you;
  t.same(session.handle(said({ type: 'changed', participant: you })), [
    { kind: 'you-changed', you: { ...ADA_IN, channels: ['blue'] }, before },
  ]);
  t.equal(session.reaches({ channel: 'blue' }), 9);
  t.same([session.reaches('lobby'), session.reaches('whisper')], [0, 255]);
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
  t.same(session.session.lobby.participants, [participant]);
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
});

t.test('requests are sent while we are in the lobby, and failures are reported', async (t) => {
  const session = joined();
  const rename = { kind: 'request', request: { type: 'rename', name: 'Ad' } } as const;
  t.same(session.handle(rename), [{ kind: 'send', data: '{"type":"rename","name":"Ad"}' }]);
  t.same(session.handle(rename, 65_537), [{ kind: 'not-sent' }], 'while too much waits to be sent');
  t.same(
    session.handle(said({ type: 'failed', request: 'channels', code: 'channels-full', message: 'no room' })),
    [{ kind: 'failed', request: 'channels', code: 'channels-full', message: 'no room' }],
  );
  t.same(session.handle(said({ type: 'draining', withinMs: 500, goTo: 'wss://b' })), [
    { kind: 'draining', withinMs: 500, goTo: 'wss://b' },
    { kind: 'redirect-refused', goTo: 'wss://b', why: 'no-credential' },
  ]);
  t.equal(session.session.state === 'joined', true);
  session.handle({ kind: 'leave' });
  t.same(session.handle(rename), [{ kind: 'not-sent' }]);
});

/** A session that reconnects, in a lobby with Kim, who is speaking. */
function resumable(welcome: object = {}, settings: Parameters<typeof drive>[0] = {}): Drive {
  const session = drive({ rejoin: 'may', ...settings });
  session.open();
  session.handle(said({ ...WELCOME, resume: RESUME, ...welcome }));
  return session;
}

t.test('after a lost connection the session is away, and sends resume on the next one', async (t) => {
  const session = resumable();
  t.match(session.handle(LOST), [
    { kind: 'away', error: { code: 'ERR_HOTMIC_CONNECTION_LOST' } },
    { kind: 'speaking', participant: { name: 'Kim', speaking: false } },
  ]);
  t.equal(session.session.state, 'reconnecting');
  t.same(session.handle({ kind: 'whisper', slots: [3] }), [{ kind: 'not-sent' }]);
  t.equal(session.reaches('lobby'), null, 'nothing can be sent');
  t.same(session.open(), [
    {
      kind: 'send',
      data: `{"type":"resume","versions":[1],"capabilities":["stale","heartbeat"],"secret":"${RESUME.secret}"}`,
    },
  ]);
  const again = { ...RESUME, secret: 'cd'.repeat(16) };
  const outputs = session.handle(said({ ...WELCOME, relayTimeMs: 90_000, resume: again }));
  t.same(outputs, [
    { kind: 'resumed', how: 'resumed' },
    { kind: 'speaking', participant: KIM_IN },
  ]);
  t.equal(session.session.state === 'joined', true);
  session.handle({ kind: 'closed', code: 1001, reason: 'shutdown' });
  t.match(session.open(), [{ data: new RegExp(again.secret) }], 'the newest secret counts');
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
  session.open();
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
    { kind: 'resumed', how: 'resumed' },
    { kind: 'channels', channels: ['blue'] },
    { kind: 'left', participant: BEN_IN },
    { kind: 'changed', participant: { ...kim, channels: ['blue'] }, before: kim },
    { kind: 'joined', participant: { ...memberOf(0, 12, 'Eve'), speaking: true } },
    { kind: 'you-changed', you: { ...ADA_IN, muted: true }, before: ADA_IN },
  ]);
  t.same(session.session.lobby.participants.at(-1), zoeIn, 'an unchanged participant is not reported');
});

t.test(
  'when the place is gone it sends another hello under the same identity, and enters our channels',
  async (t) => {
    const session = resumable({ channels: [{ number: 1, name: 'red' }] });
    const you = { slot: 5, steamId: String(personSteamId(7)), name: 'Ada II', channels: [1] };
    session.handle(said({ type: 'changed', participant: you }));
    session.handle(LOST);
    session.open();
    session.handle(said({ type: 'refused', code: 'resume-refused', message: 'nobody waits' }));
    t.same(session.handle({ kind: 'closed', code: 4013, reason: 'resume-refused' }), []);
    t.equal(session.session.state, 'reconnecting');
    const [hello] = session.open({ kind: 'token', token: 'a.b.c' });
    t.match(hello, { data: /"steamId":"76561197960265735","name":"Ada II","token":"a.b.c"/ });
    const outputs = session.handle(
      said(welcomeOf({ slot: 2, you: { ...WELCOME.you, slot: 2, name: 'Ada II' } })),
    );
    t.match(outputs, [
      { kind: 'resumed', how: 'joined-anew' },
      { kind: 'channels', channels: [] },
      { kind: 'left', participant: { name: 'Kim' } },
      { kind: 'you-changed', you: { slot: 2 } },
      { kind: 'send', data: '{"type":"channels","channels":["red"]}' },
    ]);
  },
);

t.test('who records says it again in a new place, and not in a resumed one', async (t) => {
  const you = { ...WELCOME.you, recordingSince: 1_800_000_000 };
  const resumed = resumable({ you });
  resumed.handle(LOST);
  resumed.open();
  const back = resumed.handle(said({ ...WELCOME, you, resume: RESUME }));
  t.same(back, [
    { kind: 'resumed', how: 'resumed' },
    { kind: 'speaking', participant: KIM_IN },
  ]);
  t.equal(resumed.session.lobby.you.recordingSince, 1_800_000_000);
  const moved = resumable({ you, resume: undefined });
  moved.handle(LOST);
  moved.open();
  const outputs = moved.handle(
    said(welcomeOf({ capabilities: ['recording'], slot: 2, you: { ...WELCOME.you, slot: 2 } })),
  );
  t.same(outputs.at(-1), { kind: 'send', data: '{"type":"recording","recording":true}' });
});

/** A session in a lobby whose relay answers pings; nothing has arrived since. */
function quiet(watched: boolean, capabilities = ['ping']): Drive {
  const session = drive({ rejoin: 'may' });
  session.handle({ kind: 'join' });
  session.handle({ kind: 'credential', credential: { kind: 'none' } });
  session.handle({ kind: 'opened', watched });
  session.handle(said({ ...WELCOME, resume: RESUME, capabilities }));
  return session;
}

t.test('a silent relay is pinged after 10 s, and given up after 5 more, by messages', async (t) => {
  const session = quiet(false);
  t.same(session.wait(), [{ kind: 'send', data: '{"type":"ping"}' }]);
  t.equal(session.now(), 10_000);
  const outputs = session.wait();
  t.equal(session.now(), 15_000);
  const message = 'Connection to the relay broke (1006, the relay was silent for 15 s)';
  t.match(outputs, [{ kind: 'close' }, { kind: 'away', error: { message } }]);
});

t.test('anything that arrives is a sign of life', async (t) => {
  const session = quiet(false);
  session.sleep(9000);
  session.handle({ kind: 'voice', frame: voiceFrom(3) });
  t.same(session.wait(), [], 'at 10 s it heard something a second ago');
  t.same(session.wait(), [{ kind: 'send', data: '{"type":"ping"}' }]);
  t.equal(session.now(), 19_000);
  session.sleep(4999);
  t.same(session.handle(said({ type: 'pong' })), []);
  t.same(session.wait(), []);
  t.equal(session.session.state, 'joined');
});

t.test('nobody is pinged over a transport that watches itself, or who would not answer', async (t) => {
  t.equal(quiet(true).session.deadline(), null);
  t.equal(quiet(false, []).session.deadline(), null);
});

t.test('a relay that does not know recordings is not asked to announce one', async (t) => {
  const request = { kind: 'request', request: { type: 'recording', recording: true } } as const;
  t.same(quiet(true).handle(request), [{ kind: 'not-sent' }]);
  t.same(quiet(true, ['recording']).handle(request), [
    { kind: 'send', data: '{"type":"recording","recording":true}' },
  ]);
});

t.test('when the place is gone, the session of a guest, or without another credential, ends', async (t) => {
  const guest = { you: { ...WELCOME.you, guest: true } };
  for (const session of [resumable(guest), resumable({}, { rejoin: 'never' })]) {
    session.handle(LOST);
    session.open();
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
    t.match(listener.open(), [{ kind: 'send', data: /"type":"hello"/ }]);
    const you = { ...guest, slot: 7, steamId: '90071996842377217' };
    const again = said(welcomeOf({ slot: 7, you, speak: false }));
    t.match(listener.handle(again), [{ kind: 'resumed', how: 'joined-anew' }]);
    t.match(listener.session.lobby.you, { slot: 7, steamId: 90071996842377217n });
    const speaker = resumable({ you: guest, resume: undefined });
    t.equal(endOf(speaker.handle(LOST)), 'ERR_HOTMIC_CONNECTION_LOST');
  },
);

t.test('a temporary refusal is retried; any other ends the session', async (t) => {
  for (const [code, state] of [
    ['relay-full', 'reconnecting'],
    ['lobby-full', 'reconnecting'],
    ['admission-unavailable', 'reconnecting'],
    ['address-full', 'reconnecting'],
    ['guests-full', 'reconnecting'],
    ['steam-id-in-use', 'reconnecting'],
    ['banned', 'over'],
    ['replaced', 'over'],
    ['token-refused', 'over'],
    ['riddle', 'over'],
  ] as const) {
    const session = resumable();
    session.handle(LOST);
    session.open();
    session.handle(said({ type: 'refused', code, message: 'no' }));
    session.handle({ kind: 'closed', code: 4099, reason: code });
    t.equal(session.session.state, state, code);
  }
});

t.test('a session that was refused, must not reconnect, or may not resume does not reconnect', async (t) => {
  const kicked = resumable();
  kicked.handle(said({ type: 'refused', code: 'kicked', message: 'a moderator kicked you' }));
  t.equal(endOf(kicked.handle({ kind: 'closed', code: 4015, reason: 'kicked' })), 'ERR_HOTMIC_REFUSED');
  const silently = resumable().handle({ kind: 'closed', code: 4016, reason: 'banned' });
  t.equal(endOf(silently), 'ERR_HOTMIC_CONNECTION_LOST', 'the code alone says enough');
  const never = resumable({}, { reconnect: 'never' });
  t.equal(endOf(never.handle(LOST)), 'ERR_HOTMIC_CONNECTION_LOST');
  const unoffered = resumable({ resume: undefined }, { rejoin: 'never' });
  t.equal(endOf(unoffered.handle(LOST)), 'ERR_HOTMIC_CONNECTION_LOST');
});

t.test('without an offer to resume, a session with a credential joins again', async (t) => {
  const session = resumable({ resume: undefined });
  t.match(session.handle(LOST), [{ kind: 'away' }, { kind: 'speaking' }]);
  t.match(session.open(), [{ kind: 'send', data: /"type":"hello"/ }]);
});

t.test('when the time is over, the end reports the loss; leaving while away ends at once', async (t) => {
  const late = resumable();
  late.handle(LOST);
  const failure = new Error('no route');
  let last: readonly SessionOutput[] = [];
  for (let attempts = 0; late.session.state === 'reconnecting'; attempts += 1) {
    if (attempts > 100) throw new Error('it never gives up');
    late.open();
    last = late.handle({ ...LOST, failure });
  }
  t.ok(late.now() <= 30_000, `it gave up at ${late.now()} ms`);
  t.match(last, [
    { kind: 'ended', error: { code: 'ERR_HOTMIC_CONNECTION_LOST', message: /broke \(1006\)/ } },
    { kind: 'closed' },
  ]);
  const leaver = resumable();
  leaver.handle(LOST);
  t.same(leaver.handle({ kind: 'leave' }), [{ kind: 'ended', error: null }, { kind: 'closed' }]);
});

t.test('the resume secret is in no output but the resume itself', async (t) => {
  const session = resumable();
  const lost = session.handle(LOST);
  session.open();
  session.handle(said({ type: 'refused', code: 'kicked', message: 'no' }));
  const end = session.handle({ kind: 'closed', code: 4015, reason: 'kicked' });
  t.notMatch(inspect([session, lost, end], { depth: 9 }), new RegExp(RESUME.secret));
});

t.test(
  'a relay that invents endless people is followed up to a thousand, and the rest are counted',
  async (t) => {
    const session = drive({ steamId: null });
    session.open();
    session.handle({ kind: 'text', text: writeMessage(welcomeOf()) });
    let told = 0;
    for (let slot = 6; slot < 5006; slot++) {
      const text = writeMessage({ type: 'joined', participant: { slot, steamId: '7', name: 'x' } });
      told += session.handle({ kind: 'text', text }).length;
    }
    t.equal(told, 1000);
    t.equal(session.session.lobby.participants.length, 1000);
    t.equal(session.session.counts().participantsRefused, 4000);
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
    const session = drive({ steamId: null });
    session.open();
    const [ended] = session.handle({ kind: 'text', text: writeMessage(welcomeOf({ participants })) });
    t.match(ended, { kind: 'join-failed', error: { code: 'ERR_HOTMIC_PROTOCOL' } });
  }
});

t.test('pages of a welcome make one list, and nobody has joined before the last', async (t) => {
  const session = drive();
  session.open();
  const page = { type: 'participants', participants: [{ ...BEN, speaking: false }] } as const;
  t.same(session.handle(said({ ...WELCOME, more: 2 })), []);
  t.equal(session.session.state, 'joining');
  t.same(session.handle({ kind: 'voice', frame: voiceFrom(3) }), []);
  t.equal(session.session.counts().dropped['not-joined'], 1);
  t.same(session.handle(said({ ...page, more: 1 })), []);
  const eve = { slot: 9, steamId: String(personSteamId(10)), name: 'Eve', speaking: false };
  t.same(session.handle(said({ type: 'participants', participants: [eve] })), [{ kind: 'welcome' }]);
  t.same(
    session.session.lobby.participants.map(({ name }) => name),
    ['Kim', 'Ben', 'Eve'],
  );
  t.match(session.handle(said(page)), [{ kind: 'ended', error: { code: 'ERR_HOTMIC_PROTOCOL' } }]);
});

t.test('after a resume, too, the state is whole with the last page', async (t) => {
  const session = resumable();
  session.handle(LOST);
  session.open();
  const resume = { secret: 'cd'.repeat(16), withinMs: 30_000 };
  t.same(session.handle(said({ ...WELCOME, resume, participants: [], more: 1 })), []);
  t.equal(session.session.state, 'reconnecting');
  const page = { type: 'participants', participants: [{ ...KIM, speaking: true }] };
  t.match(session.handle(said(page)), [{ kind: 'resumed', how: 'resumed' }, { kind: 'speaking' }]);
});

t.test('a welcome whose pages do not come in time, in order and in number ends the connection', async (t) => {
  const begun = () => {
    const session = drive();
    session.open();
    session.handle(said({ ...WELCOME, more: 2 }));
    return session;
  };
  const ben = { ...BEN, speaking: false };
  const wrong = [
    { type: 'joined', participant: BEN },
    { type: 'pong' },
    WELCOME,
    { type: 'participants', participants: [] },
    { type: 'participants', participants: [], more: 2 },
    { type: 'participants', participants: [ben] },
    { type: 'participants', participants: [ben], more: 2 },
    { type: 'participants', participants: [ben, ben, ben] },
  ];
  for (const message of wrong) {
    t.equal(endOf(begun().handle(said(message))), 'ERR_HOTMIC_PROTOCOL', JSON.stringify(message));
  }
  t.equal(endOf(begun().wait()), 'ERR_HOTMIC_CONNECT', 'the time limit of joining is for all pages');
  const refused = begun();
  refused.handle(said({ type: 'refused', code: 'kicked', message: 'out' }));
  t.equal(endOf(refused.handle({ kind: 'closed', code: 4015, reason: '' })), 'ERR_HOTMIC_REFUSED');
  const unasked = drive();
  unasked.open();
  t.equal(
    endOf(unasked.handle(said({ type: 'participants', participants: [ben] }))),
    'ERR_HOTMIC_PROTOCOL',
    'a page before the welcome',
  );
  const crowd = drive();
  crowd.open();
  t.equal(endOf(crowd.handle(said({ ...WELCOME, more: 1000 }))), 'ERR_HOTMIC_PROTOCOL', 'too many people');
});

t.test('pages of a connection that broke are not those of the next one', async (t) => {
  const session = resumable();
  session.handle(LOST);
  session.open();
  const resume = { secret: 'cd'.repeat(16), withinMs: 30_000 };
  session.handle(said({ ...WELCOME, resume, more: 1 }));
  session.handle(LOST);
  session.open();
  t.match(session.handle(said({ ...WELCOME, resume })), [{ kind: 'resumed' }, { kind: 'speaking' }]);
  t.equal(session.session.lobby.participants.length, 1);
});

t.test('listeners who are not listed are a number', async (t) => {
  const session = drive();
  session.open();
  session.handle(said({ ...WELCOME, resume: RESUME, unlisted: 3, you: { ...WELCOME.you, unlisted: true } }));
  t.equal(session.session.lobby.unlisted, 3);
  t.equal(session.session.lobby.you.unlisted, true);
  t.same(session.handle(said({ type: 'unlisted', count: 4998 })), [{ kind: 'unlisted', unlisted: 4998 }]);
  t.same(session.handle(said({ type: 'unlisted', count: 4998 })), [], 'it has not changed');
  const recording = { ...WELCOME.you, recordingSince: 1_800_000_000 };
  t.match(session.handle(said({ type: 'changed', participant: recording })), [
    { kind: 'you-changed', you: { unlisted: false }, before: { unlisted: true } },
  ]);
  session.handle(LOST);
  session.open();
  t.match(session.handle(said({ ...WELCOME, resume: RESUME })), [
    { kind: 'resumed' },
    { kind: 'unlisted', unlisted: 0 },
    { kind: 'speaking' },
    { kind: 'you-changed' },
  ]);
});

t.test('the text of a refusal is cut, and its control characters are removed', async (t) => {
  const session = drive({ steamId: null });
  session.open();
  const message = `\u001b[2J${'x'.repeat(30_000)}`;
  session.handle({ kind: 'text', text: writeMessage({ type: 'refused', code: message, message }) });
  const [ended] = session.handle({ kind: 'closed', code: 4006, reason: '' });
  if (ended?.kind !== 'join-failed') throw new Error('not ended');
  const { message: shown } = ended.error as Error;
  t.ok(shown.length < 1100);
  t.notMatch(shown, /\p{Cc}/u);
});
