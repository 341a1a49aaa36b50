/**
 * A relay that stands still for 2 s under 10,000 clients, and goes on: how many of them race new connections, and how many leave their old one?
 * Each client alone would like to try four times per second.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Milliseconds } from '../../voice/units.js';
import { row, type Trial } from '../result.js';
import type { CrowdOrder, CrowdReport } from './crowd.js';
import { TokenRelay } from './relay.js';

const CLIENTS = 10_000;
const CROWDS = 4;
const PER_LOBBY = 10;
const PAUSE_MS: Milliseconds = 2000;
const RUNS = 5;
/** Between two pauses: everyone is calm again. */
const CALM_MS: Milliseconds = 10_000;

export const pause: Trial = {
  name: 'pause',
  about: `a relay stands still for ${PAUSE_MS / 1000} s under ${CLIENTS} clients, ${RUNS} runs`,
  async run() {
    const relay = await TokenRelay.start();
    const crowds: ChildProcess[] = [];
    try {
      for (let number = 0; number < CROWDS; number++) crowds.push(await startCrowd(relay, number));
      await sleep(CALM_MS);
      const calm = await reportOf(crowds);
      const runs: CrowdReport[] = [];
      for (let run = 0; run < RUNS; run++) {
        process.kill(relay.pid, 'SIGSTOP');
        await sleep(PAUSE_MS);
        process.kill(relay.pid, 'SIGCONT');
        await sleep(CALM_MS);
        runs.push(await reportOf(crowds));
      }
      const name = `${CLIENTS} clients, ${PAUSE_MS / 1000} s`;
      // Connections that were opened while the crowd joined are those of the members.
      const isCalm = calm.opened === CLIENTS && calm.reconnecting === 0;
      return {
        rows: [
          row(
            'hotmic',
            name,
            'connections raced',
            '',
            runs.map(({ opened }) => opened),
          ),
          row(
            'hotmic',
            name,
            'left the old one',
            '',
            runs.map(({ reconnecting }) => reconnecting),
          ),
          row(
            'hotmic',
            name,
            'sessions ended',
            '',
            runs.map(({ ended }) => ended),
          ),
        ],
        void: isCalm
          ? null
          : `before the first pause ${calm.opened} connections were opened, ${calm.reconnecting} lost`,
        raw: runs,
      };
    } finally {
      for (const crowd of crowds) crowd.kill('SIGKILL');
      await relay.end();
    }
  },
};

async function startCrowd(relay: TokenRelay, number: number): Promise<ChildProcess> {
  const members = CLIENTS / CROWDS;
  const order: CrowdOrder = {
    ...{ url: relay.url, key: relay.key, members, perLobby: PER_LOBBY },
    firstAccount: (1 + number) * CLIENTS,
  };
  const file = fileURLToPath(new URL('./crowd.js', import.meta.url));
  const child = spawn(process.execPath, [file, JSON.stringify(order)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [said] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [unknown];
  if (said !== 'ready') throw new Error('Cannot start the crowd: its process ended');
  return child;
}

async function reportOf(crowds: readonly ChildProcess[]): Promise<CrowdReport> {
  const sum = { opened: 0, reconnecting: 0, ended: 0 };
  for (const crowd of crowds) {
    crowd.send('report');
    const [{ opened, reconnecting, ended }] = (await once(crowd, 'message')) as [CrowdReport];
    sum.opened += opened;
    sum.reconnecting += reconnecting;
    sum.ended += ended;
  }
  return sum;
}
