/** How long openSteam takes to fail without Steam: from the call to the error, in fresh processes. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realLibrary } from '../test/kit/stand_in_steam.js';
import { type Row, row, type Trial } from './result.js';

const ROUNDS = 7;

const PROGRAM = `
  const { openSteam } = await import(process.argv[1]);
  const from = process.hrtime.bigint();
  let stage = 'open';
  try {
    openSteam({ embedded: 'never', ...(process.argv[2] ? { library: process.argv[2], appId: 480 } : {}) });
  } catch (error) {
    stage = error.stage;
  }
  console.log(JSON.stringify({ ms: Number(process.hrtime.bigint() - from) / 1e6, stage }));
`;

export const steam: Trial = {
  name: 'steam',
  about: `openSteam({ embedded: 'never' }) without Steam, until it throws; ${ROUNDS} processes per case`,
  async run() {
    const home = mkdtempSync(join(tmpdir(), 'hotmic-no-steam-'));
    const skipped: string[] = [];
    const cases = [{ name: 'no libsteam_api', library: '', stage: 'library' }];
    const real = realLibrary();
    if (real.kind === 'there')
      cases.push({ name: 'libsteam_api, no Steam', library: real.path, stage: 'init' });
    else skipped.push(`without a client: ${real.reason}`);
    const entry = new URL('../native/index.js', import.meta.url).href;
    const times = cases.map(() => [] as number[]);
    let fault: string | null = null;
    try {
      for (let round = 0; round < ROUNDS; round++) {
        for (const [at, { library, stage }] of cases.entries()) {
          const args = ['--input-type=module', '--eval', PROGRAM, entry, library];
          const env = { ...process.env, HOME: home, HOTMIC_STEAM_LIBRARY: '' };
          const output = execFileSync(process.execPath, args, {
            env,
            encoding: 'utf8',
            stdio: ['ignore', 'pipe', 'ignore'],
          });
          const answer = JSON.parse(output) as { ms: number; stage: string };
          if (answer.stage !== stage)
            fault = `${cases[at]!.name} failed at ${answer.stage}, expected ${stage}`;
          times[at]!.push(answer.ms);
        }
      }
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
    const rows: Row[] = cases.map(({ name }, at) => row('hotmic', name, 'until the error', 'ms', times[at]!));
    return { rows, void: fault, skipped };
  },
};
