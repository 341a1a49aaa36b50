/** A PulseAudio of a test's own, with outputs that nobody hears and that can be recorded. It touches no service of the machine. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { untilSeen } from '../cli.js';

const TOOLS = ['pulseaudio', 'pactl', 'parec', 'pacat'];

/** Why there is no PulseAudio here; false where there is. */
export const NO_PULSEAUDIO: string | false =
  TOOLS.some((tool) => spawnSync(tool, ['--version']).status !== 0) &&
  'PulseAudio is not here; `sh test/pulseaudio.sh` says why';

export interface NullSinks {
  /** For every process that is to use it. */
  readonly env: Readonly<Record<string, string>>;
  /** Plays raw PCM, mono s16 at 24 kHz, to an output, to its end. */
  play(sink: string, pcm: Int16Array): Promise<void>;
  /** Records what an output plays, from now on, until `stop`. */
  record(sink: string): { stop(): Promise<Int16Array> };
  /** Runs pactl. */
  control(...args: readonly string[]): string;
}

const FORMAT = ['--raw', '--format=s16le', '--rate=24000', '--channels=1', '--latency-msec=20'];

/** Starts it with outputs of these names; it ends with the test. */
export async function startNullSinks(t: Test, sinks: readonly string[]): Promise<NullSinks> {
  // The path of a socket has at most 107 characters.
  const folder = mkdtempSync(join(tmpdir(), 'hotmic-sound-'));
  const socket = join(folder, 'p');
  const env = {
    HOME: folder,
    XDG_RUNTIME_DIR: folder,
    PULSE_RUNTIME_PATH: join(folder, 'r'),
    PULSE_SERVER: `unix:${socket}`,
  };
  const everything = { ...process.env, ...env };
  const modules = [
    `module-native-protocol-unix auth-anonymous=1 socket=${socket}`,
    ...sinks.map((sink) => `module-null-sink sink_name=${sink} sink_properties=device.description=${sink}`),
  ];
  const args = ['-n', '--daemonize=no', '--exit-idle-time=-1', '--use-pid-file=no', '--log-level=error'];
  const daemon = spawn('pulseaudio', [...args, ...modules.flatMap((module) => ['-L', module])], {
    env: everything,
    stdio: 'ignore',
  });
  const children = new Set<ChildProcess>([daemon]);
  t.teardown(async () => {
    for (const child of children) child.kill('SIGKILL');
    if (daemon.exitCode === null && daemon.signalCode === null) await once(daemon, 'close');
    rmSync(folder, { recursive: true, force: true });
  });
  const control = (...words: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync('pactl', words, { env: everything, encoding: 'utf8' });
    if (status !== 0) throw new Error(`pactl ${words.join(' ')}: ${stderr}`);
    return stdout;
  };
  await untilSeen(() => {
    const { stdout } = spawnSync('pactl', ['list', 'short', 'sinks'], { env: everything, encoding: 'utf8' });
    return sinks.every((sink) => stdout.includes(`\t${sink}\t`)) ? true : null;
  });
  return {
    env,
    control,
    play: async (sink, pcm) => {
      const player = spawn('pacat', ['--playback', ...FORMAT, `--device=${sink}`], {
        env: everything,
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      children.add(player);
      player.stdin.end(Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength));
      const [code] = (await once(player, 'close')) as [number | null];
      children.delete(player);
      if (code !== 0) throw new Error(`pacat ended with ${code}`);
    },
    record: (sink) => {
      const recorder = spawn('parec', ['--record', ...FORMAT, `--device=${sink}.monitor`], {
        env: everything,
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      children.add(recorder);
      const chunks: Buffer[] = [];
      recorder.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
      return {
        stop: async () => {
          recorder.kill('SIGTERM');
          await once(recorder, 'close');
          children.delete(recorder);
          const bytes = Buffer.concat(chunks);
          const even = bytes.subarray(0, bytes.length - (bytes.length % 2));
          return new Int16Array(even.buffer.slice(even.byteOffset, even.byteOffset + even.length));
        },
      };
    },
  };
}
