/** `hotmic talk`: the input is spoken to its end, and the talkspurt is ended however the command ends. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { joinLobby } from '../../../client/lobby/join.js';
import { Receiver } from '../../../client/receiver.js';
import { startRelay } from '../../../relay/index.js';
import { personSteamId } from '../../../voice/steam_id.js';
import { loadCodec } from '../../../wasm/load.js';
import { runCli, startCli, untilSeen } from '../../kit/cli.js';
import { loudSeconds, tonePcm, toneWav } from '../../kit/tone.js';
import { wavBytes } from '../../kit/wav_bytes.js';

loadCodec();

/** A relay, and someone who hears all that is said in the lobby den. */
async function earFor(t: Test) {
  const relay = await startRelay({ dev: true });
  t.teardown(() => relay.close());
  const pcm: number[] = [];
  const flags: string[] = [];
  let sayLeft: (value?: unknown) => void = () => undefined;
  let saySpoke: (value?: unknown) => void = () => undefined;
  const left = new Promise((resolve) => {
    sayLeft = resolve;
  });
  const spoke = new Promise((resolve) => {
    saySpoke = resolve;
  });
  const receiver = new Receiver({
    onDecoded: (voice) => {
      pcm.push(...voice.pcm);
      flags.push(voice.marker ? 'M' : voice.terminator ? 'T' : '-');
      if (flags.length > 10) saySpoke();
    },
  });
  const lobby = await joinLobby({
    url: relay.url,
    lobby: 'den',
    steamId: personSteamId(1),
    name: 'ear',
    events: { onVoice: (_, header, packet) => receiver.take(header, packet), onLeft: () => sayLeft() },
  });
  t.teardown(() => lobby.leave());
  return { url: relay.url, pcm: () => Int16Array.from(pcm), flags: () => flags.join(''), left, spoke };
}

t.test('a WAV is spoken to its end, as one talkspurt', async (t) => {
  const wav = join(t.testdir(), 'said.wav');
  writeFileSync(wav, toneWav(1, 300, 48_000));
  const { url, pcm, flags, left } = await earFor(t);
  const { code } = await runCli(t, ['talk', url, '-l', 'den', '--wav', wav]);
  t.equal(code, 0);
  await left;
  t.match(flags(), /^M-+T$/);
  const loud = loudSeconds(pcm());
  t.ok(loud > 0.95 && loud < 1.1, `${loud} s of sound`);
});

t.test('a WAV from standard input is spoken to its end, and only its chosen channel', async (t) => {
  // The left channel has a tone of 1 s, the right one of 0.4 s and then silence.
  const left = Float64Array.from(tonePcm(1, 300), (sample) => sample / 32_768);
  const right = left.map((sample, at) => (at < 0.4 * 24_000 ? sample : 0));
  const input = wavBytes('pcm16', 24_000, [left, right]);
  for (const [channel, seconds] of [
    ['left', 1],
    ['right', 0.4],
  ] as const) {
    const { url, pcm, flags, left: gone } = await earFor(t);
    const args = ['talk', url, '-l', 'den', '--wav', '-', '--wav-channel', channel];
    const { code, stderr } = await runCli(t, args, { input });
    t.equal(code, 0, stderr);
    await gone;
    t.match(flags(), /^M-+T$/);
    const loud = loudSeconds(pcm());
    t.ok(loud > seconds - 0.05 && loud < seconds + 0.1, `${loud} s of sound`);
  }
});

t.test('after the key is released, speech continues for --hangover', async (t) => {
  const { url, pcm, left } = await earFor(t);
  const args = ['talk', url, '-l', 'den', '--tone', '440', '--seconds', '0.5', '--hangover', '2000'];
  const { code } = await runCli(t, args);
  t.equal(code, 0);
  await left;
  const loud = loudSeconds(pcm());
  // The tone swells from silence, and a busy machine holds the key down for longer. Without the option it is 0.7 s.
  t.ok(loud > 1.5, `${loud} s of sound`);
  t.match(await runCli(t, [...args, '--steam', '480']), {
    code: 2,
    stderr: /--hangover.*--steam|--steam.*--hangover|--tone/,
  });
});

t.test('Ctrl-C ends the talkspurt cleanly, and exits with 0', async (t) => {
  const { url, flags, left, spoke } = await earFor(t);
  const talk = startCli(t, ['talk', url, '-l', 'den', '--tone', '440']);
  await spoke;
  talk.signal('SIGINT');
  const { code, stderr } = await talk.ended;
  t.equal(code, 0);
  t.match(stderr, /\nSent \d+ voice packets in 1 talkspurt; 0 dropped as too late\.\n$/);
  await left;
  t.match(flags(), /^M-+T$/, 'the last frame is a terminator');
});

t.test('--seconds releases the key', async (t) => {
  const { url, pcm, left } = await earFor(t);
  t.equal((await runCli(t, ['talk', url, '-l', 'den', '--tone', '440', '--seconds', '0.6'])).code, 0);
  await left;
  const seconds = pcm().length / 24_000;
  // With the tail it is 0.8 s; a busy machine leaves sound out, or is late to release the key.
  t.ok(seconds > 0.3 && seconds < 10, `${seconds} s, the tail included`);
});

t.test('PCM from standard input is spoken to its end, and then the command ends', async (t) => {
  for (const rate of [24_000, 16_000]) {
    const { url, pcm, flags, left } = await earFor(t);
    const input = Buffer.from(tonePcm(1, 440, rate).buffer);
    const args = ['talk', url, '-l', 'den', '--pcm', '-', '--rate', String(rate)];
    const { code, stderr } = await runCli(t, args, { input });
    t.equal(code, 0, stderr);
    await left;
    t.match(flags(), /^M-+T$/);
    const loud = loudSeconds(pcm());
    t.ok(loud > 0.95 && loud < 1.1, `${loud} s of sound at ${rate} Hz`);
  }
});

t.test('voice activation sends what is loud enough, and says when it is live', async (t) => {
  const { url } = await earFor(t);
  const talk = (...args: readonly string[]) =>
    runCli(t, ['talk', url, '-l', 'den', '--tone', '440', '--seconds', '1.5', ...args]);
  const loud = await talk('--voice-activation', '-60');
  t.match(loud, { code: 0, stderr: /The microphone is live\n(?:.*\n)*Sent [1-9]\d* voice packets/ });
  // The tone is at -13 dBFS.
  const quiet = await talk('--voice-activation', '-1');
  t.match(quiet, { code: 0, stderr: /Sent 0 voice packets in 0 talkspurts/ });
  t.notMatch(quiet.stderr, /is live/);
  t.match(await talk('--voice-activation', '--muted'), {
    code: 0,
    stderr: /The microphone is muted\n(?:.*\n)*Sent 0 voice packets/,
  });
  t.match(await talk('--voice-activation', '--push-to-talk'), { code: 2, stderr: /cannot be used/ });
});

t.test('a refused player sees the reason', async (t) => {
  const { url } = await earFor(t);
  const steamId = String(personSteamId(1));
  const { code, stderr } = await runCli(t, [
    'talk',
    url,
    '-l',
    'den',
    '--tone',
    '440',
    '--steam-id',
    steamId,
  ]);
  t.equal(code, 1);
  t.match(stderr, /^hotmic: Relay refused \(steam-id-in-use\): [^\n]+ \[ERR_HOTMIC_REFUSED\]\n$/);
});

t.test('SIGHUP, as from a closing terminal, ends the talkspurt cleanly', async (t) => {
  const { url, flags, left, spoke } = await earFor(t);
  const talk = startCli(t, ['talk', url, '-l', 'den', '--tone', '440']);
  await spoke;
  talk.signal('SIGHUP');
  t.equal((await talk.ended).code, 0);
  await left;
  t.match(flags(), /^M-+T$/);
});

const noProc = existsSync('/proc/self/stat') ? false : 'there is no /proc to see that a process is stopped';

t.test(
  'Ctrl-Z without push-to-talk ends the talkspurt, and continuing begins another',
  { skip: noProc },
  async (t) => {
    const { url, flags, left, spoke } = await earFor(t);
    const talk = startCli(t, ['talk', url, '-l', 'den', '--tone', '440']);
    await spoke;
    talk.signal('SIGTSTP');
    await untilSeen(() => (/\) T /.test(readFileSync(`/proc/${talk.pid}/stat`, 'utf8')) ? true : null));
    talk.signal('SIGCONT');
    await untilSeen(() => (/TM-{5}/.test(flags()) ? true : null));
    talk.signal('SIGINT');
    t.equal((await talk.ended).code, 0);
    await left;
    t.match(flags(), /^M-+TM-+T$/);
  },
);
