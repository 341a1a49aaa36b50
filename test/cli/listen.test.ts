/** `hotmic listen`: who speaks, on standard error; the mix, on standard output, at the pace of the clock. */

import t from 'tap';
import { startCli, startRelayCli } from '../kit/cli.js';
import { loudSeconds } from '../kit/tone.js';

t.test('--pcm writes the mix, silence included, and standard error shows who speaks', async (t) => {
  const { url } = await startRelayCli(t);
  const listen = startCli(t, ['listen', url, '-l', 'den', '--pcm'], { output: 'leave' });
  const startedAt = performance.now();
  const chunks: Buffer[] = [];
  listen.child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  await listen.printed('stderr', /^In lobby den as listener \(slot 0\)/);
  startCli(t, ['talk', url, '-l', 'den', '-n', 'Ada', '--tone', '440', '--seconds', '3']);
  await listen.printed('stderr', /Ada speaks\n.*Ada is silent\n/);
  listen.signal('SIGINT');
  const { code, stderr } = await listen.ended;
  t.equal(code, 0);
  t.match(stderr, /^ +\d\.\d s {2}Ada speaks\n +\d\.\d s {2}Ada is silent$/m);
  const bytes = Buffer.concat(chunks);
  t.equal(bytes.length % 2, 0);
  const written = bytes.length / 48_000;
  const took = (performance.now() - startedAt) / 1000;
  // A machine that is busy leaves sound out; there is never more of it than time.
  t.ok(written < took, `${written} s of sound in ${took} s`);
  const pcm = new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const loud = loudSeconds(pcm);
  t.ok(loud > 0 && loud < written, `${loud} s of it loud`);
});

t.test('a player that closes the pipe ends it cleanly', async (t) => {
  const { relay, url } = await startRelayCli(t);
  const listen = startCli(t, ['listen', url, '-l', 'den', '--pcm'], { output: 'leave' });
  await new Promise((resolve) => listen.child.stdout.once('data', resolve));
  listen.child.stdout.destroy();
  const { code, signal, stderr } = await listen.ended;
  t.match({ code, signal }, { code: 0, signal: null });
  t.match(stderr, /^In lobby [^\n]*\n$/, 'without a word');
  await relay.printed('stderr', /left den: listener/);
});

t.test('without --pcm it shows who speaks, until Ctrl-C', async (t) => {
  const { url } = await startRelayCli(t);
  const listen = startCli(t, ['listen', url, '-l', 'den']);
  await listen.printed('stderr', /In lobby/);
  const names = ['Ada', 'Ada'];
  const talks = names.map((name) =>
    startCli(t, ['talk', url, '-l', 'den', '-n', name, '--tone', '440', '--seconds', '0.3']),
  );
  await Promise.all(talks.map(({ ended }) => ended));
  await listen.printed('stderr', /is silent\n(?:.*\n)*.*is silent\n/);
  listen.signal('SIGINT');
  const { code, stdout, stderr } = await listen.ended;
  t.match({ code, stdout }, { code: 0, stdout: '' });
  // A machine that is busy can cut a talkspurt in two, and never joins two speakers.
  const speaks = stderr.match(/Ada speaks/g)?.length ?? 0;
  t.ok(speaks >= 2, `two of one name are two: ${speaks}`);
});
