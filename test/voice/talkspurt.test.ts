/** Numbering of a speaker's packets: first and last of a talkspurt, sequences, the media clock. */

import t from 'tap';
import { packetSamples, readPacket } from '../../voice/packet.js';
import { type NumberedPacket, TalkspurtNumberer, type TalkspurtPhase } from '../../voice/talkspurt.js';
import { END_OF_RECORDING_PACKET, SILENCE_PACKET, TWO_GROUPS_OF_DTX } from '../kit/golden_packets.js';
import { SEED, SeededRandom } from '../kit/random.js';
import { frameOf, opusOp, packetOfOps, RATE_24K, u16Hex } from '../kit/raw_packet.js';

/** Two Steam frames, 40 ms, from this Opus sequence on. */
const speech = (sequence: number, frames = 2) => packetOfOps(RATE_24K + opusOp(dtx(sequence, frames)));

/** The packet that ends a recording: frames and the end marker behind them. */
const ending = (sequence: number, frames = 2) =>
  packetOfOps(`${RATE_24K}${opusOp(`${dtx(sequence, frames)}ffff`)}`);

const dtx = (sequence: number, frames: number) =>
  Array.from({ length: frames }, (_, step) => frameOf((sequence + step) & 0xffff, '68')).join('');

t.test('the first packet of a talkspurt is the marker, the others are not', async (t) => {
  const numberer = new TalkspurtNumberer(0);
  const out = [0, 2, 4].flatMap((sequence) => numberer.push(speech(sequence), 40 + sequence * 20, 'talking'));
  t.strictSame(
    out.map(({ marker, terminator }) => [marker, terminator]),
    [
      [true, false],
      [false, false],
      [false, false],
    ],
  );
});

t.test('while the key is down nothing is held back', async (t) => {
  const numberer = new TalkspurtNumberer(0);
  const packet = speech(0);
  const out = numberer.push(packet, 40, 'talking');
  t.equal(out.length, 1);
  t.equal(out[0]?.packet, packet, 'the very bytes of the caller');
  t.equal(out[0]?.capturedAt, 40);
  t.strictSame(numberer.end(), [], 'so nothing is left at the end');
});

t.test('after key-up a packet with frames and no end marker goes out at once', async (t) => {
  const numberer = new TalkspurtNumberer(0);
  numberer.push(speech(0), 40, 'talking');
  const packet = speech(2);
  const out = numberer.push(packet, 80, 'draining');
  t.match(out, [{ sequence: 1, terminator: false, marker: false, capturedAt: 80 }]);
  t.equal(out[0]?.packet, packet, 'the very bytes of the caller');
  t.strictSame(numberer.end(), [], 'so nothing is left at the end');
});

t.test('after key-up a packet that may be the last waits to know whether it is', async (t) => {
  const table: [name: string, packet: Uint8Array][] = [
    ['the end marker behind frames', ending(2)],
    ['the end marker in front of frames', packetOfOps(`${RATE_24K}${opusOp(`ffff${dtx(0, 2)}`)}`)],
    ['the end marker in the first of two groups', packetOfOps((RATE_24K + opusOp('ffff')).repeat(2))],
    ['the end marker alone', packetOfOps(RATE_24K + opusOp('ffff'))],
    ['silence', SILENCE_PACKET],
    ['nothing to hear', packetOfOps(RATE_24K)],
  ];
  for (const [name, packet] of table) {
    const numberer = new TalkspurtNumberer(0);
    numberer.push(speech(0), 40, 'talking');
    t.strictSame(numberer.push(packet, 80, 'draining'), [], `${name} is held back`);
    t.match(
      numberer.end(),
      [{ sequence: 1, terminator: true, marker: false, capturedAt: 80, packet }],
      `${name} is the terminator`,
    );
    t.strictSame(numberer.end(), [], 'and only once');
  }
});

t.test('a real ending goes out as it comes, and its silence packet is the terminator', async (t) => {
  const numberer = new TalkspurtNumberer(0);
  numberer.push(speech(128), 40, 'talking');
  t.match(numberer.push(TWO_GROUPS_OF_DTX, 120, 'draining'), [{ sequence: 1, terminator: false }]);
  t.strictSame(numberer.push(END_OF_RECORDING_PACKET, 240, 'draining'), []);
  t.match(numberer.push(SILENCE_PACKET, 241, 'draining'), [
    { sequence: 2, terminator: false, capturedAt: 240, packet: END_OF_RECORDING_PACKET },
  ]);
  t.match(numberer.end(), [{ sequence: 3, terminator: true, capturedAt: 241, packet: SILENCE_PACKET }]);
});

t.test('while the key is down a packet that may be the last is not held back', async (t) => {
  const numberer = new TalkspurtNumberer(0);
  t.equal(numberer.push(SILENCE_PACKET, 40, 'talking').length, 1);
  t.equal(numberer.push(ending(0), 80, 'talking').length, 1);
});

t.test('a Steam that sends neither marker nor silence ends a talkspurt without a terminator', async (t) => {
  const numberer = new TalkspurtNumberer(0);
  numberer.push(speech(0), 40, 'talking');
  numberer.push(speech(2), 80, 'draining');
  t.strictSame(numberer.end(), []);
  t.match(numberer.push(speech(0), 1000, 'talking'), [{ sequence: 2, marker: true }]);
});

t.test('a talkspurt of one packet is marker and terminator in one', async (t) => {
  const numberer = new TalkspurtNumberer(0);
  t.strictSame(numberer.push(ending(0), 40, 'draining'), []);
  t.match(numberer.end(), [{ marker: true, terminator: true, sequence: 0 }]);
});

t.test('a key pressed again during the tail goes on with the talkspurt', async (t) => {
  const numberer = new TalkspurtNumberer(0);
  numberer.push(speech(0), 40, 'talking');
  numberer.push(ending(2), 80, 'draining');
  const out = numberer.push(speech(0), 120, 'talking');
  t.strictSame(
    out.map(({ sequence, marker, terminator }) => [sequence, marker, terminator]),
    [
      [1, false, false],
      [2, false, false],
    ],
    'the one held back first, then the new one at once',
  );
});

t.test('what is held back is a copy, of a Buffer too', async (t) => {
  for (const memory of [ending(0), Buffer.from(ending(0))]) {
    const numberer = new TalkspurtNumberer(0);
    numberer.push(memory, 40, 'draining');
    memory.fill(0xee);
    const [held] = numberer.end();
    t.strictSame(held?.packet, ending(0));
  }
});

t.test('the end with nothing pushed is nothing', async (t) => {
  const numberer = new TalkspurtNumberer(0);
  t.strictSame(numberer.end(), []);
  t.match(numberer.push(speech(0), 40, 'talking'), [{ sequence: 0, marker: true }]);
});

t.test('after the end the next packet is a marker again, and the sequence runs on', async (t) => {
  const numberer = new TalkspurtNumberer(0);
  numberer.push(speech(0), 40, 'talking');
  numberer.end();
  t.match(numberer.push(speech(0), 1000, 'talking'), [{ sequence: 1, marker: true }]);
});

t.test('the sequence wraps at 65535', async (t) => {
  const numberer = new TalkspurtNumberer(0);
  let last = -1;
  for (let sent = 0; sent < 65536; sent += 1) {
    last = numberer.push(speech(sent & 0xffff, 1), 20 * (sent + 1), 'talking')[0]!.sequence;
    if (last !== sent) throw new Error(`packet ${sent} has sequence ${last}`);
  }
  t.equal(last, 65535);
  t.match(numberer.push(speech(0, 1), 20 * 65537, 'talking'), [{ sequence: 0, marker: false }]);
});

t.test('the media clock is 0 at the origin, and a packet ends when it was captured', async (t) => {
  // 1000 ms after the origin, less 40 ms of sound: 960 ms, 24 samples each.
  t.match(new TalkspurtNumberer(5000).push(speech(0), 6000, 'talking'), [{ timestamp: 960 * 24 }]);
});

t.test('the media clock never starts before its origin', async (t) => {
  t.match(new TalkspurtNumberer(5000).push(speech(0, 8), 5010, 'talking'), [{ timestamp: 0 }]);
});

t.test('inside a talkspurt the timestamp counts samples and not arrivals', async (t) => {
  const numberer = new TalkspurtNumberer(0);
  const table: [frames: number, sequence: number, capturedAt: number][] = [
    [8, 0, 160],
    [1, 8, 163],
    [2, 9, 240],
    [1, 11, 241],
  ];
  const stamps = table.map(
    ([frames, sequence, capturedAt]) =>
      numberer.push(speech(sequence, frames), capturedAt, 'talking')[0]!.timestamp,
  );
  t.strictSame(stamps, [0, 8 * 480, 9 * 480, 11 * 480]);
});

t.test('the timestamp runs on through a pause between talkspurts', async (t) => {
  const numberer = new TalkspurtNumberer(0);
  numberer.push(speech(0), 40, 'talking');
  numberer.end();
  t.match(numberer.push(speech(0), 10_040, 'talking'), [{ timestamp: 10_000 * 24 }]);
});

t.test('a new talkspurt never goes back into what was numbered', async (t) => {
  const numberer = new TalkspurtNumberer(0);
  numberer.push(speech(0, 50), 1000, 'talking');
  numberer.end();
  // Captured 10 ms later with 40 ms inside: by the clock it would begin 30 ms too early.
  t.match(numberer.push(speech(0), 1010, 'talking'), [{ timestamp: 1000 * 24 }]);
});

t.test('a count of silence takes its time, at its own rate', async (t) => {
  const numberer = new TalkspurtNumberer(0);
  numberer.push(speech(0), 40, 'talking');
  t.match(numberer.push(SILENCE_PACKET, 80, 'talking'), [{ timestamp: 960, sequence: 1 }]);
  t.match(numberer.push(packetOfOps(`0b${u16Hex(48000)}00${u16Hex(1000)}`), 90, 'talking'), [
    { timestamp: 960 + 750 },
  ]);
  t.match(numberer.push(speech(2), 120, 'talking'), [{ timestamp: 960 + 750 + 500 }], 'and no Opus sequence');
});

t.test('packets lost before they came here take their time', async (t) => {
  const numberer = new TalkspurtNumberer(0);
  numberer.push(speech(0), 40, 'talking');
  const out = numberer.push(speech(7), 180, 'talking');
  t.match(out, [{ timestamp: (2 + 5) * 480, sequence: 1 }], 'five frames are missing');
  t.match(numberer.push(speech(9), 220, 'talking'), [{ timestamp: 9 * 480, sequence: 2 }]);
});

t.test('Opus sequences that wrap leave no gap', async (t) => {
  const numberer = new TalkspurtNumberer(0);
  numberer.push(speech(65532, 2), 40, 'talking');
  t.match(numberer.push(speech(65534, 2), 80, 'talking'), [{ timestamp: 960 }]);
  t.match(numberer.push(speech(0, 2), 120, 'talking'), [{ timestamp: 1920 }]);
  t.match(numberer.push(speech(3, 2), 180, 'talking'), [{ timestamp: 2880 + 480 }], 'one is missing');
});

t.test('a gap over the wrap takes its time', async (t) => {
  const numberer = new TalkspurtNumberer(0);
  numberer.push(speech(65532, 2), 40, 'talking');
  t.match(numberer.push(speech(1, 1), 120, 'talking'), [{ timestamp: 960 + 3 * 480 }]);
});

t.test('a recording that starts again inside a talkspurt leaves no gap', async (t) => {
  const numberer = new TalkspurtNumberer(0);
  numberer.push(speech(100), 40, 'talking');
  t.match(numberer.push(speech(0), 80, 'talking'), [{ timestamp: 960 }]);
});

t.test('behind an end-of-recording marker the Opus sequence expected is 0', async (t) => {
  for (const last of [3, 40_000, 65_535]) {
    const numberer = new TalkspurtNumberer(0);
    numberer.push(speech(last, 1), 20, 'talking');
    numberer.push(ending(last + 1, 1), 40, 'draining');
    numberer.push(SILENCE_PACKET, 60, 'draining');
    const timestampOf = (packet: Uint8Array) => numberer.push(packet, 100, 'talking').at(-1)?.timestamp;
    t.equal(timestampOf(speech(0, 1)), 960 + 750, `a recording of ${last} frames is followed by a new one`);
    t.equal(timestampOf(packetOfOps(RATE_24K + opusOp('ffff'))), 960 + 750 + 480);
    t.equal(timestampOf(speech(2, 1)), 960 + 750 + 480 + 960, 'a first frame that is not 0 is a gap');
  }
});

t.test('behind a marker inside a packet the Opus sequence expected is 0', async (t) => {
  const numberer = new TalkspurtNumberer(0);
  numberer.push(speech(0), 40, 'talking');
  numberer.push(packetOfOps(RATE_24K + opusOp(`${dtx(2, 1)}ffff${dtx(0, 1)}`)), 80, 'talking');
  t.match(numberer.push(speech(1), 120, 'talking'), [{ timestamp: 4 * 480 }]);
});

t.test('a gap inside a packet takes its time too', async (t) => {
  const numberer = new TalkspurtNumberer(0);
  numberer.push(speech(0), 40, 'talking');
  t.match(numberer.push(packetOfOps(RATE_24K + opusOp(dtx(2, 1) + dtx(8, 1))), 180, 'talking'), [
    { timestamp: 2 * 480 },
  ]);
  t.match(numberer.push(speech(9), 220, 'talking'), [{ timestamp: 9 * 480 }], 'nine frames have been spoken');
});

t.test(
  'a gap inside the first packet of a talkspurt takes its time, one in front of it does not',
  async (t) => {
    const numberer = new TalkspurtNumberer(0);
    const packet = packetOfOps(RATE_24K + opusOp(dtx(50, 1)) + RATE_24K + opusOp(dtx(53, 1)));
    t.match(numberer.push(packet, 40, 'talking'), [{ timestamp: 0 }]);
    t.match(numberer.push(speech(54), 80, 'talking'), [{ timestamp: 4 * 480 }]);
  },
);

t.test('the timestamp is that of the packet’s first sample: behind a gap, at a silence', async (t) => {
  const numberer = new TalkspurtNumberer(0);
  numberer.push(speech(0), 40, 'talking');
  const marked = packetOfOps(RATE_24K + opusOp(`ffff${dtx(3, 1)}`));
  t.match(numberer.push(marked, 80, 'talking'), [{ timestamp: (2 + 3) * 480 }], 'a marker has no samples');
  const silent = packetOfOps(`${RATE_24K}00${u16Hex(240)}${opusOp(dtx(6, 1))}`);
  t.match(numberer.push(silent, 120, 'talking'), [{ timestamp: 6 * 480 }], 'silence stands before the gap');
  t.match(numberer.push(packetOfOps(RATE_24K), 140, 'talking'), [{ timestamp: 6 * 480 + 240 + 3 * 480 }]);
});

t.test('silence in front of the frames of a packet takes its time', async (t) => {
  const numberer = new TalkspurtNumberer(0);
  numberer.push(speech(0), 40, 'talking');
  numberer.push(packetOfOps(`${RATE_24K}00${u16Hex(240)}${opusOp(dtx(2, 1))}`), 80, 'talking');
  t.match(numberer.push(speech(3), 120, 'talking'), [{ timestamp: 960 + 240 + 480 }]);
});

t.test('the timestamp wraps at 2^32', async (t) => {
  const numberer = new TalkspurtNumberer(0);
  const nearWrapMs = Math.ceil(2 ** 32 / 24) - 60;
  numberer.push(speech(0, 1), 2 ** 30 / 24, 'talking');
  numberer.end();
  numberer.push(speech(0, 1), (2 ** 30 * 2) / 24, 'talking');
  numberer.end();
  numberer.push(speech(0, 1), (2 ** 30 * 3) / 24, 'talking');
  numberer.end();
  const [before] = numberer.push(speech(0, 1), nearWrapMs, 'talking');
  t.ok(before!.timestamp > 2 ** 32 - 4000, 'just below');
  numberer.push(speech(1, 8), nearWrapMs + 160, 'talking');
  const [after] = numberer.push(speech(9, 1), nearWrapMs + 180, 'talking');
  t.equal(after!.timestamp, before!.timestamp + 9 * 480 - 2 ** 32);
});

t.test('a malformed packet is counted, not numbered, and disturbs nothing', async (t) => {
  const numberer = new TalkspurtNumberer(0);
  const bad = speech(2).slice();
  bad[10]! ^= 1;
  t.strictSame(numberer.push(bad, 20, 'talking'), []);
  t.equal(numberer.malformed, 1);
  t.match(numberer.push(speech(0), 40, 'talking'), [{ sequence: 0, marker: true }]);
  numberer.push(ending(2), 80, 'draining');
  t.strictSame(numberer.push(new Uint8Array(3), 100, 'draining'), []);
  t.equal(numberer.malformed, 2);
  t.match(numberer.end(), [{ sequence: 1, terminator: true }], 'the one held back is still held back');
});

t.test('over any number of talkspurts marker and terminator come in turns', async (t) => {
  const numberer = new TalkspurtNumberer(0);
  const recording: [packet: Uint8Array, phase: TalkspurtPhase][] = [
    [speech(0), 'talking'],
    [speech(2), 'talking'],
    [ending(4), 'draining'],
    [SILENCE_PACKET, 'draining'],
  ];
  const out = Array.from({ length: 5 }, (_, spurt) => [
    ...recording.flatMap(([packet, phase], step) =>
      numberer.push(packet, spurt * 9000 + step * 40 + 40, phase),
    ),
    ...numberer.end(),
  ]).flat();
  t.strictSame(
    out.map(({ sequence }) => sequence),
    Array.from({ length: 20 }, (_, sequence) => sequence),
  );
  t.strictSame(
    out.flatMap(({ marker, sequence }) => (marker ? [sequence] : [])),
    [0, 4, 8, 12, 16],
  );
  t.strictSame(
    out.flatMap(({ terminator, sequence }) => (terminator ? [sequence] : [])),
    [3, 7, 11, 15, 19],
  );
});

t.test('talkspurts after days of silence are as far apart as the clock says', async (t) => {
  // Half of 2^32 samples are 24.9 h, all of them 49.7 h.
  const table = [
    [26, 27, 28],
    [49, 50, 51],
    [1000, 1001, 1002],
  ];
  for (const hours of table) {
    const numberer = new TalkspurtNumberer(0);
    numberer.push(speech(0), 40, 'talking');
    numberer.end();
    const stamps = hours.map((hour) => {
      const [packet] = numberer.push(speech(0), 40 + hour * 3_600_000, 'talking');
      numberer.end();
      return packet!.timestamp;
    });
    t.strictSame(
      stamps,
      hours.map((hour) => (hour * 3600 * 24_000) % 2 ** 32),
      `after ${hours.join(', ')} hours`,
    );
  }
});

t.test('a talkspurt that is cut ends with a packet of ours without sound, and another begins', async (t) => {
  const numberer = new TalkspurtNumberer(0);
  const first = speech(0);
  numberer.push(first, 40, 'talking');
  const [cut, ...more] = numberer.cut();
  t.strictSame(more, []);
  t.match(cut, { marker: false, terminator: true, sequence: 1, timestamp: 960, capturedAt: 40 });
  const read = readPacket(cut!.packet);
  if (read.kind === 'malformed') throw new Error(read.reason);
  t.equal(packetSamples(read), 0);
  t.same(cut!.packet.subarray(0, 8), first.subarray(0, 8), "the speaker's SteamID");
  t.match(numberer.push(speech(2), 80, 'talking'), [
    { marker: true, terminator: false, sequence: 2, timestamp: 960 },
  ]);
});

t.test('where a packet is held back the cut makes it the terminator', async (t) => {
  const numberer = new TalkspurtNumberer(0);
  numberer.push(speech(0), 40, 'talking');
  const last = ending(2);
  numberer.push(last, 80, 'draining');
  t.match(numberer.cut(), [{ packet: last, terminator: true, sequence: 1 }]);
  t.strictSame(numberer.end(), []);
  t.match(numberer.push(speech(0), 500, 'talking'), [{ marker: true, sequence: 2 }]);
});

t.test('between talkspurts there is nothing to cut', async (t) => {
  const numberer = new TalkspurtNumberer(0);
  t.strictSame(numberer.cut(), []);
  numberer.push(speech(0), 40, 'talking');
  numberer.end();
  t.strictSame(numberer.cut(), []);
  t.equal(numberer.inTalkspurt, false);
});

t.test('however a speaker cuts, talkspurts begin and end, count on, and time never steps back', async (t) => {
  t.comment(`seed ${SEED}`);
  const random = new SeededRandom(SEED);
  const numberer = new TalkspurtNumberer(0);
  const out: NumberedPacket[] = [];
  let opusSequence = 0;
  for (let now = 0; now < 40_000; now += 40) {
    switch (random.below(8)) {
      case 0:
        out.push(...numberer.cut());
        break;
      case 1:
        out.push(...numberer.push(ending(opusSequence), now, 'draining'));
        opusSequence = 0;
        break;
      case 2:
        out.push(...numberer.end());
        break;
      default:
        out.push(...numberer.push(speech(opusSequence), now, 'talking'));
        opusSequence += 2;
    }
  }
  out.push(...numberer.end());
  t.ok(out.length > 500);
  let isOver = true;
  for (const [at, { sequence, timestamp, marker, terminator }] of out.entries()) {
    if (sequence !== at) t.fail(`packet ${at} has sequence ${sequence}`);
    if (isOver && !marker) t.fail(`packet ${at} begins a talkspurt without the marker`);
    if (at > 0 && timestamp < out[at - 1]!.timestamp) t.fail(`packet ${at} steps back`);
    isOver = terminator;
  }
});
