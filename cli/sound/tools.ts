/**
 * The programs that can record and play sound here: how each is called, and how it lists its devices. A pure table; `choose.ts` runs it.
 *
 * Sound is raw PCM, mono, signed 16 bit, little-endian, over a pipe. Each tool is asked for a small buffer, and converts the rate itself.
 */

import type { Milliseconds } from '../../voice/units.js';
import type { Direction, Listing, ToolRun } from './device.js';
import {
  alsaDevices,
  avfoundationDevices,
  dshowDevices,
  ffmpegDevices,
  pipewireDevices,
  pulseDevices,
  soxDriver,
} from './device_lists.js';

export const TOOL_NAMES = ['pulse', 'pipewire', 'alsa', 'sox', 'ffmpeg'] as const;

export type ToolName = (typeof TOOL_NAMES)[number];

/** A program and its arguments. */
export interface Invocation {
  readonly program: string;
  readonly args: readonly string[];
}

/** What the questions of a tool have brought to light. */
export interface Answers {
  readonly runs: readonly ToolRun[];
  readonly platform: NodeJS.Platform;
  readonly direction: Direction;
}

export interface SoundTool {
  readonly name: ToolName;
  readonly platforms: readonly NodeJS.Platform[];
  /** The program that does the work. */
  program(direction: Direction, platform: NodeJS.Platform): string;
  /** What to run first, to learn whether it works here and which devices there are. */
  questions(direction: Direction, platform: NodeJS.Platform): readonly Invocation[];
  listing(answers: Answers): Listing;
  /** The arguments. `device`: null for the default. */
  args(device: string | null, rateHz: number, answers: Answers): readonly string[];
  /** `names`: a device that it did not list may exist. */
  readonly unlistedDevices: 'names' | 'refuse';
  /** How much it has played, from what it writes to standard error; null if that says nothing. Left out: it never says. */
  readonly playedMs?: (text: string) => Milliseconds | null;
}

/** How much sound a tool is asked to keep, in ms. Less costs gaps on a busy machine, more is delay. */
const CAPTURE_BUFFER_MS = 20;
const PLAY_BUFFER_MS = 40;

const UNIX_SERVERS: readonly NodeJS.Platform[] = ['linux', 'freebsd', 'openbsd', 'netbsd'];

/** PulseAudio's, which also speak with PipeWire. First, because pacat says how much it has played. */
const PULSE: SoundTool = {
  name: 'pulse',
  platforms: UNIX_SERVERS,
  program: (direction) => (direction === 'capture' ? 'parec' : 'pacat'),
  questions: (direction) => [
    { program: 'pactl', args: ['list', direction === 'capture' ? 'sources' : 'sinks'] },
    { program: 'pactl', args: ['info'] },
  ],
  listing: ({ runs: [list, info], direction }) => pulseDevices(list!, info!, direction),
  args: (device, rateHz, { direction }) => [
    ...(direction === 'play' ? ['--playback', '--verbose'] : ['--record']),
    '--raw',
    '--format=s16le',
    `--rate=${rateHz}`,
    '--channels=1',
    `--latency-msec=${direction === 'play' ? PLAY_BUFFER_MS : CAPTURE_BUFFER_MS}`,
    '--process-time-msec=10',
    '--client-name=hotmic',
    '--property=media.role=phone',
    ...(device === null ? [] : [`--device=${device}`]),
  ],
  unlistedDevices: 'refuse',
  playedMs: pacatPlayedMs,
};

/** `Time: 3.349 sec; Latency: 31144 usec.`, several times a second. */
export function pacatPlayedMs(text: string): Milliseconds | null {
  const last = [...text.matchAll(/Time: (\d+\.\d{3}) sec;/g)].at(-1)?.[1];
  return last === undefined ? null : 1000 * Number(last);
}

const PIPEWIRE: SoundTool = {
  name: 'pipewire',
  platforms: ['linux'],
  program: (direction) => (direction === 'capture' ? 'pw-record' : 'pw-play'),
  questions: (direction) => [
    { program: 'pw-dump', args: [] },
    { program: PIPEWIRE.program(direction, 'linux'), args: ['--help'] },
  ],
  listing: ({ runs: [dump, help], direction }) => {
    if (!/<file>\|-/.test(help!.stdout + help!.stderr))
      return {
        kind: 'unusable',
        reason: 'this version cannot use a pipe, expected PipeWire 0.3.57 or newer',
      };
    return pipewireDevices(dump!, direction);
  },
  args: (device, rateHz, { runs: [, help], direction }) => [
    // Newer versions write a header without it; older ones do not know it.
    ...(/--raw\b/.test(help!.stdout + help!.stderr) ? ['--raw'] : []),
    '--format=s16',
    `--rate=${rateHz}`,
    '--channels=1',
    `--latency=${direction === 'play' ? PLAY_BUFFER_MS : CAPTURE_BUFFER_MS}ms`,
    '--media-role=Communication',
    ...(device === null ? [] : [`--target=${device}`]),
    '-',
  ],
  unlistedDevices: 'refuse',
};

const ALSA: SoundTool = {
  name: 'alsa',
  platforms: ['linux'],
  program: (direction) => (direction === 'capture' ? 'arecord' : 'aplay'),
  questions: (direction) => {
    const program = ALSA.program(direction, 'linux');
    return [
      { program, args: ['-L'] },
      { program, args: ['-l'] },
    ];
  },
  listing: ({ runs: [names, cards] }) => alsaDevices(names!, cards!),
  args: (device, rateHz, { direction }) => [
    '--quiet',
    '--file-type=raw',
    '--format=S16_LE',
    `--rate=${rateHz}`,
    '--channels=1',
    // In microseconds; a quarter of it at a time.
    `--buffer-time=${2000 * (direction === 'play' ? PLAY_BUFFER_MS : CAPTURE_BUFFER_MS)}`,
    `--period-time=${500 * (direction === 'play' ? PLAY_BUFFER_MS : CAPTURE_BUFFER_MS)}`,
    `--device=${device ?? 'default'}`,
    '-',
  ],
  unlistedDevices: 'names',
};

/** Kinds of devices in sox, by platform, the best first. */
const SOX_DRIVERS: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: ['pulseaudio', 'alsa'],
  darwin: ['coreaudio'],
  win32: ['waveaudio'],
};

const soxDriverOf = ({ runs: [help], platform }: Answers): string | null =>
  soxDriver(help!, SOX_DRIVERS[platform] ?? []);

const SOX: SoundTool = {
  name: 'sox',
  platforms: ['linux', 'darwin', 'win32'],
  program: () => 'sox',
  questions: () => [{ program: 'sox', args: ['--help'] }],
  listing: (answers) =>
    soxDriverOf(answers) === null
      ? { kind: 'unusable', reason: 'this sox was built without sound devices' }
      : { kind: 'unlisted' },
  args: (device, rateHz, answers) => {
    const raw = ['-t', 'raw', '-e', 'signed-integer', '-b', '16', '-L', '-r', String(rateHz), '-c', '1', '-'];
    const sound = ['-t', soxDriverOf(answers)!, device ?? 'default'];
    const bytes = (rateHz * 2 * CAPTURE_BUFFER_MS) / 1000;
    const common = ['-q', '--buffer', String(bytes)];
    return answers.direction === 'capture' ? [...common, ...sound, ...raw] : [...common, ...raw, ...sound];
  },
  unlistedDevices: 'names',
};

/** What ffmpeg calls the sound system, by platform. */
const FFMPEG_INPUT: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'pulse',
  darwin: 'avfoundation',
  win32: 'dshow',
};

const QUIET = ['-hide_banner', '-nostdin'];

/** Records everywhere. Plays by PulseAudio or Core Audio; on Windows ffplay does, which comes with it. */
const FFMPEG: SoundTool = {
  name: 'ffmpeg',
  platforms: ['linux', 'darwin', 'win32'],
  program: (direction, platform) => (direction === 'play' && platform === 'win32' ? 'ffplay' : 'ffmpeg'),
  questions: (direction, platform) => {
    if (platform === 'linux')
      return [
        { program: 'ffmpeg', args: [...QUIET, direction === 'capture' ? '-sources' : '-sinks', 'pulse'] },
      ];
    // Their lists have microphones only.
    if (direction === 'play') return [{ program: FFMPEG.program(direction, platform), args: ['-version'] }];
    const input = platform === 'win32' ? 'dummy' : '';
    const format = FFMPEG_INPUT[platform] ?? '';
    return [{ program: 'ffmpeg', args: [...QUIET, '-f', format, '-list_devices', 'true', '-i', input] }];
  },
  listing: ({ runs: [run], platform, direction }) => {
    if (platform === 'linux') return ffmpegDevices(run!);
    if (direction === 'play') return { kind: 'unlisted' };
    return platform === 'win32' ? dshowDevices(run!) : avfoundationDevices(run!);
  },
  args: (device, rateHz, answers) =>
    answers.direction === 'capture'
      ? ffmpegCapture(device, rateHz, answers)
      : ffmpegPlay(device, rateHz, answers.platform),
  unlistedDevices: 'refuse',
};

function ffmpegCapture(device: string | null, rateHz: number, answers: Answers): readonly string[] {
  const { platform } = answers;
  const raw = ['-flush_packets', '1', '-f', 's16le', '-ar', String(rateHz), '-ac', '1', 'pipe:1'];
  const before = [...QUIET, '-loglevel', 'error', '-fflags', 'nobuffer', '-f', FFMPEG_INPUT[platform] ?? ''];
  const fragment = ['-fragment_size', String((48_000 * 2 * CAPTURE_BUFFER_MS) / 1000), '-channels', '1'];
  if (platform === 'linux') return [...before, ...fragment, '-i', device ?? 'default', ...raw];
  if (platform === 'darwin') return [...before, '-i', `:${device ?? 'default'}`, ...raw];
  const listed = FFMPEG.listing(answers);
  const first = listed.kind === 'devices' ? listed.devices[0]?.id : undefined;
  return [
    ...before,
    '-audio_buffer_size',
    String(CAPTURE_BUFFER_MS),
    '-i',
    `audio=${device ?? first ?? ''}`,
    ...raw,
  ];
}

function ffmpegPlay(device: string | null, rateHz: number, platform: NodeJS.Platform): readonly string[] {
  const pipe = [
    ...['-hide_banner', '-loglevel', 'error', '-fflags', 'nobuffer', '-probesize', '32'],
    ...['-f', 's16le', '-ar', String(rateHz)],
  ];
  if (platform === 'win32') return [...pipe, '-ac', '1', '-nodisp', '-autoexit', '-i', 'pipe:0'];
  const input = [...pipe, '-ac', '1', '-i', 'pipe:0'];
  if (platform === 'darwin')
    return [...input, '-f', 'audiotoolbox', ...(device === null ? [] : ['-audio_device_index', device]), '-'];
  const server = ['-f', 'pulse', '-name', 'hotmic', '-buffer_duration', String(PLAY_BUFFER_MS)];
  return [...input, ...server, ...(device === null ? [] : ['-device', device]), 'voice'];
}

/** In the order in which they are tried. */
export const SOUND_TOOLS: readonly SoundTool[] = [PULSE, PIPEWIRE, ALSA, FFMPEG, SOX];
