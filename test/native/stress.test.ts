/** A short stress of the addon, without sanitizers: `make asan` and `make ubsan` run a longer one under them. */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { loadAddon } from '../../native/real/addon.js';
import { SEED } from '../kit/random.js';
import { buildStandIns } from '../kit/stand_in_steam.js';

const addon = loadAddon();
const standIns = await buildStandIns();
const missing =
  addon.kind === 'missing' ? addon.reason : standIns.kind === 'skipped' ? standIns.reason : false;
const MAIN = fileURLToPath(new URL('./stress/main.js', import.meta.url));

t.test(
  'eight workers call Steam, others are killed in the middle, Steam opens and closes: nothing is left, nothing crashes',
  { skip: missing },
  async (t) => {
    t.comment(`seed ${SEED}`);
    const library = standIns.kind === 'built' ? standIns.libraries.sdk160 : '';
    const job = [library, '20000', '8', '20', '24', String(SEED)];
    const child = spawnSync(process.execPath, [MAIN, ...job], { encoding: 'utf8', timeout: 500_000 });
    t.equal(child.signal, null, child.stderr.slice(-2000));
    t.equal(child.status, 0, `${child.stdout}${child.stderr.slice(-2000)}`);
    t.match(JSON.parse(child.stdout), {
      inits: 20,
      overlaps: [0, 0, 0],
      held: { environments: 1, tickets: 0, sessions: 0 },
      left: { environments: 0, library: null },
    });
  },
);
