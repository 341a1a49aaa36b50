/** Voice activation: what is sent, by loudness. */

import t from 'tap';
import { VoiceGate } from '../../../client/talking/voice_gate.js';

const FRAME_MS = 20;

/** Feeds frames of 20 ms of these loudnesses, and returns the numbers of those that are sent, in order. */
function sentOf(gate: VoiceGate, loudnesses: readonly number[]): number[] {
  const bytes = Uint8Array.of(0);
  return loudnesses.flatMap((loudness, at) => {
    // The ring uses the same memory again.
    bytes[0] = at;
    const due = gate.push({ bytes, capturedAt: at * FRAME_MS, tag: 1 }, loudness);
    return due.map((packet) => packet.bytes[0]!);
  });
}

const frames = (count: number, loudness: number) => new Array<number>(count).fill(loudness);
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at);

t.test('silence is not sent, and a word is sent with its pre-roll and its hold', async (t) => {
  const gate = new VoiceGate({ thresholdDb: -40, holdMs: 100, prerollMs: 60 });
  const sent = sentOf(gate, [...frames(10, -70), ...frames(5, -20), ...frames(10, -70)]);
  t.same(sent, range(7, 20), '60 ms before, the word, 100 ms after');
  t.equal(gate.isOpen, false);
});

t.test('a pause shorter than the hold does not close it, and each frame is sent once', async (t) => {
  const gate = new VoiceGate({ holdMs: 200, prerollMs: 100 });
  const sent = sentOf(gate, [-20, ...frames(8, -70), -20, ...frames(20, -70), -20]);
  t.same(sent, [...range(0, 20), ...range(25, 31)]);
});

t.test('without pre-roll it begins with the loud packet, at the threshold or above', async (t) => {
  const gate = new VoiceGate({ thresholdDb: -40, holdMs: 0, prerollMs: 0 });
  t.same(sentOf(gate, [-40.1, -40, -39, -90]), [1, 2]);
});

t.test('what waits is bounded, and forgotten by reset', async (t) => {
  const gate = new VoiceGate({ prerollMs: 400 });
  const at = (capturedAt: number) => ({ bytes: Uint8Array.of(1), capturedAt, tag: 1 });
  for (let packet = 0; packet < 1000; packet += 1) gate.push(at(packet * 0.1), -90);
  t.ok(gate.push(at(100), -10).length <= 65);
  gate.push(at(1000), -90);
  gate.reset();
  t.equal(gate.isOpen, false);
  t.equal(gate.push(at(1001), -10).length, 1);
});

t.test('an option out of its range is refused', async (t) => {
  t.throws(() => new VoiceGate({ thresholdDb: 1 }), { message: /thresholdDb is 1, expected -90 to 0/ });
  t.throws(() => new VoiceGate({ holdMs: -1 }), RangeError);
  t.throws(() => new VoiceGate({ prerollMs: 401 }), RangeError);
});
