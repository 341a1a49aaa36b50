/** The symbols that the addon looks up, held against a real libsteam_api: npm's steamworks.js has that of SDK 1.60. */

import { execFileSync } from 'node:child_process';
import t from 'tap';
import { loadAddon } from '../../../native/real/addon.js';
import { realLibrary } from '../../kit/stand_in_steam.js';

const loaded = loadAddon();
const real = realLibrary();
const withoutAddon = loaded.kind === 'missing' && loaded.reason;
const skip = withoutAddon || (real.kind === 'skipped' && real.reason) || withoutNm();
const library = real.kind === 'there' ? real.path : '';
const symbols = loaded.kind === 'loaded' ? loaded.addon.steamSymbols() : [];

function withoutNm(): string | false {
  try {
    execFileSync('nm', ['--version'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'nm is not installed';
  }
}

/** The functions that a library exports. */
function exportsOf(library: string): ReadonlySet<string> {
  const lines = execFileSync('nm', ['-D', '--defined-only', library], { encoding: 'utf8' }).split('\n');
  return new Set(lines.map((line) => /^[0-9a-f]+ [TW] (\S+)$/.exec(line)?.[1] ?? ''));
}

t.test('every symbol that has to be there is exported by the real library', { skip }, async (t) => {
  const exported = exportsOf(library);
  const required = symbols.filter(({ need }) => need === 'required');
  t.equal(required.length, 34);
  for (const { name } of required) t.ok(exported.has(name), name);
});

t.test('of every choice of symbols the real library exports the newest', { skip }, async (t) => {
  const exported = exportsOf(library);
  const choices = symbols.filter(({ need }) => need === 'any-of');
  const groups = [...new Set(choices.map(({ group }) => group))];
  const newest = (group: string | null) =>
    choices.find((symbol) => symbol.group === group && exported.has(symbol.name))?.name;
  t.same(
    groups.map((group) => [group, newest(group)]),
    [
      ['initialisation', 'SteamInternal_SteamAPI_Init'],
      ['the interface', 'SteamAPI_SteamUser_v023'],
      ['initiateGameConnection', 'SteamAPI_ISteamUser_InitiateGameConnection_DEPRECATED'],
      ['terminateGameConnection', 'SteamAPI_ISteamUser_TerminateGameConnection_DEPRECATED'],
    ],
  );
});

t.test('SDK 1.60 exports all that is optional', { skip }, async (t) => {
  const exported = exportsOf(library);
  const optional = symbols.filter(({ need }) => need === 'optional').map(({ name }) => name);
  t.same(optional, [
    'SteamAPI_IsSteamRunning',
    'SteamAPI_ReleaseCurrentThreadMemory',
    'SteamAPI_ISteamUser_GetAuthTicketForWebApi',
    'SteamAPI_ISteamUser_GetUserDataFolder',
  ]);
  for (const name of optional) t.ok(exported.has(name), name);
});

t.test(
  'all functions of ISteamUser that the library has are looked up, but for three',
  { skip },
  async (t) => {
    const known = new Set(symbols.map(({ name }) => name));
    const others = [...exportsOf(library)].filter(
      (name) => name.startsWith('SteamAPI_ISteamUser_') && !known.has(name),
    );
    t.same(others.sort(), ['SteamAPI_ISteamUser_GetHSteamUser', 'SteamAPI_ISteamUser_TrackAppUsageEvent']);
  },
);

t.test('no symbol is looked up twice', { skip: withoutAddon }, async (t) => {
  t.equal(new Set(symbols.map(({ name }) => name)).size, symbols.length);
});
