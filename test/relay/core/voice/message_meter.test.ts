/** What a connection may send before it is closed: whatever it is, and whether or not it is dropped. */

import t from 'tap';
import { RELAY_LIMITS } from '../../../../relay/core/limits.js';
import { FLOOD_FACTOR, floodLimits, MessageMeter } from '../../../../relay/core/voice/message_meter.js';
import { SEED, SeededRandom } from '../../../kit/random.js';
import { Bench, bytesOf, frameOf } from '../../kit.js';

t.comment(`seed ${SEED}`);

const LIMITS = Object.fromEntries(
  Object.entries(RELAY_LIMITS).map(([name, { default: fallback }]) => [name, fallback]),
) as Record<keyof typeof RELAY_LIMITS, number>;
/** Messages of a connection that may come at once, and how many a second. */
const { messageBurst: AT_ONCE, messagesPerSecond: PER_SECOND } = floodLimits(LIMITS);

/** How many of these a participant's connection sends until it is refused; at most `most`. */
function sentUntilRefused(send: (bench: Bench) => readonly unknown[], most: number): number {
  const bench = new Bench();
  bench.join(1);
  for (let sent = 1; sent <= most; sent++) {
    const outputs = send(bench) as readonly { kind: string; reason?: string }[];
    if (outputs.some(({ kind, reason }) => kind === 'close' && reason === 'rate-exceeded')) return sent;
  }
  return most;
}

t.test('a connection that floods with anything is closed at several times the rate', async (t) => {
  const floods: [what: string, send: (bench: Bench) => readonly unknown[]][] = [
    ['frames of 7 bytes', (bench) => bench.voice(1, new Uint8Array(7)).outputs],
    ['empty messages', (bench) => bench.voice(1, new Uint8Array(0)).outputs],
    ['good frames', (bench) => bench.voice(1, frameOf(1)).outputs],
    ['pings and pongs', (bench) => bench.relay.handleHeartbeat(1, bench.now)],
  ];
  // The hello was one.
  for (const [what, send] of floods) t.equal(sentUntilRefused(send, 10_000), AT_ONCE, what);
});

t.test('the largest messages close a connection by their bytes', async (t) => {
  const { byteBurst } = floodLimits(LIMITS);
  const long = new Uint8Array(8208);
  const sent = sentUntilRefused((bench) => bench.voice(1, long).outputs, 10_000);
  t.equal(sent, Math.floor(byteBurst / 8208) + 1);
});

t.test('a flood is counted as a drop and as a refusal', async (t) => {
  const bench = new Bench();
  bench.join(1);
  for (let sent = 1; sent < AT_ONCE; sent++) bench.voice(1, new Uint8Array(7));
  const verdict = bench.voice(1, new Uint8Array(7));
  t.match(verdict, { kind: 'drop', reason: 'rate-frames' });
  const { drops, refusals, connections } = bench.relay.counts();
  t.equal(drops['frame-too-short'] + drops['rate-frames'], AT_ONCE, 'each frame is counted once');
  t.equal(drops['frame-too-short'], LIMITS.frameBurst);
  t.equal(refusals['rate-exceeded'], 1);
  t.equal(connections, 0);
  t.match(bench.voice(1, new Uint8Array(7)), { reason: 'not-joined' }, 'nothing behind it is read');
});

t.test(
  'nobody is closed who sends at the allowed rates, with bursts after stalls of up to 32 s',
  async (t) => {
    const random = new SeededRandom(SEED);
    for (let round = 0; round < 20; round++) {
      const meter = new MessageMeter(LIMITS, 0);
      let now = 0;
      let sentAt = 0;
      let exceeded = 0;
      while (now < 600_000) {
        const stall = random.below(10) === 0 ? random.below(32_000) : random.below(100);
        now += stall;
        // All that was spoken during the stall comes at once, at the full allowed rate, along with control messages.
        for (; sentAt <= now; sentAt += 1000 / LIMITS.framesPerSecond) {
          const bytes = LIMITS.bytesPerSecond / LIMITS.framesPerSecond;
          if (meter.charge(bytes, now) !== 'within') exceeded += 1;
          if (random.below(10) === 0 && meter.charge(0, now) !== 'within') exceeded += 1;
        }
      }
      t.equal(exceeded, 0);
    }
  },
);

t.test('a speaker who spoke through a stall of 32 s is heard again afterwards', async (t) => {
  const bench = new Bench();
  bench.join(1);
  bench.now += 32_000;
  let forwarded = 0;
  for (let i = 0; i < 32 * 50; i++) {
    const { kind, outputs } = bench.voice(1, frameOf(1));
    if (kind === 'forward') forwarded += 1;
    t.notOk(outputs.some((output) => output.kind === 'close'));
  }
  t.equal(forwarded, LIMITS.frameBurst);
  bench.now += 20;
  t.equal(bench.voice(1, frameOf(1)).kind, 'forward');
});

t.test('beyond the burst a connection may send several times the rate, and no more', async (t) => {
  const meter = new MessageMeter(LIMITS, 0);
  for (let i = 0; i < AT_ONCE; i++) meter.charge(0, 0);
  t.equal(meter.charge(0, 0), 'rate-frames');
  let now = 0;
  for (let i = 0; i < 10 * PER_SECOND; i++) {
    now += 1000 / (PER_SECOND - 1);
    if (meter.charge(0, now) !== 'within') t.fail(`at ${now}`);
  }
  t.equal(PER_SECOND, FLOOD_FACTOR * (LIMITS.framesPerSecond + LIMITS.controlPerSecond));
});

t.test('control messages are charged before they are read, whatever they contain', async (t) => {
  const bench = new Bench({ controlBurst: 3, controlPerSecond: 1 });
  bench.join(1);
  for (let i = 0; i < 2; i++)
    bench.relay.handle(
      { kind: 'text', connection: 1, bytes: bytesOf('{"type":"rename","name":"a"}'), unixSeconds: 0 },
      bench.now,
    );
  const outputs = bench.relay.handle(
    { kind: 'text', connection: 1, bytes: new Uint8Array(0), unixSeconds: 0 },
    bench.now,
  );
  t.match(outputs, [{ kind: 'tell', message: { type: 'refused', code: 'rate-exceeded' } }]);
});
