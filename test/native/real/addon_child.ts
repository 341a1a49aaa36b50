/**
 * A separate process for tests of the addon, in which a crash is a result: `node addon_child.js SCENARIO LIBRARY`. Prints one
 * line of JSON. Steam's library writes to stderr as it likes.
 */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { loadAddon, type SteamAddon } from '../../../native/real/addon.js';
import { openRealSteam } from '../../../native/real/open.js';
import { codeOf } from '../../../voice/error.js';

const [, , scenario = '', library = ''] = isMainThread ? process.argv : ['', '', ...(workerData as string[])];

function addon(): SteamAddon {
  const loaded = loadAddon();
  if (loaded.kind === 'missing') throw new Error(loaded.reason);
  return loaded.addon;
}

/** Whether the addon's file is in this process' memory. */
const isMapped = () => readFileSync('/proc/self/maps', 'latin1').includes('/hotmic.node');

const exited = (worker: Worker) => new Promise<number>((resolve) => worker.once('exit', resolve));

/** Every function of a closed addon: its packed result, or the code that it throws. */
function answersOfClosed(): Record<string, unknown> {
  const steam = addon();
  const bytes = new Uint8Array(8);
  const calls: Record<string, () => unknown> = {
    runCallbacks: () => steam.runCallbacks(),
    startVoiceRecording: () => steam.startVoiceRecording(),
    stopVoiceRecording: () => steam.stopVoiceRecording(),
    getAvailableVoice: () => steam.getAvailableVoice(),
    getVoice: () => steam.getVoice(bytes),
    decompressVoice: () => steam.decompressVoice(bytes, bytes, 24_000),
    getVoiceOptimalSampleRate: () => steam.getVoiceOptimalSampleRate(),
    getSteamID: () => steam.getSteamID(),
    loggedOn: () => steam.loggedOn(),
    getPlayerSteamLevel: () => steam.getPlayerSteamLevel(),
    getGameBadgeLevel: () => steam.getGameBadgeLevel(1, false),
    isBehindNAT: () => steam.isBehindNAT(),
    isPhoneIdentifying: () => steam.isPhoneIdentifying(),
    isPhoneRequiringVerification: () => steam.isPhoneRequiringVerification(),
    isPhoneVerified: () => steam.isPhoneVerified(),
    isTwoFactorEnabled: () => steam.isTwoFactorEnabled(),
    getAuthSessionTicket: () => steam.getAuthSessionTicket(0, bytes),
    getAuthTicketForWebApi: () => steam.getAuthTicketForWebApi('service'),
    cancelAuthTicket: () => steam.cancelAuthTicket(1),
    beginAuthSession: () => steam.beginAuthSession(bytes, 1n),
    endAuthSession: () => steam.endAuthSession(1n),
    userHasLicenseForApp: () => steam.userHasLicenseForApp(1n, 480),
    getUserDataFolder: () => steam.getUserDataFolder(),
    requestEncryptedAppTicket: () => steam.requestEncryptedAppTicket(bytes),
    getEncryptedAppTicket: () => steam.getEncryptedAppTicket(),
    requestStoreAuthURL: () => steam.requestStoreAuthURL('https://store'),
    getMarketEligibility: () => steam.getMarketEligibility(),
    getDurationControl: () => steam.getDurationControl(),
    setDurationControlOnlineState: () => steam.setDurationControlOnlineState(1),
    advertiseGame: () => steam.advertiseGame(1n, 0, 0),
    initiateGameConnection: () => steam.initiateGameConnection(1n, 0, 0, false),
    terminateGameConnection: () => steam.terminateGameConnection(0, 0),
  };
  return Object.fromEntries(
    Object.entries(calls).map(([name, call]) => {
      try {
        return [name, call()];
      } catch (thrown) {
        return [name, codeOf(thrown)];
      }
    }),
  );
}

/** Names of the errors that wrong arguments are answered with. */
function answersToMisuse(): Record<string, unknown> {
  // biome-ignore lint/suspicious/noExplicitAny: what TypeScript forbids is what is tried.
  const steam = addon() as any;
  const shared = new SharedArrayBuffer(8);
  const calls: Record<string, () => unknown> = {
    'a bare SharedArrayBuffer': () => steam.getVoice(shared),
    'a DataView': () => steam.getVoice(new DataView(shared)),
    'an Int16Array': () => steam.getVoice(new Int16Array(4)),
    'no argument': () => steam.getVoice(),
    'an array': () => steam.decompressVoice([1, 2], new Uint8Array(8), 24_000),
    'a rate of -1': () => steam.decompressVoice(new Uint8Array(8), new Uint8Array(8), -1),
    'a rate of NaN': () => steam.decompressVoice(new Uint8Array(8), new Uint8Array(8), Number.NaN),
    'a SteamID that is a number': () => steam.endAuthSession(1),
    'a SteamID of 65 bits': () => steam.endAuthSession(2n ** 64n),
    'a negative SteamID': () => steam.endAuthSession(-1n),
    'a handle of 33 bits': () => steam.cancelAuthTicket(2 ** 32),
    'a handle of 1.5': () => steam.cancelAuthTicket(1.5),
    'a port of 65536': () => steam.terminateGameConnection(0, 65_536),
    'a flag that is a number': () => steam.getGameBadgeLevel(1, 1),
    'a text with NUL': () => steam.requestStoreAuthURL('a\0b'),
    'a text of 8193 bytes': () => steam.requestStoreAuthURL('a'.repeat(8193)),
    'a text that is null': () => steam.getAuthTicketForWebApi(null),
    'a ticket of 65537 bytes': () => steam.beginAuthSession(new Uint8Array(65_537), 1n),
    'an identity of 129 bytes': () => steam.getAuthSessionTicket(2, new Uint8Array(129)),
    'a library that is no text': () => steam.init(1, 0),
    'an app id of -1': () => steam.init('/x', -1),
  };
  return Object.fromEntries(
    Object.entries(calls).map(([name, call]) => {
      try {
        return [name, call()];
      } catch (thrown) {
        return [name, (thrown as Error).name];
      }
    }),
  );
}

/** Opens Steam here and in four workers, which poll from then on. */
async function pollers(steam: string): Promise<readonly Worker[]> {
  const opened = openRealSteam({ library: steam, appId: 480 });
  if (opened.kind === 'failed') throw new Error(opened.text);
  opened.steam.startVoiceRecording();
  const work = { library: steam, kind: 'poll-on', calls: Number.POSITIVE_INFINITY, seed: 1 };
  const workers = Array.from(
    { length: 4 },
    () => new Worker(new URL('./steam_worker.js', import.meta.url), { workerData: work }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  return workers;
}

async function run(): Promise<unknown> {
  switch (scenario) {
    case 'init-often': {
      const steam = addon();
      const outcomes = Array.from({ length: 50 }, () => JSON.stringify(steam.init(library, 480)));
      return { outcomes: [...new Set(outcomes)].map((text) => JSON.parse(text)), counts: steam.counts() };
    }
    case 'closed':
      addon().close();
      return answersOfClosed();
    case 'closed-after-failure':
      addon().init(library, 480);
      addon().close();
      return answersOfClosed();
    case 'misuse':
      return answersToMisuse();
    case 'worker-first': {
      const before = isMapped();
      const worker = new Worker(new URL(import.meta.url), { workerData: ['init-once', library] });
      const code = await exited(worker);
      const between = isMapped();
      return { before, code, between, stage: addon().init(library, 480).stage };
    }
    case 'open':
      return openRealSteam();
    case 'exit-while-polling':
      await pollers(library);
      return process.exit(7);
    case 'end-without-close': {
      const workers = await pollers(library);
      for (const worker of workers) worker.unref();
      return 'ended';
    }
    case 'init-once':
      return addon().init(library, 480).stage;
    default:
      throw new Error(`no scenario ${scenario}`);
  }
}

const answer = await run();
if (isMainThread) console.log(JSON.stringify(answer));
else parentPort?.close();
