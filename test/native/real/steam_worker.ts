/**
 * A thread that uses the real Steam, for tests: opens it, does what `SteamWork` says, and tells how it went. While it holds Steam
 * it waits for a message: 'pump' has it run callbacks, anything else has it close and end.
 */

import { parentPort, workerData } from 'node:worker_threads';
import { openRealSteam } from '../../../native/real/open.js';
import type { RealSteam } from '../../../native/real/steam.js';
import { SeededRandom } from '../../kit/random.js';

export interface SteamWork {
  readonly library: string;
  /**
   * `hold`: takes a ticket, begins a session with `ticket`, records, and waits. `poll`: calls getVoice `calls` times while it
   * gets tickets, decompresses and pumps now and then. `poll-on`: the same without end. `cycle`: opens and closes `calls` times.
   */
  readonly kind: 'hold' | 'poll' | 'poll-on' | 'cycle';
  readonly calls: number;
  readonly seed: number;
  /** A session ticket of `friend`. */
  readonly ticket: Uint8Array;
  readonly friend: bigint;
}

export type SteamWorkEvent =
  | { readonly kind: 'holding' }
  | { readonly kind: 'pumped'; readonly signals: readonly string[] }
  | { readonly kind: 'done'; readonly packets: number };

const port = parentPort!;
const work = workerData as SteamWork;
const tell = (event: SteamWorkEvent) => port.postMessage(event);
const random = new SeededRandom(work.seed);
const target = new Uint8Array(new SharedArrayBuffer(8192));

function open(): RealSteam {
  const opened = openRealSteam({ library: work.library, appId: 480 });
  if (opened.kind === 'failed') throw new Error(`${opened.stage}: ${opened.text}`);
  return opened.steam;
}

function hold(): void {
  const steam = open();
  steam.getAuthSessionTicket(0n);
  steam.beginAuthSession(work.ticket, work.friend);
  steam.startVoiceRecording();
  tell({ kind: 'holding' });
  port.on('message', (text: string) => {
    if (text === 'pump') {
      tell({ kind: 'pumped', signals: steam.runCallbacks().map(({ signal }) => signal) });
    } else {
      steam.close();
      port.close();
    }
  });
}

function poll(): void {
  const steam = open();
  tell({ kind: 'holding' });
  let packets = 0;
  for (let call = 0; call < work.calls; call++) {
    const written = steam.getVoiceInto(target);
    if (written > 0) {
      packets += 1;
      if (random.below(8) === 0) steam.decompressVoice(target.slice(0, written), 24_000);
    }
    if (random.below(16) === 0) steam.cancelAuthTicket(steam.getAuthSessionTicket(0n).id);
    if (random.below(16) === 0) steam.runCallbacks();
  }
  steam.close();
  tell({ kind: 'done', packets });
}

function cycle(): void {
  for (let round = 0; round < work.calls; round++) {
    const steam = open();
    steam.startVoiceRecording();
    for (let call = random.below(5); call > 0; call--) steam.getVoiceInto(target);
    steam.getAuthSessionTicket(0n);
    steam.runCallbacks();
    // Now and then it is left to the end of the thread.
    if (round < work.calls - 1 || random.below(2) === 0) steam.close();
  }
  tell({ kind: 'done', packets: 0 });
}

if (work.kind === 'hold') hold();
else if (work.kind === 'cycle') cycle();
else poll();
