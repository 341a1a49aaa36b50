/** File names from hostile participants. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { claimFileName, foldedName, trackFileName } from '../../record/track_name.js';
import { SEED } from '../kit/random.js';

const ID = 76561197960287930n;

t.test('hostile names become harmless ones, and harmless ones stay', async (t) => {
  const table: [name: string, safe: string][] = [
    ['Gabe', 'Gabe'],
    ['Zoë Ångström', 'Zoë_Ångström'],
    ['日本語', '日本語'],
    ['हिन्दी', 'हिन्दी'],
    ['../../etc/passwd', 'etc_passwd'],
    ['..\\..\\x', 'x'],
    ['／etc／x', 'etc_x'],
    ['CON', 'CON'],
    ['nul.txt', 'nul_txt'],
    ['a\0b', 'a_b'],
    ['line\nbreak\r\t', 'line_break'],
    ['\u202egpj.exe', 'gpj_exe'],
    ['a\u200b\u200d\ufeffb', 'a_b'],
    ['a:b*c?"<d>|', 'a_b_c_d'],
    ['-rf', 'rf'],
    ['.hidden', 'hidden'],
    ['   ', 'participant'],
    ['', 'participant'],
    ['🎤🎤', 'participant'],
    ['\ud800', 'participant'],
    ['\u0301\u0301a', 'a'],
    ['x'.repeat(100_000), 'x'.repeat(40)],
    ['𠀋'.repeat(100), '𠀋'.repeat(40)],
  ];
  for (const [name, safe] of table) {
    t.equal(trackFileName(name, ID), `${safe}-${ID}.wav`, JSON.stringify(name.slice(0, 30)));
  }
});

t.test('whatever the name, the file is a short one in its folder', async (t) => {
  t.comment(`seed ${SEED}`);
  const folder = t.testdir();
  const name = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.string({
      unit: fc.constantFrom('.', '/', '\\', '\0', 'ﷺ', '\u0301', '\u202e', 'A', '_'),
      maxLength: 300,
    }),
  );
  const holds = fc.property(name, fc.bigInt(0n, 2n ** 64n - 1n), (name, steamId) => {
    const fileName = trackFileName(name, steamId);
    writeFileSync(join(folder, fileName), '', { flag: 'w' });
    return (
      /^[\p{L}\p{N}][\p{L}\p{M}\p{N}_]*-\d+\.wav$/u.test(fileName) &&
      Buffer.byteLength(fileName) <= 200 &&
      fileName.endsWith(`-${steamId}.wav`)
    );
  });
  fc.assert(holds, { seed: SEED, numRuns: 200 });
});

t.test('a name that is taken gets a number, whatever its case and composition', async (t) => {
  const taken = new Set(['mix.wav', 'É.wav'].map(foldedName));
  t.equal(claimFileName('mix.wav', taken), 'mix-2.wav');
  t.equal(claimFileName('MIX.wav', taken), 'MIX-3.wav');
  t.equal(claimFileName('e\u0301.wav', taken), 'e\u0301-2.wav');
  t.equal(claimFileName('free.wav', taken), 'free.wav');
});
