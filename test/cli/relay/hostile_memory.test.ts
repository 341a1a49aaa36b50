/** A hostile relay sends endlessly: memory, files and lines stay bounded, and what was dropped is counted. */

import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { WebSocket } from 'ws';
import { personSteamId } from '../../../voice/steam_id.js';
import { stampVoiceFrame, writeVoiceFrame } from '../../../voice/wire.js';
import { type Ended, startCli } from '../../kit/cli.js';
import { TWO_GROUPS_OF_DTX } from '../../kit/golden_packets.js';
import { packetOfOps } from '../../kit/raw_packet.js';
import { frame, kim, relayThat, welcome } from './hostile_kit.js';

/** A watchdog only. */
t.setTimeout(240_000);

/** 2.7 s of silence in 18 bytes: all that the op can count, at 24 kHz. */
const LONG_SILENCE = packetOfOps('0bc05d 00ffff');

const DAY_MS = 86_400_000;

/** The most memory that a process had at a time, in MB, or null where the system does not say. */
function peakMegabytes(pid: number): number | null {
  const status = `/proc/${pid}/status`;
  const match = existsSync(status) ? /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(status, 'utf8')) : null;
  return match ? Number(match[1]) / 1024 : null;
}

/** What a relay sends to a client that has read all of it once it answers the ping behind it. */
async function flood(socket: WebSocket, messages: Iterable<string | Uint8Array>): Promise<void> {
  for (const message of messages) {
    socket.send(message);
    if (socket.bufferedAmount > 1 << 20)
      await new Promise((resolve) => socket.send('', { binary: true }, resolve));
  }
  const answered = once(socket, 'pong');
  socket.ping();
  await answered;
}

/** A relay that says `opening` and then floods, and when the client has taken all of that. */
async function floodingRelay(t: Test, opening: string, messages: () => Iterable<string | Uint8Array>) {
  let settle: { resolve: () => void; reject: (why: unknown) => void };
  const taken = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  const url = await relayThat(t, (socket) => {
    socket.send(opening);
    flood(socket, messages()).then(settle.resolve, settle.reject);
  });
  return { url, taken };
}

function stampedFrame(
  slot: number,
  sequence: number,
  relayTimeMs: number,
  packet: Uint8Array,
  timestamp: number,
) {
  const bytes = writeVoiceFrame({ marker: true, terminator: false, target: 0, sequence, timestamp }, packet);
  stampVoiceFrame(bytes, { slot, relaySequence: sequence, relayTimeMs, acknowledge: false });
  return bytes;
}

function* inventedSpeakers(count: number): Iterable<string | Uint8Array> {
  for (let slot = 0; slot < count; slot += 1) {
    if (slot === 5) continue;
    const participant = { slot, steamId: String(personSteamId(slot + 100)), name: `n${slot}` };
    yield JSON.stringify({ type: 'joined', participant });
    yield frame(slot, 0);
  }
}

/** Records until the flood is taken. No file may be longer than that went on, and 10 s. */
async function recordFlood(t: Test, url: string, taken: Promise<void>): Promise<Ended> {
  const folder = join(t.testdir(), 'out');
  const startedAt = performance.now();
  const record = startCli(t, ['record', url, '-l', 'den', '-o', folder]);
  await taken;
  record.signal('SIGINT');
  const ended = await record.ended;
  const tookS = (performance.now() - startedAt) / 1000;
  for (const name of readdirSync(folder)) {
    const seconds = statSync(join(folder, name)).size / 48_000;
    t.ok(seconds <= tookS * 1.001 + 10.1, `${name}: ${seconds} s in ${tookS} s`);
  }
  return ended;
}

t.test(
  '65,535 invented speakers take no memory or queues of listen: they are dropped and counted',
  async (t) => {
    const { url, taken } = await floodingRelay(t, welcome(), () => inventedSpeakers(65_536));
    const listen = startCli(t, ['listen', url, '-l', 'den', '--pcm'], { output: 'leave' });
    listen.child.stdout.resume();
    await taken;
    const megabytes = peakMegabytes(listen.pid);
    listen.signal('SIGINT');
    const { code, stderr } = await listen.ended;
    t.equal(code, 0);
    t.match(stderr, /Dropped: .*\b64535 voice frames \(unknown slot\)/);
    t.match(stderr, /\b64535 participants \(too many\)/);
    t.match(stderr, /\b936 decoders \(too many speakers\)/);
    t.comment(`peak: ${megabytes} MB`);
    if (megabytes !== null) t.ok(megabytes < 400, `${megabytes} MB at most`);
  },
);

t.test('endless messages print some hundred lines, and the others are counted', async (t) => {
  const failed = JSON.stringify({ type: 'failed', request: 'rename', code: 'x', message: 'y'.repeat(4000) });
  const { url, taken } = await floodingRelay(t, welcome(kim('Kim')), function* () {
    for (let at = 0; at < 2000; at += 1) {
      yield failed;
      yield JSON.stringify({ type: 'speaking', slot: 1, speaking: at % 2 === 0 });
      yield JSON.stringify({ type: 'draining', withinMs: 1, goTo: `wss://${at}.example` });
    }
  });
  const listen = startCli(t, ['listen', url, '-l', 'den', '--guest']);
  await taken;
  listen.signal('SIGINT');
  const { stderr } = await listen.ended;
  t.match(stderr, /Dropped: .*\d+ lines \(too many\)/);
  t.ok(stderr.length < 4_000_000, `${stderr.length} characters`);
  const longest = Math.max(...stderr.split('\n').map((line) => line.length));
  t.ok(longest < 700, `${longest} characters in the longest line`);
});

t.test('a relay time that jumps by a day makes no file longer than the recording took', async (t) => {
  const { url, taken } = await floodingRelay(t, welcome(kim('Kim'), kim('Ben', 2)), function* () {
    for (let at = 0; at < 40; at += 1) {
      const relayTimeMs = at % 2 === 0 ? DAY_MS : 20 * at;
      yield stampedFrame(1 + ((at % 4) >> 1), at, relayTimeMs, TWO_GROUPS_OF_DTX, 480 * at);
    }
  });
  const { code, stderr } = await recordFlood(t, url, taken);
  t.equal(code, 0);
  t.match(stderr, /Dropped: .*\d+ relay times \(ahead of real time\)/);
});

t.test('small packets with seconds of sound do not make a track grow faster than real time', async (t) => {
  const { url, taken } = await floodingRelay(t, welcome(kim('Kim')), function* () {
    for (let at = 0; at < 20_000; at += 1) {
      // A sequence that jumps each time has ten frames made up for it.
      yield stampedFrame(1, (at * 1000) & 0xffff, 20 * at, LONG_SILENCE, 72_000 * at);
    }
  });
  const { code, stderr } = await recordFlood(t, url, taken);
  t.equal(code, 0, stderr);
  t.match(stderr, /voice frames \(ahead of real time\)/);
  t.match(stderr, /voice frames \(more sound than real time\)/);
});
