/**
 * A listener's process is stopped for 20 s and goes on: how old is the voice that it then plays, how much of it comes, and when does it hear
 * in time again? Ours beside a bare uWebSockets relay, ws, and the message servers that are installed.
 */

import { availableParallelism } from 'node:os';
import { newKey } from '../../relay/index.js';
import { buildLoad } from '../load/generator.js';
import type { Trial } from '../result.js';
import {
  play,
  playAll,
  preferTalkers,
  type Run,
  rowsOf,
  type Scene,
  STOPPED,
  TROUBLE_MS,
  voidOf,
} from './scene.js';
import { PEERS } from './servers.js';

const RUNS = 5;
const TALKERS = [1, 8];

export const stall: Trial = {
  name: 'stall',
  about: `a listener stopped for ${TROUBLE_MS / 1000} s, ${TALKERS.join(' or ')} talkers, ${RUNS} runs`,
  async run() {
    if (availableParallelism() < 2)
      return { rows: [], void: 'this machine has one core, expected at least two' };
    const built = buildLoad();
    const tls = built.kind === 'built' ? built.tls : null;
    const skipped = tls ? [] : ['TLS: no certificate'];
    const peers = PEERS.filter((peer) => {
      const missing = peer.missing();
      if (missing !== null) skipped.push(missing);
      return missing === null;
    });
    const keys = await newKey('EdDSA', 'bench');
    const scenes = TALKERS.flatMap((talkers) =>
      [null, tls].flatMap((files, at) =>
        peers
          .filter((peer) =>
            at === 0 ? peer.tls !== 'tls-only' : files !== null && peer.tls !== 'plain-only',
          )
          .map(
            (peer): Scene => ({
              name: nameOf(talkers, at === 1),
              peer,
              talkers,
              tls: files,
              trouble: STOPPED,
            }),
          ),
      ),
    );
    const runs: Run[] = [];
    let repeated = 0;
    const preferNobody = preferTalkers();
    for (let number = 0; number < RUNS; number++) {
      const round = await playAll(scenes, number === 0, (scene, keepsAges) => play(scene, keys, keepsAges));
      runs.push(...round.runs);
      repeated += round.repeated;
    }
    preferNobody();
    if (repeated > 0) skipped.push(`${repeated} runs whose talkers were late, done again`);
    return { rows: rowsOf(runs), void: voidOf(runs), skipped, raw: runs };
  },
};

function nameOf(talkers: number, hasTls: boolean): string {
  return `${talkers} talker${talkers === 1 ? '' : 's'}, ${hasTls ? 'TLS' : 'plain'}`;
}
