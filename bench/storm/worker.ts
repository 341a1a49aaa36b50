/** The thread of the participants who lose their connections, evenly spread over the storm, and resume at once. */

import { parentPort, workerData } from 'node:worker_threads';
import { WebSocket } from 'ws';
import type { TokenJwk } from '../../relay/admission/token_keys.js';
import { helloWith } from './member.js';
import type { StormReport } from './storm.js';

interface Job {
  readonly url: string;
  readonly key: TokenJwk;
  readonly lobbies: number;
  readonly perLobby: number;
  readonly stormMs: number;
}

interface Place {
  socket: WebSocket;
  slot: number;
  resumeSecret: string;
}

/** Concurrent joins before the storm. */
const AT_ONCE = 50;
const GIVE_UP_MS = 30_000;

const { url, key, lobbies, perLobby, stormMs } = workerData as Job;

/** Opens a connection, sends `text`, and waits for the welcome. */
function connect(text: string): Promise<Place> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    const timer = setTimeout(() => reject(new Error('no welcome in time')), GIVE_UP_MS);
    socket.once('error', reject);
    socket.once('open', () => socket.send(text));
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      // Voice may come first: after a resume it can arrive before the welcome.
      if (isBinary) return;
      const message = JSON.parse(data.toString()) as {
        type: string;
        slot: number;
        resume: { secret: string };
        message?: string;
      };
      if (message.type === 'welcome') {
        clearTimeout(timer);
        resolve({ socket, slot: message.slot, resumeSecret: message.resume.secret });
      } else if (message.type === 'refused') {
        clearTimeout(timer);
        reject(new Error(message.message));
      }
    });
  });
}

const places: Place[] = [];
for (let at = 0; at < lobbies * perLobby; at += AT_ONCE) {
  const hellos = await Promise.all(
    Array.from({ length: Math.min(AT_ONCE, lobbies * perLobby - at) }, (_, n) =>
      helloWith(key, 1 + at + n, `lobby ${(at + n) % lobbies}`),
    ),
  );
  places.push(...(await Promise.all(hellos.map(({ text }) => connect(text)))));
}

parentPort?.on('message', () => void storm());
parentPort?.postMessage('ready');

async function storm(): Promise<void> {
  const startedAt = performance.now();
  const report = { resumed: 0, failed: 0, moved: 0, resumeMs: [] as number[] };
  const resumes: Promise<void>[] = [];
  for (let at = 0; at < places.length; ) {
    const due = Math.min(places.length, ((performance.now() - startedAt) / stormMs) * places.length);
    for (; at < due; at += 1) resumes.push(reconnect(places[at]!, report));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(resumes);
  parentPort?.postMessage(report satisfies StormReport);
}

async function reconnect(
  place: Place,
  report: { resumed: number; failed: number; moved: number; resumeMs: number[] },
): Promise<void> {
  const cutAt = performance.now();
  place.socket.terminate();
  try {
    const back = await connect(JSON.stringify({ type: 'resume', versions: [1], secret: place.resumeSecret }));
    report.resumed += 1;
    report.resumeMs.push(performance.now() - cutAt);
    if (back.slot !== place.slot) report.moved += 1;
    place.socket = back.socket;
  } catch {
    report.failed += 1;
  }
}
