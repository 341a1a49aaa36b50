/**
 * A relay in a separate process, as operators run it, for the demo and benchmarks: so its CPU time is not the players'.
 *
 * When forked, this file is the relay: it reports its port, then batches of stage notes for the latency side channel.
 */

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { startRelay } from '../../relay/index.js';
import { codeOf, type ErrorCode, HotmicError, messageOf } from '../../voice/error.js';
import type { Milliseconds } from '../../voice/units.js';

/** From the child: one of these. */
type Report =
  | { readonly kind: 'listening'; readonly url: string }
  | { readonly kind: 'failed'; readonly code: string | null; readonly message: string }
  /** Slot, sequence and instant of each voice frame published, three numbers each. */
  | { readonly kind: 'published'; readonly notes: readonly number[] };

/** Notes are sent this often. */
const REPORT_MS = 50;

/** A relay that runs in a child process. */
export interface RelayProcess {
  readonly url: string;
  /** Ends it; resolves when it has exited and its last notes have arrived. */
  close(): Promise<void>;
}

/** Forks a relay on a free port. `onPublished` is called for each voice frame, a little later. */
export async function forkRelay(
  onPublished: (slot: number, sequence: number, at: Milliseconds) => void,
): Promise<RelayProcess> {
  const child = fork(fileURLToPath(import.meta.url), ['relay'], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // Out of the terminal's group: Ctrl-C is for the parent, which ends this process.
    detached: true,
  });
  // The process may exit before its last message arrives; the channel ends after it.
  const gone = Promise.all([
    new Promise<void>((resolve) => child.once('exit', () => resolve())),
    new Promise<void>((resolve) => child.once('disconnect', () => resolve())),
  ]);
  const url = await new Promise<string>((resolve, reject) => {
    child.on('message', (report: Report) => {
      switch (report.kind) {
        case 'listening':
          resolve(report.url);
          break;
        case 'failed':
          reject(new HotmicError((report.code ?? 'ERR_HOTMIC_LISTEN') as ErrorCode, report.message));
          break;
        case 'published':
          for (let i = 0; i + 2 < report.notes.length; i += 3) {
            onPublished(report.notes[i]!, report.notes[i + 1]!, report.notes[i + 2]!);
          }
      }
    });
    child.once('error', reject);
    child.once('exit', () =>
      reject(new HotmicError('ERR_HOTMIC_LISTEN', 'Cannot start the relay: its process ended')),
    );
  });
  return {
    url,
    close: async () => {
      if (child.connected) child.send('close');
      await gone;
    },
  };
}

/** The child's side. Ends when the parent asks for it, or is gone. */
async function runChild(parent: NodeJS.Process | ChildProcess): Promise<void> {
  const report = (message: Report) => parent.send?.(message);
  let notes: number[] = [];
  const flush = () => {
    if (notes.length > 0) report({ kind: 'published', notes });
    notes = [];
  };
  // Before the start, which takes a while: a parent that exits during it must not leave a relay behind.
  process.once('disconnect', () => process.exit());
  try {
    const relay = await startRelay({
      dev: true,
      onStage: (slot, sequence, at) => notes.push(slot, sequence, at),
    });
    const timer = setInterval(flush, REPORT_MS);
    const close = async () => {
      clearInterval(timer);
      await relay.close();
      flush();
      process.disconnect?.();
    };
    process.once('message', close);
    report({ kind: 'listening', url: relay.url });
  } catch (thrown) {
    report({ kind: 'failed', code: codeOf(thrown), message: messageOf(thrown) });
    process.disconnect?.();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.send) await runChild(process);
