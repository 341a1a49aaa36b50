/** One thread of the stress test: calls everything that a worker may, in a seeded order, a given number of times. */

import { parentPort, workerData } from 'node:worker_threads';
import { openRealSteam } from '../../../native/real/open.js';
import { SeededRandom } from '../../kit/random.js';

export interface StressJob {
  readonly library: string;
  /** Calls of getVoice until it ends. */
  readonly calls: number;
  readonly seed: number;
}

export interface StressReport {
  readonly getVoice: number;
  readonly packets: number;
  readonly decoded: number;
  readonly tickets: number;
}

const { library, calls, seed } = workerData as StressJob;
const random = new SeededRandom(seed);
const ring = new Uint8Array(new SharedArrayBuffer(8192));
const counts = { getVoice: 0, packets: 0, decoded: 0, tickets: 0 };

function open() {
  const opened = openRealSteam({ library, appId: 480 });
  if (opened.kind === 'failed') throw new Error(`${opened.stage}: ${opened.text}`);
  return opened.steam;
}

let steam = open();
steam.startVoiceRecording();
parentPort?.postMessage('open');
while (counts.getVoice < calls) {
  const written = steam.getVoiceInto(random.below(8) === 0 ? ring.subarray(0, random.below(200)) : ring);
  counts.getVoice += 1;
  if (written > 0) {
    counts.packets += 1;
    if (random.below(16) === 0) {
      steam.decompressVoice(ring.slice(0, written), 24_000);
      counts.decoded += 1;
    }
  }
  switch (random.below(2000)) {
    case 0: {
      const { id, buffer } = steam.getAuthSessionTicket(0n);
      steam.beginAuthSession(buffer, steam.getSteamID());
      counts.tickets += 1;
      // Some are left to the end of the thread.
      if (random.below(2) === 0) {
        steam.endAuthSession(steam.getSteamID());
        steam.cancelAuthTicket(id);
      }
      break;
    }
    case 1:
      steam.stopVoiceRecording();
      steam.startVoiceRecording();
      break;
    case 2:
      steam.close();
      steam = open();
      steam.startVoiceRecording();
      break;
    case 3:
      steam.getMarketEligibility();
      steam.requestEncryptedAppTicket(random.bytes(random.below(64)));
      break;
    case 4:
      steam.runCallbacks();
      steam.loggedOn();
      steam.getVoice();
      break;
  }
}
steam.close();
parentPort?.postMessage(counts satisfies StressReport);
