/** Ten minutes of sound through the capture worker, and what a reader that stops for a second loses. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { Publisher } from '../../../client/talking/publisher.js';
import { embeddedSteam, startCapture } from '../../../native/capture/capture.js';
import { CaptureTag, captureKind } from '../../../voice/capture_tag.js';
import { type OpusFrame, opusFrames, readPacket } from '../../../voice/packet.js';
import { Board, type ScriptedSteamOptions } from './scripted_steam.js';

/** 50 frames a second for 10 minutes. */
const FRAMES = 600 * 50;
/** What the process may grow by between the first minute of sound and the tenth. */
const MAX_GROWTH_BYTES = 24 * 2 ** 20;

t.test(
  'the capture worker runs for 10 minutes of audio faster than real time with 0 packets lost and no growth in memory',
  async (t) => {
    const steam = embeddedSteam({
      steamId: 0x0110000100000001n,
      input: { kind: 'wav', path: 'examples/speech/ada.wav', loop: true },
      speed: 60,
      encoder: { complexity: 0 },
    });
    const capture = await startCapture({ steam, frameHz: 200 });
    const { ring } = capture;
    const collect = garbageCollector();
    let [packets, frames, warmBytes] = [0, 0, 0];
    let last = -1;

    capture.startVoiceRecording();
    for (let isOver = false; !isOver; ) {
      const entry = ring.read();
      if (entry === null) {
        await ring.waitAsync(1000);
        continue;
      }
      if (captureKind(entry.tag) === CaptureTag.end) {
        isOver = true;
      } else {
        packets += 1;
        for (const { sequence } of framesOf(entry.bytes)) {
          if (sequence !== last + 1) t.fail(`frame ${sequence} follows ${last}`);
          last = sequence;
          frames += 1;
          if (frames === FRAMES) capture.stopVoiceRecording();
        }
      }
      ring.release();
      if (warmBytes === 0 && frames >= FRAMES / 10) {
        collect();
        warmBytes = process.memoryUsage().rss;
      }
    }
    collect();
    const growth = process.memoryUsage().rss - warmBytes;
    const counts = await capture.close();
    t.comment(
      `${frames} frames in ${packets} packets, memory grew by ${Math.round(growth / 1024)} KiB`,
      counts,
    );
    t.ok(frames >= FRAMES, 'ten minutes and the tail');
    t.equal(last, frames - 1, 'every Opus sequence came, once');
    t.equal(counts.packets, packets, 'every packet that Steam gave was read');
    t.equal(counts.tooLarge, 0);
    t.strictSame(ring.counts(), { committed: packets + 1, refused: 0, discarded: 0 });
    t.ok(growth < MAX_GROWTH_BYTES, `${growth} bytes`);
  },
);

t.test(
  'with a consumer that stops for a second: what was dropped is counted, and what follows is fresh',
  async (t) => {
    const board = new Board();
    const options: ScriptedSteamOptions = { board: board.memory, afterwards: 'numbered' };
    const module = new URL('./scripted_steam.js', import.meta.url).href;
    // Small enough that the ring runs full in a second of 500 packets, and that what is inside grows old.
    const capture = await startCapture({ steam: { module, options }, frameHz: 500, ringBytes: 32_768 });
    const maxAgeMs = 300;
    const published: { number: number; ageMs: number }[] = [];
    let discardedUpTo = 0;
    let hasNews = () => {};
    const publisher = new Publisher({
      capture,
      maxAgeMs,
      clock: () => {
        discardedUpTo = Number(process.hrtime.bigint()) / 1e6;
        return discardedUpTo;
      },
      publish: ({ packet, capturedAt }) => {
        published.push({ number: framesOf(packet)[0]!.sequence, ageMs: discardedUpTo - capturedAt });
        hasNews();
      },
    });
    const publishedIs = async (count: number) => {
      while (published.length < count) {
        await new Promise<void>((resolve) => {
          hasNews = resolve;
        });
      }
    };

    publisher.press();
    await publishedIs(100);
    const beforeStall = published.length;
    // The stall itself: this thread does nothing for a second, while the worker goes on.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    await publishedIs(beforeStall + 100);
    await publisher.release();
    await capture.close();
    await publisher.finished();

    const given = board.count('given');
    const { refused, discarded, malformed } = publisher.counts();
    t.comment(`${given} given, ${published.length} published, ${refused} refused, ${discarded} discarded`);
    t.ok(refused > 0, 'the ring was full for a while');
    t.ok(discarded > 0, 'and what was inside had grown old');
    t.equal(malformed, 0);
    const numbers = published.map(({ number }) => number);
    const came = new Set(numbers);
    const missing = Array.from({ length: given }, (_, n) => n).filter((n) => !came.has(n));
    t.equal(missing.length, refused + discarded, 'each frame that is missing was counted, once');
    t.equal(published.length + refused + discarded, given);
    t.ok(
      numbers.every((number, n) => n === 0 || number > numbers[n - 1]!),
      'and the others came in order',
    );
    t.ok(
      published.slice(beforeStall).every(({ ageMs }) => ageMs <= maxAgeMs),
      `nothing that was published afterwards is older than ${maxAgeMs} ms`,
    );
    t.strictSame(
      numbers.slice(-20),
      Array.from({ length: 20 }, (_, n) => given - 20 + n),
      'in the end nothing is lost any more',
    );
  },
);

/** The frames of a packet, its CRC checked. */
function framesOf(bytes: Uint8Array): OpusFrame[] {
  const packet = readPacket(bytes);
  if (packet.kind === 'malformed') throw new Error(`${packet.reason}: ${packet.detail}`);
  return opusFrames(packet);
}

/** V8's own, so that memory is measured and not laziness. */
function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
