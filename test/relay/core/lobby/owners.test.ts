/** Each record of a member has one file that writes it. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

const CORE = 'relay/core';

/** The writable views of a member's records, and the one file in relay/core/lobby that may take each. */
const OWNERS: Readonly<Record<string, string>> = {
  '{ presence: Presence }': 'presence.ts',
  Profile: 'lobby.ts',
  '{ sanctioned: Sanctioned }': 'lobby.ts',
  '{ channels: readonly Channel[] }': 'channels.ts',
  '{ frames: number }': 'streams.ts',
  '{ streams: ReadonlyMap<number, Stream> }': 'streams.ts',
  '{ listeners: number }': 'presence.ts',
  Whisper: 'whispers.ts',
  Speech: 'speaking.ts',
};

t.test('only its owner takes a writable view of a record', async (t) => {
  const files = readdirSync(CORE, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && name !== 'lobby/member.ts',
  );
  t.ok(files.length > 30, `${files.length} files`);
  for (const [view, owner] of Object.entries(OWNERS)) {
    const takers = files.filter((name) => readFileSync(join(CORE, name), 'utf8').includes(`: ${view} = `));
    t.strictSame(takers, [`lobby/${owner}`], `${view} is written by ${owner}`);
  }
});

t.test('nobody gets around readonly with a cast', async (t) => {
  for (const name of readdirSync(CORE, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue;
    const text = readFileSync(join(CORE, name), 'utf8');
    t.notMatch(text, /\bas (any|unknown|Mutable|Member|Participant|Profile|Speech|Whisper)\b/, name);
  }
});
