/** `hotmic record` with a relay and talkers, each in its own process: what is on the disk, however it ends. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { readWav, WAV_HEADER_BYTES } from '../../voice/wav.js';
import { runCli, startCli, startRelayCli, untilSeen } from '../kit/cli.js';
import { loudSeconds, toneWav } from '../kit/tone.js';

/** The samples of a WAV whose header tells of no more than there is. */
function samplesOf(path: string): Int16Array {
  const bytes = readFileSync(path);
  if (bytes.readUInt32LE(4) + 8 > bytes.length) throw new Error(`${path}: the header tells of more`);
  if (bytes.readUInt32LE(40) !== bytes.readUInt32LE(4) - 36) throw new Error(`${path}: sizes disagree`);
  const wav = readWav(bytes);
  if (wav.kind === 'malformed') throw new Error(`${path}: ${wav.reason}`);
  return wav.samplesInt16();
}

/** Until a track on the disk holds `seconds` of sound; its path. */
function untilRecorded(folder: string, seconds: number): Promise<string> {
  return untilSeen(() => {
    const name = readdirSync(folder).find((file) => file.endsWith('.wav'));
    const path = name === undefined ? null : join(folder, name);
    if (path === null || statSync(path).size <= WAV_HEADER_BYTES) return null;
    return loudSeconds(samplesOf(path)) >= seconds ? path : null;
  });
}

t.test('relay, record and talk: the track and the mix contain what was said', async (t) => {
  const folder = t.testdir();
  const out = join(folder, 'out');
  const said = join(folder, 'said.wav');
  writeFileSync(said, toneWav(1.5, 440, 44_100));
  const { relay, url } = await startRelayCli(t);
  const record = startCli(t, ['record', url, '--lobby', 'den', '--out', out]);
  await record.printed('stderr', /^In lobby den as recorder \(slot 0\), 0 others/);

  const talk = await runCli(t, ['talk', url, '-l', 'den', '--name', 'Ada', '--wav', said]);
  t.match(talk, { code: 0, stdout: '' });
  const reported =
    /^In lobby den as Ada \(slot 1\), 1 other\. .*\nSent \d+ voice packets in 1 talkspurt; (\d+) dropped/;
  t.match(talk.stderr, reported);
  // On a machine that is busy: packets of at most 100 ms that waited for more than 500.
  const lateSeconds = 0.1 * Number(reported.exec(talk.stderr)?.[1]);
  await record.printed('stderr', /Ada speaks\n(.*\n)*.*Ada is silent/);
  record.signal('SIGINT');
  const { code, stdout } = await record.ended;
  t.equal(code, 0, 'Ctrl-C is how a recording ends');

  const files = readdirSync(out).sort();
  t.equal(files.length, 2);
  t.match(files[0], /^Ada-\d+\.wav$/);
  t.equal(files[1], 'mix.wav');
  for (const file of files) t.ok(stdout.includes(join(out, file)), `${file} is listed`);
  const [track, mix] = files.map((file) => samplesOf(join(out, file)));
  t.equal(track!.length, mix!.length, 'the mix is as long as the track');
  for (const pcm of [track!, mix!]) {
    const loud = loudSeconds(pcm);
    t.ok(loud > 1.4 - lateSeconds && loud < 1.8, `${loud} s of sound, ${lateSeconds} s late`);
  }

  relay.signal('SIGINT');
  const over = await relay.ended;
  t.equal(over.code, 0);
  t.match(over.stdout, /\nRelay ended: \d+ voice frames published, 0 dropped\.\n$/);
  t.match(
    over.stderr,
    /(?:^|\n)joined den: recorder .*\njoined den: Ada .*\nleft den: Ada .*\nleft den: recorder /,
  );
});

t.test('a recording that ends while three people talk is complete', async (t) => {
  const folder = t.testdir();
  const { url } = await startRelayCli(t);
  const names = ['Ada', 'Ben', 'Cleo'];
  const talks = names.map((name, at) =>
    startCli(t, ['talk', url, '-l', 'den', '-n', name, '--tone', String(300 + 100 * at)]),
  );
  await Promise.all(talks.map((talk) => talk.printed('stderr', /^In lobby/)));
  const { code, stdout, stderr } = await runCli(t, [
    'record',
    url,
    '-l',
    'den',
    '-o',
    folder,
    '--seconds',
    '1',
  ]);
  t.equal(code, 0);
  t.match(stderr, /^In lobby den as recorder /);
  t.notMatch(stderr, /^ +at |Error|ERR_HOTMIC/m, 'not a word of a failure');
  const files = readdirSync(folder).sort();
  t.same(
    files.map((file) => file.replace(/-\d+/, '')),
    ['Ada.wav', 'Ben.wav', 'Cleo.wav', 'mix.wav'],
  );
  for (const file of files) t.ok(stdout.includes(join(folder, file)), `${file} is listed`);
  const tracks = files.map((file) => samplesOf(join(folder, file)));
  const mix = tracks.pop()!;
  t.ok(mix.length >= 24_000, `${mix.length} samples: a second`);
  t.same(
    tracks.map(({ length }) => length),
    names.map(() => mix.length),
    'all are of one length',
  );
  const wrong = mix.findIndex((sample, at) => {
    const sum = tracks.reduce((total, pcm) => total + pcm[at]!, 0);
    return sample !== Math.max(-32_768, Math.min(32_767, sum));
  });
  t.equal(wrong, -1, 'the mix is the sum of the voices, sample by sample');
  for (const pcm of tracks) t.ok(loudSeconds(pcm) > 0.3);
});

t.test('a lobby in which nobody speaks leaves no file and is not a failure', async (t) => {
  const folder = t.testdir();
  const { url } = await startRelayCli(t);
  const { code, stdout } = await runCli(t, ['record', url, '-l', 'den', '-o', folder, '--seconds', '0.2']);
  t.match({ code, stdout }, { code: 0, stdout: 'Nobody spoke.\n' });
  t.same(readdirSync(folder), []);
});

t.test('when the relay is killed, the recording stays and an error is reported', async (t) => {
  const folder = t.testdir();
  const { relay, url } = await startRelayCli(t);
  const record = startCli(t, ['record', url, '-l', 'den', '-o', folder, '--no-reconnect']);
  await record.printed('stderr', /In lobby/);
  const talk = startCli(t, ['talk', url, '-l', 'den', '-n', 'Ada', '--tone', '440', '--no-reconnect']);
  await untilRecorded(folder, 0.4);
  relay.signal('SIGKILL');
  const [recorded, talked] = await Promise.all([record.ended, talk.ended]);
  for (const { code, stderr } of [recorded, talked]) {
    t.equal(code, 1);
    t.match(stderr, /\nhotmic: Connection to the relay broke \(1006\) \[ERR_HOTMIC_CONNECTION_LOST\]\n$/);
  }
  const files = readdirSync(folder);
  t.equal(files.length, 2, 'the track and the mix');
  for (const file of files) t.ok(loudSeconds(samplesOf(join(folder, file))) > 0.35, `${file} holds sound`);
});

t.test('a relay that shuts down is reported as such', async (t) => {
  const folder = t.testdir();
  const { relay, url } = await startRelayCli(t);
  const record = startCli(t, ['record', url, '-l', 'den', '-o', folder, '--no-reconnect']);
  await record.printed('stderr', /In lobby/);
  relay.signal('SIGTERM');
  t.equal((await relay.ended).code, 0);
  const { code, stderr } = await record.ended;
  t.equal(code, 1);
  t.match(stderr, /hotmic: Relay closed the connection \(1001.*\) \[ERR_HOTMIC_CONNECTION_LOST\]\n$/);
});

t.test('SIGHUP, as from a terminal that closes, finishes a recording as Ctrl-C does', async (t) => {
  const folder = t.testdir();
  const { url } = await startRelayCli(t);
  const record = startCli(t, ['record', url, '-l', 'den', '-o', folder]);
  await record.printed('stderr', /In lobby/);
  startCli(t, ['talk', url, '-l', 'den', '-n', 'Ada', '--tone', '440']);
  await untilRecorded(folder, 0.4);
  record.signal('SIGHUP');
  t.match(await record.ended, { code: 0, stdout: /Ada-\d+\.wav .*\n.*mix\.wav / });
  const [track, mix] = readdirSync(folder)
    .sort()
    .map((file) => samplesOf(join(folder, file)));
  t.equal(track!.length, mix!.length, 'the mix was written');
});

t.test('a track whose file was removed is not listed as a file', async (t) => {
  const folder = t.testdir();
  const { url } = await startRelayCli(t);
  const record = startCli(t, ['record', url, '-l', 'den', '-o', folder]);
  await record.printed('stderr', /In lobby/);
  startCli(t, ['talk', url, '-l', 'den', '-n', 'Ada', '--tone', '440']);
  const path = await untilRecorded(folder, 0.4);
  rmSync(path);
  record.signal('SIGINT');
  const { stdout } = await record.ended;
  t.match(stdout, /^Ada: its file was removed$/m);
  t.notOk(stdout.includes(path));
});

t.test('a recorder that is killed leaves a track that plays', async (t) => {
  const folder = t.testdir();
  const { url } = await startRelayCli(t);
  const record = startCli(t, ['record', url, '-l', 'den', '-o', folder, '--no-reconnect']);
  await record.printed('stderr', /In lobby/);
  startCli(t, ['talk', url, '-l', 'den', '-n', 'Ada', '--tone', '440', '--no-reconnect']);
  const path = await untilRecorded(folder, 0.4);
  record.signal('SIGKILL');
  t.equal((await record.ended).signal, 'SIGKILL');
  t.ok(loudSeconds(samplesOf(path)) > 0.35);
});

const mayMount = process.platform === 'linux' && process.getuid?.() === 0;

t.test(
  'a full disk ends a track, which stays playable, and is reported after the recording',
  { skip: mayMount ? false : 'needs root on Linux, to mount a disk of 64 kB' },
  async (t) => {
    // Not in t.testdir(), which would be cleared away before the disk is unmounted.
    const disk = mkdtempSync(join(tmpdir(), 'hotmic-full-'));
    t.teardown(() => rmdirSync(disk));
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk], {
      encoding: 'utf8',
    });
    if (mounted.status !== 0) {
      t.comment(`SKIPPED: cannot mount a disk of 64 kB: ${mounted.stderr ?? mounted.error}`);
      return;
    }
    t.teardown(() => spawnSync('umount', ['-l', disk]));
    const { url } = await startRelayCli(t);
    const record = startCli(t, ['record', url, '-l', 'den', '-o', disk]);
    await record.printed('stderr', /In lobby/);
    startCli(t, ['talk', url, '-l', 'den', '-n', 'Ada', '--tone', '440', '--no-reconnect']);
    await record.printed('stderr', /^Ada: Cannot write .* the disk is full .* \[ERR_HOTMIC_DISK_FULL\]$/m);
    record.signal('SIGINT');
    const { code, stderr } = await record.ended;
    t.equal(code, 1);
    t.match(stderr, /\nhotmic: Cannot [^\n]* \[ERR_HOTMIC_DISK_FULL\]\n$/);
    const track = readdirSync(disk).find((file) => file.startsWith('Ada'));
    const pcm = samplesOf(join(disk, track!));
    t.ok(pcm.length > 20_000 && loudSeconds(pcm) > 0.3, `${pcm.length} samples that play`);
  },
);
