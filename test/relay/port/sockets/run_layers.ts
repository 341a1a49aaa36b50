/**
 * Runs the relay's tests, the attacks and the second client on each library for sockets that loads here, one after the other:
 * `make test-sockets`. The relays of the tests take theirs from HOTMIC_RELAY_SOCKETS and HOTMIC_UWS.
 */

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { chooseSockets, thisPlace } from '../../../../relay/port/sockets/choose.js';
import { LIBRARIES } from './kit.js';

const TESTS = 'dist/test';
/** What is about relays on sockets; the pure core is the same on each. */
const CHOSEN = /^(relay\/(?!core\/)|hostile\/|interop\/|client\/(lobby|transport)\/|cli\/relay\/)/;

const files = readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.js') && CHOSEN.test(name))
  .map((name) => `${TESTS}/${name}`)
  .concat(`${TESTS}/relay/port/sockets/idle.js`);
const failed: string[] = [];
for (const { library, layer, uwsBy } of LIBRARIES) {
  const missing = await chooseSockets(layer, { ...thisPlace(true), uwsBy }).then(
    () => null,
    (thrown: Error) => thrown.message,
  );
  if (missing !== null) {
    console.log(`SKIPPED the tests on ${library}: ${missing}`);
    continue;
  }
  console.log(`Tests on ${library}: ${files.length} files`);
  const env = { ...process.env, HOTMIC_RELAY_SOCKETS: layer, HOTMIC_UWS: uwsBy ?? '' };
  const { status } = spawnSync(process.execPath, [`${TESTS}/run.js`, ...files], { stdio: 'inherit', env });
  if (status !== 0) failed.push(library);
}
console.log(failed.length === 0 ? 'The tests passed on each library' : `FAILED on ${failed.join(' and ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
