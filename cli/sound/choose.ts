/** Chooses the tool and the device for `--mic` and `--play`: the first tool of the table that is installed and works. */

import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { HotmicError } from '../../voice/error.js';
import { printable } from '../../voice/printable.js';
import type { Milliseconds } from '../../voice/units.js';
import { type Direction, findDevice, type Listing, type SoundDevice, type ToolRun } from './device.js';
import { installHintHere } from './install_hint.js';
import { type Answers, type Invocation, SOUND_TOOLS, type SoundTool, type ToolName } from './tools.js';

/** What this machine is and has; a test replaces it. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  /** The path of a program; null if it is not installed. */
  find(program: string): string | null;
  run(invocation: Invocation): Promise<ToolRun>;
  readonly installHint: () => string;
}

/** What plays or records, and which device. */
export interface ChosenSound {
  readonly tool: SoundTool;
  readonly invocation: Invocation;
  /** For a person: `Built-in Audio, by parec`. */
  readonly label: string;
}

/** A tool that is installed, and what it said. */
export interface AskedTool {
  readonly tool: SoundTool;
  readonly listing: Listing;
  readonly answers: Answers;
}

export const RATE_HZ = 24_000;

const WHAT = { capture: 'use a microphone', play: 'play sound' } as const;

/**
 * @param wanted A device as a person wrote it: an id or a part of a name; null for the default.
 * @param only The tool to use; null for the first that works.
 * @throws HotmicError ERR_HOTMIC_SOUND_TOOL when no tool works here, ERR_HOTMIC_SOUND when the device is not there.
 */
export async function chooseSound(
  direction: Direction,
  wanted: string | null,
  only: ToolName | null = null,
  machine: Machine = THIS_MACHINE,
): Promise<ChosenSound> {
  const asked = await askTools(direction, only, machine, 'first');
  const works = asked.find(({ listing }) => listing.kind !== 'unusable');
  if (!works) throw nothingWorks(direction, asked, machine);
  const { tool, listing, answers } = works;
  const device = deviceOf(direction, wanted, works);
  const name = tool.program(direction, machine.platform);
  const program = machine.find(name) ?? name;
  const args = tool.args(device?.id ?? null, RATE_HZ, answers);
  const known = device ?? defaultOf(listing);
  const label = known === null ? 'default device' : printable(known.label, 64);
  return { tool, invocation: { program, args }, label: `${label}, by ${name}` };
}

/** Asks each installed tool which devices there are. `first`: until one works. */
export async function askTools(
  direction: Direction,
  only: ToolName | null = null,
  machine: Machine = THIS_MACHINE,
  howMany: 'all' | 'first' = 'all',
): Promise<readonly AskedTool[]> {
  const asked: AskedTool[] = [];
  for (const tool of SOUND_TOOLS) {
    if (!tool.platforms.includes(machine.platform) || (only !== null && tool.name !== only)) continue;
    const questions = tool.questions(direction, machine.platform);
    const programs = [tool.program(direction, machine.platform), ...questions.map(({ program }) => program)];
    if (programs.some((program) => machine.find(program) === null)) continue;
    const runs = await Promise.all(
      questions.map(({ program, args }) => machine.run({ program: machine.find(program) ?? program, args })),
    );
    const answers = { runs, platform: machine.platform, direction };
    const listing = tool.listing(answers);
    const isEmpty = listing.kind === 'devices' && listing.devices.length === 0;
    asked.push({ tool, answers, listing: isEmpty ? { kind: 'unusable', reason: 'no device' } : listing });
    if (howMany === 'first' && asked.at(-1)!.listing.kind !== 'unusable') break;
  }
  return asked;
}

function deviceOf(
  direction: Direction,
  wanted: string | null,
  { tool, listing }: AskedTool,
): SoundDevice | null {
  if (wanted === null) return null;
  const verbatim: SoundDevice = { id: wanted, label: wanted, isDefault: false, kind: 'device' };
  if (listing.kind !== 'devices') {
    if (listing.kind === 'unlisted' && tool.unlistedDevices === 'names') return verbatim;
    throw soundError(direction, `${tool.name} plays to the default device only here`);
  }
  const match = findDevice(listing.devices, wanted);
  const shown = printable(wanted, 64);
  switch (match.kind) {
    case 'found':
      return match.device;
    case 'ambiguous': {
      const names = match.devices.slice(0, 4).map(({ id }) => printable(id, 64));
      throw soundError(direction, `"${shown}" may be any of ${names.join(', ')}. Write more of its name`);
    }
    case 'unknown':
      if (tool.unlistedDevices === 'names') return verbatim;
      throw soundError(direction, `no device is called "${shown}". hotmic devices lists them`);
  }
}

function defaultOf(listing: Listing): SoundDevice | null {
  return listing.kind === 'devices' ? (listing.devices.find(({ isDefault }) => isDefault) ?? null) : null;
}

function nothingWorks(direction: Direction, asked: readonly AskedTool[], machine: Machine): HotmicError {
  const reasons = asked.flatMap(({ tool, listing }) =>
    listing.kind === 'unusable'
      ? [`${tool.program(direction, machine.platform)}: ${printable(listing.reason, 200)}`]
      : [],
  );
  const programs = SOUND_TOOLS.filter(({ platforms }) => platforms.includes(machine.platform)).map((tool) =>
    tool.program(direction, machine.platform),
  );
  const why =
    reasons.length > 0 ? reasons.join('; ') : `none of ${programs.join(', ')} is installed. Install one`;
  const hint = reasons.length > 0 ? '' : `: ${machine.installHint()}`;
  return new HotmicError('ERR_HOTMIC_SOUND_TOOL', `Cannot ${WHAT[direction]}: ${why}${hint}`);
}

export function soundError(direction: Direction, why: string): HotmicError {
  return new HotmicError('ERR_HOTMIC_SOUND', `Cannot ${WHAT[direction]}: ${why}`);
}

/** Longer than any of them takes: a sound server may have to start. */
const MAX_QUESTION_MS: Milliseconds = 10_000;
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/** The environment of every tool: what they print is read, so it has to be English. */
export function toolEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, LC_ALL: 'C', LANGUAGE: 'C' };
}

const THIS_MACHINE: Machine = {
  platform: process.platform,
  find: findProgram,
  installHint: installHintHere,
  run: ({ program, args }) =>
    new Promise((resolve) => {
      const limits = { timeout: MAX_QUESTION_MS, maxBuffer: MAX_ANSWER_BYTES, windowsHide: true };
      execFile(program, args, { ...limits, env: toolEnvironment() }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
        resolve({ code, stdout, stderr: stderr || (code === null ? (error?.message ?? '') : '') });
      }).stdin?.end();
    }),
};

/** Looks along PATH. */
function findProgram(program: string): string | null {
  const extension = process.platform === 'win32' ? '.exe' : '';
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    if (folder === '') continue;
    const path = join(folder, program + extension);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {}
  }
  return null;
}
