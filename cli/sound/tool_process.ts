/**
 * A sound tool as a child process that is started again when it ends: a device was unplugged, or the sound server restarted.
 *
 * It runs in a session of its own, so that Ctrl-C in the terminal reaches us and not the tool, whose last sound is still needed. It ends
 * with its pipe if we are killed.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { monotonicMs } from '../../client/clock.js';
import { printable } from '../../voice/printable.js';
import type { Milliseconds } from '../../voice/units.js';
import { toolEnvironment } from './choose.js';
import { Restarts } from './restarts.js';
import type { Invocation } from './tools.js';

export interface ToolProcessEvents {
  /** It was started, for the first time or again. */
  onStart?(child: ChildProcess): void;
  /** It ended, and will be started again unless `close` is called. `reason`: for a person, one line. */
  onLost(reason: string): void;
  /** It works again after `onLost`. */
  onBack(): void;
  /** It wrote to standard error. */
  onText?(text: string): void;
}

/** How much of what it wrote is kept for the reason. */
const MAX_TEXT_CHARS = 2000;

/** How long it may take to end before it is killed. */
const END_MS: Milliseconds = 1000;

export class ToolProcess {
  readonly #invocation: Invocation;
  readonly #pipe: 'stdin' | 'stdout';
  readonly #events: ToolProcessEvents;
  readonly #restarts = new Restarts();
  #child: ChildProcess | null = null;
  #text = '';
  #workingSince: Milliseconds | null = null;
  #state: 'open' | 'lost' | 'closed' = 'open';
  #restarting: NodeJS.Timeout | undefined;
  /** How often it was started again. */
  restarts = 0;

  /** @param pipe The stream that carries the sound. */
  constructor(invocation: Invocation, pipe: 'stdin' | 'stdout', events: ToolProcessEvents) {
    this.#invocation = invocation;
    this.#pipe = pipe;
    this.#events = events;
    process.on('exit', this.#kill);
    this.#start();
  }

  /** Sound has passed: the device is there. */
  works(): void {
    this.#workingSince ??= monotonicMs();
    if (this.#state !== 'lost') return;
    this.#state = 'open';
    this.#events.onBack();
  }

  /** Ends the present process, which is stuck; it is started again. */
  restart(reason: string): void {
    this.#text = reason;
    this.#child?.kill('SIGKILL');
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearTimeout(this.#restarting);
    process.off('exit', this.#kill);
    const child = this.#child;
    if (!child) return;
    child.stdin?.end();
    if (this.#pipe === 'stdout') child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), END_MS);
    child.once('close', () => clearTimeout(late));
  }

  #start(): void {
    const { program, args } = this.#invocation;
    const child = spawn(program, args, {
      stdio: [
        this.#pipe === 'stdin' ? 'pipe' : 'ignore',
        this.#pipe === 'stdout' ? 'pipe' : 'ignore',
        'pipe',
      ],
      env: toolEnvironment(),
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    this.#child = child;
    this.#workingSince = null;
    this.#text = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#text = (this.#text + text).slice(-MAX_TEXT_CHARS);
      this.#events.onText?.(text);
    });
    // A pipe of a tool that ended fails; its end is reported below.
    child.stdin?.on('error', () => undefined);
    let failure: string | null = null;
    child.once('error', (error) => {
      failure = error.message;
      if (child.pid === undefined) this.#ended(failure);
    });
    child.once('close', (code, signal) => this.#ended(failure ?? this.#reason(code, signal)));
    this.#events.onStart?.(child);
  }

  #ended(reason: string): void {
    if (!this.#child) return;
    this.#child = null;
    if (this.#state === 'closed') return;
    const workedMs = this.#workingSince === null ? 0 : monotonicMs() - this.#workingSince;
    const waitMs = this.#restarts.ended(workedMs);
    if (this.#state === 'open') {
      this.#state = 'lost';
      this.#events.onLost(reason);
    }
    // `onLost` may close it.
    if (this.state === 'closed') return;
    this.#restarting = setTimeout(() => {
      this.restarts += 1;
      this.#start();
    }, waitMs);
  }

  get state(): 'open' | 'lost' | 'closed' {
    return this.#state;
  }

  #reason(code: number | null, signal: NodeJS.Signals | null): string {
    const lines = this.#text.split(/[\r\n]+/).filter((line) => line.trim() !== '' && !/^Time: /.test(line));
    const said = printable(lines.at(-1)?.trim() ?? '', 200);
    return said || (signal ? `it was ended by ${signal}` : `it ended with exit code ${code}`);
  }

  readonly #kill = (): void => {
    this.#child?.kill('SIGKILL');
  };
}
