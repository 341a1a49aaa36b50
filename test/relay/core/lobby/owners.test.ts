/** Each record of a member has one file that writes it. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

const CORE = 'relay/core';

/** The writable views of a member's records, and the one file in relay/core that may take each. */
const OWNERS: Readonly<Record<string, string>> = {
  '{ presence: Presence }': 'lobby/presence.ts',
  Profile: 'lobby/lobby.ts',
  '{ sanctioned: Sanctioned }': 'lobby/lobby.ts',
  '{ channels: readonly Channel[] }': 'lobby/channels.ts',
  '{ frames: number }': 'lobby/streams.ts',
  '{ streams: ReadonlyMap<number, Stream> }': 'lobby/streams.ts',
  '{ listeners: number; acknowledging: number }': 'lobby/presence.ts',
  '{ flags: Flags | null }': 'staleness/staleness.ts',
  Whisper: 'lobby/whispers.ts',
  Speech: 'lobby/speaking.ts',
};

t.test('only its owner takes a writable view of a record', async (t) => {
  const files = readdirSync(CORE, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && name !== 'lobby/member.ts',
  );
  t.ok(files.length > 30, `${files.length} files`);
  for (const [view, owner] of Object.entries(OWNERS)) {
    const takers = files.filter((name) => readFileSync(join(CORE, name), 'utf8').includes(`: ${view} = `));
    t.strictSame(takers, [owner], `${view} is written by ${owner}`);
  }
});

t.test('nobody gets around readonly with a cast', async (t) => {
  for (const name of readdirSync(CORE, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue;
    const text = readFileSync(join(CORE, name), 'utf8');
    t.notMatch(text, /\bas (any|unknown|Mutable|Member|Participant|Profile|Speech|Whisper)\b/, name);
  }
});
