/**
 * The cost of getVoice into the ring compared with that of Steam's own function in C++, alternating in the same run. Our stand-ins for
 * Steam's libraries copy 700 bytes under a lock.
 */

import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadAddon } from '../../native/real/addon.js';
import { buildStandIns, realLibrary, standInHome } from '../../test/kit/stand_in_steam.js';
import { type Row, row } from '../result.js';
import type { VoiceCost } from './voice_child.js';

const CALLS = 200_000;

/** The cases of the rows. */
export const VOICE_CASES = ['stand-in libsteam_api', 'real libsteam_api'] as const;
const CHILD = fileURLToPath(new URL('./voice_child.js', import.meta.url));

/** The rows, and why others were skipped. */
export async function measureVoice(rounds: number): Promise<{ rows: Row[]; skipped: string[] }> {
  const addon = loadAddon();
  if (addon.kind === 'missing') return { rows: [], skipped: [`getVoice: ${addon.reason}`] };
  const standIns = await buildStandIns();
  if (standIns.kind === 'skipped') return { rows: [], skipped: [`getVoice: ${standIns.reason}`] };
  const skipped: string[] = [];
  const home = standInHome(standIns);
  const cases = [
    {
      name: VOICE_CASES[0] as string,
      library: standIns.libraries.sdk160,
      controlled: standIns.libraries.sdk160,
    },
  ];
  const real = realLibrary();
  if (real.kind === 'there')
    cases.push({ name: VOICE_CASES[1], library: real.path, controlled: home.steamclient });
  else skipped.push(`getVoice through the real library: ${real.reason}`);
  const control = join(dirname(standIns.harness), 'control.node');
  const env = { ...process.env, HOME: home.path, SteamAppId: '480' };
  const run = (command: string, args: string[]) =>
    execFileSync(command, args, {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 60_000,
    });
  const all = cases.map((it) => ({ ...it, native: [] as number[], costs: [] as VoiceCost[] }));
  try {
    for (let round = 0; round < rounds; round++) {
      for (const { library, controlled, native, costs } of all) {
        native.push(
          Number(/([\d.]+)/.exec(run(standIns.harness, ['cost', library, controlled, String(CALLS)]))?.[1]),
        );
        const args = ['--expose-gc', CHILD, library, controlled, control, String(CALLS)];
        costs.push(JSON.parse(run(process.execPath, args).trim().split('\n').at(-1) ?? '') as VoiceCost);
      }
    }
  } finally {
    home.remove();
  }
  const rows = all.flatMap(({ name, native, costs }) => {
    const over = (nsOf: (cost: VoiceCost) => number) =>
      costs.map((cost, round) => (nsOf(cost) - native[round]!) / 1000);
    return [
      row(
        'steam',
        name,
        'getVoice of 700 bytes in C++',
        'µs',
        native.map((ns) => ns / 1000),
      ),
      row(
        'hotmic',
        name,
        "getVoice, over Steam's own",
        'µs',
        over((cost) => cost.callNs),
      ),
      row(
        'hotmic',
        name,
        "getVoice into the ring and out, over Steam's own",
        'µs',
        over((cost) => cost.intoRingNs),
      ),
      row(
        'hotmic',
        name,
        'heap growth per packet',
        'bytes',
        costs.map((cost) => cost.growthBytes),
      ),
      row(
        'an empty loop',
        name,
        'heap growth per turn',
        'bytes',
        costs.map((cost) => cost.floorBytes),
      ),
    ];
  });
  return { rows, skipped };
}
