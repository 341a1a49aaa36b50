/** The main job, as a new user runs it: `hotmic demo`, its table, its files, and whether they are what was said. */

import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { DEMO_PARTS } from '../../cli/demo.js';
import { rehearse } from '../../cli/rehearsal.js';
import { compareSpeech, pcmOfWav } from '../kit/speech.js';

/** Two sentences a file, 3.5 s each. */
const SENTENCE = 84_000;

async function run(
  args: readonly string[],
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, ['dist/cli/main.js', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, stdout, stderr };
}

t.test('the demo plays, records, and ends with its table', async (t) => {
  const folder = t.testdir();
  const { code, stdout, stderr } = await run(['demo', '--out', folder]);
  t.equal(code, 0, stderr);

  for (const { name } of DEMO_PARTS) {
    t.match(stdout, new RegExp(`${name} speaks`), `a person sees ${name} speak`);
    const row = new RegExp(`^${name} +(\\d+) +(\\d+) +(\\d+) +(\\d+) +(\\d+)$`, 'm').exec(stdout);
    const [captured, relayed, decoded, lost, concealed] = (row ?? []).slice(1).map(Number);
    t.ok((captured ?? 0) > 20, `${captured} packets of ${name} were captured`);
    t.same([relayed, decoded, lost, concealed], [captured, captured, 0, 0], `none of ${name}'s got lost`);
    t.match(stdout, new RegExp(`^${name} +(\\d[\\d.]*/\\d[\\d.]* *){5}$`, 'm'), `five latencies of ${name}`);
  }

  const files = readdirSync(folder).sort();
  t.equal(files.length, 4, files.join(' '));
  for (const file of files) t.ok(stdout.includes(join(folder, file)), `the table names ${file}`);
  const tracks = files.map((file) => ({ file, pcm: pcmOfWav(join(folder, file)) }));
  const lengths = new Set(tracks.map(({ pcm }) => pcm.length));
  t.equal(lengths.size, 1, 'all are of one length');

  for (const { name } of DEMO_PARTS) {
    const heard = tracks.find(({ file }) => file.startsWith(name))!.pcm;
    const said = pcmOfWav(`examples/speech/${name.toLowerCase()}.wav`);
    const places: number[] = [];
    for (const at of [0, SENTENCE]) {
      const comparison = compareSpeech(said.subarray(at, at + SENTENCE), heard);
      t.equal(comparison.verdict, 'same', `${name}: ${JSON.stringify(comparison)}`);
      places.push(comparison.lag);
    }
    t.ok((places[1] ?? 0) > (places[0] ?? 0) + SENTENCE, `${name}'s second sentence comes after the first`);
    const other = tracks.find(({ file }) => !file.startsWith(name) && !file.startsWith('mix'))!.pcm;
    t.equal(
      compareSpeech(said.subarray(0, SENTENCE), other).verdict,
      'different',
      `${name} is in no other track`,
    );
  }

  const mix = tracks.find(({ file }) => file.startsWith('mix'))!.pcm;
  const voices = tracks.filter(({ file }) => !file.startsWith('mix')).map(({ pcm }) => pcm);
  const wrong = mix.findIndex((sample, i) => {
    const sum = voices.reduce((total, pcm) => total + pcm[i]!, 0);
    return sample !== Math.max(-32_768, Math.min(32_767, sum));
  });
  t.equal(wrong, -1, 'the mix is the sum of the voices, sample by sample');
});

t.test('every voice crosses the capture worker and its ring', async (t) => {
  const input = { kind: 'tone' } as const;
  const turns = [
    { atMs: 0, holdMs: 300 },
    { atMs: 1500, holdMs: 300 },
  ];
  const { parts } = await rehearse({ parts: [{ name: 'Tone', input, turns }] });
  const [part] = parts;
  t.ok(part && part.captured > 0, 'the worker counted what its Steam gave');
  t.equal(part?.talkspurts, 2);
  t.equal(
    part?.ringEntries,
    (part?.captured ?? 0) + 2,
    'the ring carried each packet, and the end of both talkspurts',
  );
  t.equal(part?.relayed, part?.captured);
  t.equal(part?.decoded, part?.captured);
});
