/** One Steam under several threads: attaching, what ends with a thread, who gets the callbacks, and that calls do not overlap. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import t, { type Test } from 'tap';
import { SEED, SeededRandom } from '../../kit/random.js';
import { type AddonSteam, type AddonSteams, addonSteams, openSteam } from './addon_steams.js';
import type { SteamWork, SteamWorkEvent } from './steam_worker.js';

const got = await addonSteams();
const skip = typeof got === 'string' ? got : false;
const steams = got as AddonSteams;
t.teardown(() => typeof got !== 'string' && got.remove());

const FRIEND = 76561197960265777n;

function start(under: AddonSteam, kind: SteamWork['kind'], calls = 0, seed = SEED): Worker {
  const work: SteamWork = {
    library: under.library,
    kind,
    calls,
    seed,
    ticket: under.controls.ticketOf(FRIEND),
    friend: FRIEND,
  };
  return new Worker(new URL('./steam_worker.js', import.meta.url), { workerData: work });
}

/** The next thing that the worker tells. @throws its error. */
async function told(worker: Worker): Promise<SteamWorkEvent> {
  const [event] = (await once(worker, 'message')) as [SteamWorkEvent];
  return event;
}

/** How many packets a worker got that polls, once it has ended. One that is busy tells all at once: no event is waited for singly. */
async function packetsOf(worker: Worker): Promise<number> {
  let packets = -1;
  worker.on('message', (event: SteamWorkEvent) => {
    if (event.kind === 'done') packets = event.packets;
  });
  await once(worker, 'exit');
  return packets;
}

async function pumped(worker: Worker): Promise<readonly string[]> {
  worker.postMessage('pump');
  const event = await told(worker);
  return event.kind === 'pumped' ? event.signals : [];
}

/** On the newest stand-in and on the real library. */
function each(sentence: string, test: (t: Test, under: AddonSteam) => Promise<void>) {
  t.test(sentence, { skip }, async (t) => {
    for (const under of [steams.newest, steams.real]) {
      if (under === null) continue;
      await t.test(under.name, async (t) => {
        under.controls.reset();
        await test(t, under);
        t.match(steams.addon.counts(), { environments: 0, tickets: 0, sessions: 0, library: null });
        const { inits, shutdowns, ticketsLive, sessionsLive, recording } = under.controls.counts();
        t.same([inits - shutdowns, ticketsLive, sessionsLive, recording], [0, 0, 0, 0]);
        under.controls.reset();
      });
    }
  });
}

each('a worker attaches to the Steam of the main thread, which keeps the callbacks', async (t, under) => {
  const steam = openSteam(under);
  t.same(steam.runCallbacks(), []);
  const { inits } = under.controls.counts();
  const worker = start(under, 'hold');
  await told(worker);
  t.equal(under.controls.counts().inits, inits);
  t.match(steams.addon.counts(), { environments: 2, tickets: 1, sessions: 1 });
  t.same(await pumped(worker), []);
  t.same(
    steam.runCallbacks().map(({ signal }) => signal),
    ['get_auth_session_ticket_response', 'validate_auth_ticket_response'],
  );
  worker.postMessage('end');
  await once(worker, 'exit');
  t.equal(steam.loggedOn(), true, 'Steam stays');
  steam.close();
});

each('what a worker that is killed held ends with it, and nothing else', async (t, under) => {
  const steam = openSteam(under);
  steam.getAuthSessionTicket(0n);
  const worker = start(under, 'hold');
  await told(worker);
  t.match(under.controls.counts(), { ticketsLive: 2, sessionsLive: 1, recording: 1 });
  const { threadMemoryReleased, stopVoiceRecording } = under.controls.counts();
  await worker.terminate();
  t.match(under.controls.counts(), { ticketsLive: 1, sessionsLive: 0, open: 1 });
  t.equal(under.controls.counts().stopVoiceRecording, stopVoiceRecording + 1);
  t.match(steams.addon.counts(), { environments: 1, tickets: 1, sessions: 0 });
  t.ok(
    under.controls.counts().threadMemoryReleased > threadMemoryReleased,
    "the thread's memory is released",
  );
  steam.close();
});

each(
  'the recording of another thread goes on when a worker that recorded too is killed',
  async (t, under) => {
    const steam = openSteam(under);
    steam.startVoiceRecording();
    const worker = start(under, 'hold');
    await told(worker);
    await worker.terminate();
    t.equal(under.controls.counts().recording, 1);
    steam.close();
  },
);

each('when the thread that gets the callbacks goes, the next that asks gets them', async (t, under) => {
  const first = start(under, 'hold');
  await told(first);
  const steam = openSteam(under);
  t.equal((await pumped(first)).length, 2);
  t.same(steam.runCallbacks(), [], 'the worker ran them first');
  t.equal(steam.getsCallbacks, false);
  await first.terminate();
  under.controls.loseConnection(3);
  t.same(steam.runCallbacks(), [{ signal: 'steam_server_disconnected', keys: { result: 3 }, call: 0n }]);
  steam.close();
});

each('a thread that opened first and never runs callbacks keeps them from nobody', async (t, under) => {
  const first = start(under, 'hold');
  await told(first);
  const steam = openSteam(under);
  t.equal(steam.runCallbacks().length, 2, "of the worker's ticket and session");
  t.equal(steam.getsCallbacks, true);
  first.postMessage('end');
  await once(first, 'exit');
  steam.close();
});

each('Steam is shut down with the worker that alone had it, and opens again', async (t, under) => {
  const { shutdowns } = under.controls.counts();
  const worker = start(under, 'hold');
  await told(worker);
  await worker.terminate();
  t.match(under.controls.counts(), { shutdowns: shutdowns + 1, open: 0 });
  const steam = openSteam(under);
  t.equal(steam.getSteamID(), 76561197960265729n);
  steam.close();
});

each(
  'eight threads poll while the main thread gets the callbacks, and no two calls overlap',
  async (t, under) => {
    t.comment(`seed ${SEED}`);
    const before = under.controls.counts();
    const steam = openSteam(under);
    under.controls.repeatVoice(200);
    steam.startVoiceRecording();
    const workers = Array.from({ length: 8 }, (_, at) => start(under, 'poll', 3000, SEED + at));
    const done = Promise.all(workers.map(packetsOf));
    let open = true;
    void done.finally(() => {
      open = false;
    });
    while (open) {
      steam.runCallbacks();
      await new Promise(setImmediate);
    }
    t.same(await done, Array(8).fill(3000), 'each call gave a packet');
    steam.close();
    const after = under.controls.counts();
    t.equal(after.getVoice - before.getVoice, 24_000);
    for (const overlaps of ['voiceOverlaps', 'decompressOverlaps', 'dispatchOverlaps'] as const) {
      t.equal(after[overlaps], before[overlaps], overlaps);
    }
  },
);

each('workers that are killed while they poll leave a Steam that works', async (t, under) => {
  t.comment(`seed ${SEED}`);
  const random = new SeededRandom(SEED);
  const steam = openSteam(under);
  under.controls.repeatVoice(200);
  steam.startVoiceRecording();
  for (let round = 0; round < 5; round++) {
    const workers = Array.from({ length: 4 }, () =>
      start(under, 'poll-on', Number.POSITIVE_INFINITY, random.next()),
    );
    await Promise.all(workers.map(told));
    for (let frames = random.below(20); frames > 0; frames--) {
      steam.runCallbacks();
      await new Promise(setImmediate);
    }
    await Promise.all(workers.map((worker) => worker.terminate()));
    t.equal(steam.getVoice().written, 200, `round ${round}`);
  }
  t.match(steams.addon.counts(), { environments: 1, tickets: 0 });
  steam.close();
});

each('a process may end while its workers poll', async (t, under) => {
  const script = fileURLToPath(new URL('./addon_child.js', import.meta.url));
  for (const [scenario, code] of [
    ['exit-while-polling', 7],
    ['end-without-close', 0],
  ] as const) {
    const child = spawn(process.execPath, [script, scenario, under.library], { stdio: 'ignore' });
    t.same(await once(child, 'exit'), [code, null], scenario);
  }
});

t.test(
  'threads that open and close at once leave as many shutdowns as initialisations',
  { skip },
  async (t) => {
    t.comment(`seed ${SEED}`);
    const { controls } = steams.newest;
    const before = controls.counts();
    const workers = Array.from({ length: 4 }, (_, at) => start(steams.newest, 'cycle', 100, SEED + at));
    await Promise.all(workers.map((worker) => once(worker, 'exit')));
    const after = controls.counts();
    t.ok(after.inits > before.inits);
    t.equal(after.shutdowns - before.shutdowns, after.inits - before.inits);
    t.match(after, { ticketsLive: 0, recording: 0, open: 0 });
    t.match(steams.addon.counts(), { environments: 0, library: null });
  },
);
