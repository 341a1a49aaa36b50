/**
 * `make bench`: runs the named benchmarks, by default all except the soak, which takes long, and the trial of deep PLC, which needs the
 * toolchain of the codec. Exits with code 1 if a result is void.
 */

import { codec } from './codec/codec.js';
import { mix } from './mix.js';
import { key } from './mouth/key.js';
import { mouth } from './mouth/mouth.js';
import { page } from './page/page.js';
import { playout } from './playout/playout.js';
import { plc } from './plc/plc.js';
import { processing } from './processing.js';
import { audience } from './relay/audience.js';
import { hearing } from './relay/hearing.js';
import { idle } from './relay/idle.js';
import { relay } from './relay/relay.js';
import { measure } from './result.js';
import { ring } from './ring/ring.js';
import { soak } from './soak/soak.js';
import { stages } from './stages.js';
import { cut, slow } from './stall/cut.js';
import { stall } from './stall/stall.js';
import { steam } from './steam.js';
import { pause } from './storm/pause.js';
import { storm } from './storm/storm.js';

const trials = [
  ring,
  steam,
  codec,
  stages,
  mouth,
  key,
  processing,
  mix,
  storm,
  pause,
  relay,
  idle,
  audience,
  hearing,
  stall,
  cut,
  slow,
  page,
  playout,
  plc,
  soak,
];
const ONLY_BY_NAME = [plc, soak];

const only = process.argv.slice(2);
const unknown = only.find((name) => !trials.some((trial) => trial.name === name));
if (unknown !== undefined) {
  console.error(
    `Unknown benchmark "${unknown}": expected one of ${trials.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}
for (const trial of trials) {
  if (only.length > 0 ? !only.includes(trial.name) : ONLY_BY_NAME.includes(trial)) continue;
  const result = await measure(trial);
  if (result.void !== null) process.exitCode = 1;
}
