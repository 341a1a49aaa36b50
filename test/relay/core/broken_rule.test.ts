/** The exploration would notice: each of these breaks the mute rule, or what holds beside it, in one line, and is found. */

import t from 'tap';
import { type Break, brokenRelay } from './broken_relay.js';
import { explore, OPERATIONS, type OperationName, operationsOf, type Seat } from './exploration.js';

// By the clock, on a machine that does much else.
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
const ALL = Object.keys(OPERATIONS) as OperationName[];

interface Case extends Break {
  /** What has to be found of it; other faults do not count. */
  readonly fault: RegExp;
  readonly seats?: readonly Seat[];
  readonly names?: readonly OperationName[];
}

const HEARD = /is muted and was heard/;

const CASES: Readonly<Record<string, Case>> = {
  'a frame of a muted speaker goes through': {
    file: 'verdict.js',
    line: "if (speaker.muted)\n        return 'muted';",
    instead: '',
    fault: HEARD,
  },
  'whoever joins is not muted': {
    file: 'participant.js',
    line: 'muted: sanctioned.muted,',
    instead: 'muted: false,',
    fault: HEARD,
  },
  'whoever joins is under no sanction': {
    file: 'lobbies.js',
    line: 'const sanctioned = this.#sanctions.ofPlayer(name, entrant, turn.steadySeconds);',
    instead: 'const sanctioned = { muted: false, deafened: false, banned: false };',
    fault: HEARD,
  },
  'a mute ends with its lobby': {
    file: 'lobbies.js',
    line: 'this.#byName.delete(lobby.name);',
    instead:
      "this.#byName.delete(lobby.name); for (const it of this.#sanctions.list()) this.#sanctions.set(it.lobby, it.steamId, 'muted', 'not', 'admin');",
    fault: HEARD,
  },
  'a resume ends a mute': {
    file: 'lobby.js',
    line: 'participant.connection = connection;',
    instead:
      'participant.connection = connection; if (participant.awaySince !== turn.now) participant.muted = false;',
    fault: HEARD,
    names: ['join', 'drop', 'resume', 'mute', 'speak'],
  },
  'a rename ends a mute': {
    file: 'lobby.js',
    line: 'participant.name = name;',
    instead: 'participant.name = name; participant.muted = false;',
    fault: HEARD,
  },
  'a change of channel ends a mute': {
    file: 'lobby.js',
    line: 'participant.channels = after;',
    instead: 'participant.channels = after; participant.muted = false;',
    fault: HEARD,
  },
  'a mute says that it is, and is not': {
    file: 'lobby.js',
    line: 'participant.muted = muted;',
    instead: '',
    fault: HEARD,
  },
  'a mute of everywhere takes hold in one lobby': {
    file: 'moderation.js',
    line: 'if (isMeant)\n            takeHold(house, participant, turn);',
    instead: 'if (isMeant)\n            return takeHold(house, participant, turn);',
    fault: HEARD,
    seats: TWICE,
  },
  'a mute in one lobby holds in all': {
    file: 'sanctions.js',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the line of the source.
    line: 'return lobby === null ? steamId : `${steamId} ${lobby}`;',
    instead: 'return steamId;',
    fault: /: muted, wants forward/,
    seats: TWICE,
  },
  'a mute ends when a deafening does': {
    file: 'sanctions.js',
    line: '[kind]: until };',
    instead: "[kind]: until, ...(kind === 'deafened' && { muted: 'not' }) };",
    fault: HEARD,
  },
  'a mute never ends by itself': {
    file: 'sanctions.js',
    line: 'if (unixSeconds < this.#endsNext)',
    instead: 'if (unixSeconds > 0)',
    fault: /: muted, wants forward/,
  },
  'whoever is deafened hears on': {
    file: 'lobby.js',
    line: 'this.#refreshTopics(participant, turn);\n        this.#tellChanged(participant, turn);\n    }\n    /** They are in these',
    instead: 'this.#tellChanged(participant, turn);\n    }\n    /** They are in these',
    fault: /hears .*wants/,
  },
  'whoever leaves a channel hears it on': {
    file: 'lobby.js',
    line: 'this.#refreshTopics(participant, turn);\n        this.#tellChanged(participant, turn);\n        this.#tellOfSpeakers',
    instead: 'this.#tellChanged(participant, turn);\n        this.#tellOfSpeakers',
    fault: /hears .*wants/,
  },
  'whoever is no longer whispered to hears on': {
    file: 'lobby.js',
    line: 'other.whisperedBy = other.whisperedBy.filter((it) => it !== participant);\n            this.#refreshTopics(other, turn);',
    instead: 'other.whisperedBy = other.whisperedBy.filter((it) => it !== participant);',
    fault: /hears .*wants/,
  },
  'whoever was muted while they spoke speaks on': {
    file: 'lobby.js',
    line: 'if (muted)\n            this.setSpeaking(participant, null, turn);',
    instead: '',
    fault: /speaks: true/,
  },
  'whoever enters a channel is not told who speaks there': {
    file: 'lobby.js',
    line: "this.#tellOfSpeakers(participant, entered, 'speaking', turn);",
    instead: '',
    fault: /speaks: false/,
  },
  'whoever is banned may join': {
    file: 'lobbies.js',
    line: '.banned) {\n            return { code:',
    instead: '.banned && false) {\n            return { code:',
    fault: /hello comes to null, wants banned/,
  },
  'whoever is banned stays': {
    file: 'moderation.js',
    line: 'if (sanctioned.banned)',
    instead: 'if (sanctioned.banned && participant.connection === null)',
    fault: /is banned and in/,
  },
  'an old resume secret is good': {
    file: 'places.js',
    line: 'this.#forgetSecret(participant);\n        if (participant.expiresAt',
    instead: 'if (participant.expiresAt',
    fault: /resume comes to null, wants resume-refused/,
  },
  'whoever was kicked resumes': {
    file: 'places.js',
    line: 'this.#ending.delete(participant);\n        this.#forgetSecret(participant);',
    instead: 'this.#ending.delete(participant);',
    fault: /resume comes to null, wants resume-refused/,
  },
  'a place is kept for ever': {
    file: 'relay.js',
    line: 'for (const participant of this.#places.goneBy(turn.now))',
    instead: 'for (const participant of [])',
    fault: /away/,
  },
  'whoever is away is told of what happens': {
    file: 'lobby.js',
    line: 'participant.connection = null;\n        participant.topics = NO_TOPICS;',
    instead: 'participant.topics = NO_TOPICS;',
    fault: /told .* gone/,
  },
};

for (const [what, { fault, seats = SEATS, names = ALL, ...broken }] of Object.entries(CASES)) {
  t.test(`it is noticed when ${what}`, async (t) => {
    const relay = await brokenRelay(what.replaceAll(/\W/g, '_'), broken);
    const operations = operationsOf(seats, names);
    const { violation } = explore({ seats, operations, depth: 5, relay, faults: fault });
    t.ok(violation, `${violation?.sequence.join(', ')}: ${violation?.faults[0]}`);
  });
}

t.test('and nothing of the kind is noticed of the relay as it is', async (t) => {
  for (const seats of [SEATS, TWICE]) {
    t.equal(explore({ seats, operations: operationsOf(seats, ALL), depth: 3 }).violation, null);
  }
});
