/** A recording survives its recorder. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { readWav } from '../../voice/wav.js';

const CHILD = fileURLToPath(new URL('./wav_writer_child.js', import.meta.url));

t.test('a recorder that is killed leaves a WAV that plays, with all that was flushed', async (t) => {
  const folder = t.testdir();
  for (const flushes of [1, 20, 200]) {
    const path = join(folder, `${flushes}.wav`);
    const child = spawn(process.execPath, [CHILD, path], { stdio: ['pipe', 'pipe', 'inherit'] });
    const exit = once(child, 'exit');
    let flushed = 0;
    let seen = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      flushed = Number(line);
      seen += 1;
      if (seen === flushes) child.kill('SIGKILL');
    }
    t.equal((await exit)[1], 'SIGKILL', `killed after flush ${flushes}`);

    const bytes = readFileSync(path);
    t.ok(bytes.readUInt32LE(4) + 8 <= bytes.length, 'the RIFF size tells of no more than there is');
    t.equal(bytes.readUInt32LE(40), bytes.readUInt32LE(4) - 36, 'and the data size agrees with it');
    const wav = readWav(bytes);
    if (wav.kind === 'malformed') throw new Error(wav.reason);
    t.ok(wav.samples >= flushed, `${wav.samples} samples play, ${flushed} were flushed`);
    const wrong = wav.samplesInt16().findIndex((value, at) => value !== (at << 16) >> 16);
    t.equal(wrong, -1, 'every sample is the one that was recorded');
  }
});
