/** One test file as a process of its own: what it printed as TAP, and what that comes to. */

import { spawn } from 'node:child_process';

/** A watchdog, in seconds: far above what any file needs on a busy machine. The file then says which sentence it was in. */
const WATCHDOG_S = 3600;
/** How long it has to say so, in ms. */
const LAST_WORDS_MS = 20_000;

/** The result of a sentence, or of an assertion in one, which is indented. */
const RESULT = /^( *)(not ok|ok) \d+(?: - (.*))?$/;

export interface FileResult {
  /** Below dist/test. */
  readonly name: string;
  /** Sentences. A skipped one is neither passed nor failed. */
  readonly passed: number;
  readonly failed: number;
  /** The sentences that failed. */
  readonly failures: readonly string[];
  /** Sentence and reason. */
  readonly skipped: readonly string[];
  readonly seconds: number;
  readonly tap: string;
  /** For a person: failed assertions with their diagnostics, and what the file wrote to standard error. */
  readonly complaints: readonly string[];
}

/** What a file's TAP says; `ending` is how its process ended, null for a good exit. Pure. */
export function readTap(
  name: string,
  tap: string,
  ending: string | null,
): Omit<FileResult, 'seconds' | 'tap'> {
  let passed = 0;
  const failures: string[] = [];
  const skipped: string[] = [];
  const complaints: string[] = [];
  /** The failed assertion whose diagnostics follow: its indentation, or −1. */
  let explaining = -1;
  let isPlanned = false;
  for (const line of tap.split('\n')) {
    const result = RESULT.exec(line);
    if (!result) {
      if (/^1\.\.\d+/.test(line)) isPlanned = true;
      if (explaining >= 0 && line.search(/\S/) > explaining) complaints.push(line);
      continue;
    }
    const [, indent = '', verdict, title = ''] = result;
    const isFailure = verdict === 'not ok' && !/ # (TODO|SKIP)/i.test(title);
    // A sentence that failed by an assertion has said why.
    const isSaid = indent === '' && complaints.length > 0;
    explaining = isFailure && !isSaid ? indent.length : -1;
    if (isFailure && !isSaid) complaints.push(line);
    if (indent !== '') continue;
    const sentence = title.replace(/ # time=.*$/, '');
    const skip = /^(.*) # SKIP ?(.*)$/i.exec(sentence);
    if (skip) skipped.push(`${skip[1]}: ${skip[2] || 'no reason given'}`);
    else if (isFailure) failures.push(sentence);
    else passed += 1;
  }
  // A file that ended badly without a failed sentence did not run to its end.
  const trouble = ending ?? (isPlanned ? null : 'ended without a plan');
  if (trouble !== null && failures.length === 0) failures.push(`did not run to its end: ${trouble}`);
  return { name, passed, failed: failures.length, failures, skipped, complaints };
}

/** Runs one file below `folder`, with `env` added to the environment. */
export async function runTestFile(folder: string, name: string, env: NodeJS.ProcessEnv): Promise<FileResult> {
  const started = performance.now();
  const child = spawn(process.execPath, ['--enable-source-maps', `${folder}/${name}`], {
    env: { ...process.env, TAP_TIMEOUT: String(WATCHDOG_S), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let tap = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    tap += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const timers: NodeJS.Timeout[] = [];
  timers.push(setTimeout(() => child.kill('SIGTERM'), WATCHDOG_S * 1000));
  timers.push(setTimeout(() => child.kill('SIGKILL'), WATCHDOG_S * 1000 + LAST_WORDS_MS));
  const ending = await new Promise<string | null>((resolve) => {
    child.on('error', ({ message }) => resolve(message));
    child.on('close', (code, signal) => resolve(code === 0 ? null : (signal ?? `exit code ${code}`)));
  });
  for (const timer of timers) clearTimeout(timer);
  const read = readTap(name, tap, ending);
  const said = errors.trim() === '' ? [] : errors.trimEnd().split('\n');
  const seconds = (performance.now() - started) / 1000;
  return { ...read, complaints: [...read.complaints, ...said], seconds, tap };
}
