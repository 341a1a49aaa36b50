/** The exploration finds mistakes: each of these one-line changes breaks the mute rule, or a rule checked along with it. */

import t from 'tap';
import { type Break, brokenRelay } from './broken_relay.js';
import {
  explore,
  OPERATIONS,
  type OperationName,
  operationsOf,
  type Plan,
  type Seat,
} from './exploration.js';

// Wall time, on a busy machine.
t.setTimeout(3_600_000);

const SEATS: readonly Seat[] = [
  {
    account: 1,
    lobby: 'den',
    rights: { maySpeak: true, mayListen: true, moderator: true, priority: false, channels: 'any' },
  },
  { account: 2, lobby: 'den' },
];
const TWICE: readonly Seat[] = [
  { account: 2, lobby: 'den' },
  { account: 2, lobby: 'attic' },
];
/** The second one is counted and not listed. */
const LISTENER = {
  seats: [SEATS[0]!, { ...SEATS[1]!, rights: { ...SEATS[0]!.rights!, maySpeak: false, moderator: false } }],
  limits: { listenerPlacesPercent: 0 },
  names: ['join', 'leave', 'drop', 'resume', 'rename', 'record', 'recordNoMore', 'speak', 'deafen'],
} as const;
/** They acknowledge, when they do. */
const READERS = {
  acknowledges: true,
  // Time has to pass twice before somebody is parked.
  depth: 7,
  names: ['join', 'speak', 'acknowledge', 'deafen', 'undeafen'],
} as const;
const ALL = Object.keys(OPERATIONS) as OperationName[];

interface Case extends Break {
  /** The fault to be found; others do not count. */
  readonly fault: RegExp;
  readonly seats?: readonly Seat[];
  readonly limits?: Plan['limits'];
  readonly names?: readonly OperationName[];
  readonly acknowledges?: boolean;
  readonly depth?: number;
}

const SETS: readonly OperationName[] = [
  ...(['join', 'leave', 'speak', 'mute', 'whisperTo', 'speakInWhisper'] as const),
  ...(['hearLast', 'hearOthers', 'hearEveryone'] as const),
];
const HEARD = /is muted and was heard/;

const CASES: Readonly<Record<string, Case>> = {
  'a frame of a muted speaker goes through': {
    file: 'voice/verdict.js',
    line: "if (speaker.sanctioned.muted)\n        return 'muted';",
    instead: '',
    fault: HEARD,
  },
  'a muted person joins unmuted': {
    file: 'lobby/member.js',
    line: '        sanctioned,\n',
    instead: '        sanctioned: { ...sanctioned, muted: false },\n',
    fault: HEARD,
  },
  'a sanctioned person joins without sanctions': {
    file: 'lobby/lobbies.js',
    line: 'const sanctioned = this.#sanctions.ofPlayer(name, entrant, turn.steadySeconds);',
    instead: 'const sanctioned = { muted: false, deafened: false, banned: false };',
    fault: HEARD,
  },
  'a mute ends with its lobby': {
    file: 'lobby/lobbies.js',
    line: 'this.#byName.delete(lobby.name);',
    instead:
      "this.#byName.delete(lobby.name); for (const it of this.#sanctions.list()) this.#sanctions.set(it.lobby, it.steamId, 'muted', 'not', 'admin');",
    fault: HEARD,
  },
  'a resume ends a mute': {
    file: 'lobby/presence.js',
    line: "set(member, { kind: 'here', connection: id, topics: new Map(), reading, lateness });",
    instead:
      "if (member.presence.kind === 'away') member.sanctioned = { ...member.sanctioned, muted: false }; set(member, { kind: 'here', connection: id, topics: new Map(), reading, lateness });",
    fault: HEARD,
    names: ['join', 'drop', 'resume', 'mute', 'speak'],
  },
  'a rename ends a mute': {
    file: 'lobby/lobby.js',
    line: 'profile.name = name;',
    instead: 'profile.name = name; participant.sanctioned = { ...participant.sanctioned, muted: false };',
    fault: HEARD,
  },
  'a change of channel ends a mute': {
    file: 'lobby/channels.js',
    line: 'setChannels(member, after);',
    instead: 'setChannels(member, after); member.sanctioned = { ...member.sanctioned, muted: false };',
    fault: HEARD,
  },
  'a mute is announced but not applied': {
    file: 'lobby/lobby.js',
    line: 'own.sanctioned = sanctioned;',
    instead: 'own.sanctioned = { ...sanctioned, muted: false };',
    fault: HEARD,
  },
  'a mute in all lobbies is applied in one': {
    file: 'moderation.js',
    line: 'if (isMeant)\n            apply(context, participant, turn);',
    instead: 'if (isMeant)\n            return apply(context, participant, turn);',
    fault: HEARD,
    seats: TWICE,
  },
  'a mute in one lobby applies in all': {
    file: 'sanctions.js',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the line of the source.
    line: 'return lobby === null ? steamId : `${steamId} ${lobby}`;',
    instead: 'return steamId;',
    fault: /: muted, expected forward/,
    seats: TWICE,
  },
  'a mute ends with a deafening': {
    file: 'sanctions.js',
    line: '[kind]: until };',
    instead: "[kind]: until, ...(kind === 'deafened' && { muted: 'not' }) };",
    fault: HEARD,
  },
  'a mute never expires': {
    file: 'sanctions.js',
    line: 'if (unixSeconds < this.#endsNext)',
    instead: 'if (unixSeconds > 0)',
    fault: /: muted, expected forward/,
  },
  'a deafened participant still hears': {
    file: 'lobby/lobby.js',
    line: 'refreshTopics(participant, turn);\n        this.#tellChanged',
    instead: 'this.#tellChanged',
    fault: /hears .*expected/,
  },
  'a participant who leaves a channel still hears it': {
    file: 'lobby/channels.js',
    line: 'refreshTopics(member, turn);\n',
    instead: '\n',
    fault: /hears .*expected/,
  },
  'a participant who is no longer whispered to still hears': {
    file: 'lobby/whispers.js',
    line: 'own.by = whisperers;\n    refreshTopicsOf(member, changed, turn);',
    instead:
      'const before = own.by; own.by = whisperers; if (before.length < whisperers.length) refreshTopicsOf(member, changed, turn);',
    fault: /hears .*expected/,
  },
  'a participant who is muted while speaking is still shown as speaking': {
    file: 'lobby/lobby.js',
    line: 'if (muted)\n            this.setSpeaking(participant, null, turn);',
    instead: '',
    fault: /speaks: true/,
  },
  'a participant who enters a channel is not told who speaks there': {
    file: 'lobby/channels.js',
    line: "tellOfSpeakers(member, entered, 'speaking', turn);",
    instead: '',
    fault: /speaks: false/,
  },
  'a listener is not told where streams stand after the welcome': {
    file: 'joining/joining.js',
    line: 'lobby.tellWelcomed(participant, turn);',
    instead: '',
    fault: /shows \d+ lost frames, expected 0/,
  },
  'a participant who enters a channel is not told where its streams stand': {
    file: 'lobby/channels.js',
    line: 'tellMarks(member, { next, until }, turn);',
    instead: '',
    fault: /shows \d+ lost frames, expected 0/,
  },
  'an undeafened participant is not told where streams stand': {
    file: 'lobby/lobby.js',
    line: 'if (!didHear && hears)\n            this.tellMarks(participant, turn);',
    instead: '',
    fault: /shows \d+ lost frames, expected 0/,
  },
  'the whispers to another list count on': {
    file: 'lobby/whispers.js',
    line: 'restart(stream);',
    instead: '',
    fault: /relay sequence has a gap/,
  },
  'a topic without listeners is published to': {
    file: 'lobby/lobby.js',
    line: 'return topic.listeners > 0 ? topic : null;',
    instead: 'return topic;',
    fault: /went to /,
  },
  'somebody who is parked still gets voice': {
    ...READERS,
    file: 'lobby/presence.js',
    line: 'return mayHear(member) && !(presence',
    instead: 'return mayHear(member) || !(presence',
    fault: /hears .*expected/,
  },
  'somebody who is behind is not parked': {
    ...READERS,
    file: 'staleness/staleness.js',
    line: 'lobby.park(listener, relayTimeMs(this.#startedAt, turn.now), turn);',
    instead: '',
    fault: /is behind and hears/,
  },
  'somebody who has read everything is parked': {
    ...READERS,
    file: 'staleness/reading.js',
    line: 'this.#readUntil = Math.max(this.#readUntil, until);',
    instead: '',
    fault: /is parked and not behind/,
  },
  'somebody who was parked is not told what they missed': {
    ...READERS,
    file: 'lobby/lobby.js',
    line: 'tellMarks(participant, { until: spoken, next: spoken }, turn);',
    instead: 'tellMarks(participant, { next: spoken }, turn);',
    fault: /hides a loss|was not told what it missed/,
  },
  'somebody who is parked and deafened gets voice again': {
    ...READERS,
    file: 'lobby/lobby.js',
    line: 'presence.reading.unpark(turn.now);',
    instead:
      'presence.reading.unpark(turn.now); participant.sanctioned = { ...participant.sanctioned, deafened: false };',
    fault: /hears .*expected/,
  },
  'somebody outside a set is heard': {
    file: 'lobby/presence.js',
    line: 'if (!heard) {\n        topics.add(lobby.topic);',
    instead: 'topics.add(lobby.topic); if (!heard) {\n',
    fault: /hears .*expected|cannot subscribe/,
    names: SETS,
  },
  'a whisper from outside a set is heard': {
    file: 'lobby/presence.js',
    line: 'if (!getsVoice(listener) || !isWithin(listener, speaker))',
    instead: 'if (!getsVoice(listener))',
    fault: /heard by .*expected/,
    names: SETS,
  },
  'a set lifts a mute': {
    file: 'lobby/hearing.js',
    line: 'own.heard = heard;',
    instead:
      'own.heard = heard; for (const it of heard ?? []) it.sanctioned = { ...it.sanctioned, muted: false };',
    fault: HEARD,
    names: SETS,
  },
  'a set ends with its listener': {
    file: 'lobby/hearing_sets.js',
    line: 'linkListener(this.#roster, member, set.people);',
    instead: '',
    fault: /hears .*expected/,
    names: SETS,
  },
  'a listener is not told where the streams of a set stand': {
    file: 'lobby/hearing.js',
    line: '{ next: marksWith(listener, more), until }',
    instead: '{ next: [], until }',
    fault: /shows \d+ lost frames, expected 0/,
    names: SETS,
  },
  'a banned person may join': {
    file: 'lobby/lobbies.js',
    line: '.banned) {\n            return { code:',
    instead: '.banned && false) {\n            return { code:',
    fault: /hello comes to null, expected banned/,
  },
  'a banned participant stays': {
    file: 'moderation.js',
    line: 'if (sanctioned.banned)',
    instead: "if (sanctioned.banned && participant.presence.kind === 'away')",
    fault: /is banned and in/,
  },
  'an old resume secret is good': {
    file: 'lobby/places.js',
    line: 'this.#forgetSecret(participant);\n        if (participant.expiresAt',
    instead: 'if (participant.expiresAt',
    fault: /resume comes to null, expected resume-refused/,
  },
  'a kicked participant resumes': {
    file: 'lobby/places.js',
    line: 'this.#ending.delete(participant);\n        this.#forgetSecret(participant);',
    instead: 'this.#ending.delete(participant);',
    fault: /resume comes to null, expected resume-refused/,
  },
  'a place is kept forever': {
    file: 'relay.js',
    line: 'for (const participant of this.#places.goneBy(turn.now))',
    instead: 'for (const participant of [])',
    fault: /away/,
  },
  'a participant who is away is sent messages': {
    file: 'lobby/presence.js',
    line: "function lose(member, until) {\n    release(member);\n    set(member, { kind: 'away', until });",
    instead: 'function lose(member, until) {\n    set(member, { ...member.presence, topics: new Map() });',
    fault: /told .* gone/,
  },
  'the others hear of a listener who is not listed': {
    ...LISTENER,
    file: 'lobby/roster.js',
    line: "if (member.listing === 'unlisted')\n            return;\n",
    instead: '',
    fault: /which nobody has|believes in/,
  },
  'everyone hears how a listener who is not listed changes': {
    ...LISTENER,
    file: 'lobby/roster.js',
    line: "if (member.listing !== 'unlisted')\n            this.tellAll(",
    instead: 'if (true)\n            this.tellAll(',
    fault: /changed, which nobody has/,
  },
  'a listener who is not listed records, and nobody is told': {
    ...LISTENER,
    file: 'lobby/lobby.js',
    line: 'this.#roster.list(participant);',
    instead: '',
    fault: /believes/,
  },
  'the number of listeners is not told again': {
    ...LISTENER,
    file: 'lobby/lobby.js',
    line: 'this.#headcountDueAt = turn.now + HEADCOUNT_MS;',
    instead: 'this.#headcountDueAt = Number.POSITIVE_INFINITY;',
    fault: /believes in .* unlisted/,
  },
  'a deafened listener who is not listed still hears': {
    ...LISTENER,
    file: 'lobby/presence.js',
    line: 'rights.mayListen && !sanctioned.deafened',
    instead: 'rights.mayListen && !(sanctioned.deafened && rights.maySpeak)',
    fault: /hears .*expected/,
  },
};

for (const [
  what,
  { fault, seats = SEATS, names = ALL, limits = {}, acknowledges = false, depth = 5, ...broken },
] of Object.entries(CASES)) {
  t.test(`the exploration notices when ${what}`, async (t) => {
    const relay = await brokenRelay(what.replaceAll(/\W/g, '_'), broken);
    const operations = operationsOf(seats, names);
    const { violation } = explore({
      seats,
      operations,
      depth,
      relay,
      limits,
      acknowledges,
      faults: fault,
    });
    t.ok(violation, `${violation?.sequence.join(', ')}: ${violation?.faults[0]}`);
  });
}

t.test('no fault is found in the unchanged relay', async (t) => {
  for (const seats of [SEATS, TWICE]) {
    t.equal(explore({ seats, operations: operationsOf(seats, ALL), depth: 3 }).violation, null);
  }
});
