/**
 * Records a ramp until it is killed, and says after each flush how much is on the file. Not a test: wav_writer_kill.test.ts
 * starts it. Ends by itself when its standard input does, so that it never outlives the test.
 */

import { WavWriter } from '../../record/wav_writer.js';

const FRAME = 480;
const path = process.argv[2] ?? '';

process.stdin.resume();
process.stdin.on('end', () => process.exit(1));

const writer = await WavWriter.create(path, { sampleRateHz: 24_000, batchSamples: 1_000 });
for (let position = 0; ; position += FRAME) {
  writer.writeAt(
    position,
    Int16Array.from({ length: FRAME }, (_, at) => position + at),
  );
  if (position % (7 * FRAME) === 0) {
    await writer.flush();
    process.stdout.write(`${position + FRAME}\n`);
  }
}
