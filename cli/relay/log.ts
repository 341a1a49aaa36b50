/**
 * The log of `hotmic relay`: lines for a person, or one JSON object per line for a log collector. The JSON has
 * every field, the text the most useful ones. Neither contains a ticket or a token, because no event does.
 */

import type { startRelay } from '../../relay/index.js';
import { printable } from '../../voice/printable.js';

type RelayLogEvent = Parameters<NonNullable<Parameters<typeof startRelay>[0]['onEvent']>>[0];

/** What can be logged. Programs read the kinds and the names of fields: append only. */
export type LogEntry =
  | RelayLogEvent
  | {
      readonly kind: 'listening';
      readonly url: string;
      readonly operationsUrl: string | null;
      readonly adminUrl: string | null;
      /** Who is admitted, in words. */
      readonly admits: string;
    }
  /** What holds the players' sockets, when that was left to the relay. */
  | { readonly kind: 'sockets'; readonly layer: string; readonly detail: string }
  | { readonly kind: 'draining'; readonly connections: number; readonly withinSeconds: number }
  | {
      readonly kind: 'ended';
      readonly publishedFrames: number;
      /** By reason, without zeros. */
      readonly drops: Readonly<Record<string, number>>;
      /** Lines of this log that were dropped because its reader was too slow. */
      readonly lostLines: number;
    }
  | { readonly kind: 'failed'; readonly code: string; readonly detail: string };

export const LOG_FORMS = ['text', 'json'] as const;
export type LogForm = (typeof LOG_FORMS)[number];

/** From the least severe. */
export const LOG_LEVELS = ['info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface RelayLog {
  write(entry: LogEntry): void;
  /** Resolves when waiting lines are written, or after a second. */
  settled(): Promise<void>;
  /** Lines dropped so far. */
  lostLines(): number;
}

/** Of waiting lines, in JSON. A stalled reader must neither stall voice nor fill the memory. */
const MAX_WAITING_BYTES = 1024 * 1024;
const SETTLE_MS = 1000;
const STDERR = 2;

/** The log in this form, without entries below `level`. */
export async function relayLog(form: LogForm, level: LogLevel): Promise<RelayLog> {
  return form === 'json' ? await jsonLog(level) : textLog(level);
}

/** In text, these are the command's output, whatever the level. */
const OUTPUT: ReadonlySet<LogEntry['kind']> = new Set(['listening', 'sockets', 'draining', 'ended']);

const WARNINGS: ReadonlySet<LogEntry['kind']> = new Set([
  'refused',
  'not-admitted',
  'refusals',
  'certificate-refused',
  'admin-refused',
  'sanctions-torn',
  'webhook-failing',
  'webhook-lost',
  'webhook-gone',
]);

function levelOf({ kind }: LogEntry): LogLevel {
  // No level hides what an operator must know about the configuration.
  if (kind === 'failed' || kind === 'sanctions-not-kept' || kind === 'at-risk') return 'error';
  return WARNINGS.has(kind) ? 'warn' : 'info';
}

function textLog(level: LogLevel): RelayLog {
  return {
    write: (entry) => {
      if (OUTPUT.has(entry.kind)) {
        console.log(describe(entry));
      } else if (LOG_LEVELS.indexOf(levelOf(entry)) >= LOG_LEVELS.indexOf(level)) {
        console.error(describe(entry));
      }
    },
    settled: async () => undefined,
    lostLines: () => 0,
  };
}

async function jsonLog(level: LogLevel): Promise<RelayLog> {
  // Loaded here, so that other commands do not load it.
  const { pino } = await import('pino');
  const destination = pino.destination({
    dest: STDERR,
    sync: false,
    // Writes at once; with 0, a flush would not wait.
    minLength: 1,
    maxLength: MAX_WAITING_BYTES,
  });
  let lostLines = 0;
  destination.on('drop', () => {
    lostLines += 1;
  });
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  return {
    write: (entry) => {
      const { kind, ...fields } = entry;
      const shown = Object.entries(fields).map(([name, value]) => [
        name,
        typeof value === 'string' ? printable(value) : value,
      ]);
      logger[levelOf(entry)]({ event: kind, ...Object.fromEntries(shown) });
    },
    settled: () =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, SETTLE_MS);
        destination.flush(() => {
          clearTimeout(timer);
          resolve();
        });
      }),
    lostLines: () => lostLines,
  };
}

function describe(entry: LogEntry): string {
  switch (entry.kind) {
    case 'joined':
    case 'left':
    case 'away':
    case 'resumed':
      return `${entry.kind} ${printable(entry.lobby)}: ${printable(entry.name)} (${entry.steamId}), slot ${entry.slot}`;
    case 'lobby-opened':
    case 'lobby-closed':
      return `lobby ${printable(entry.lobby)} ${entry.kind === 'lobby-opened' ? 'opened' : 'closed'}`;
    case 'moderated': {
      const where = entry.lobby === null ? 'all lobbies' : printable(entry.lobby);
      return `${entry.action} in ${where}: ${entry.steamId}, by ${entry.by}`;
    }
    case 'refused':
      return `refused (${entry.code}): ${printable(entry.detail)}`;
    case 'at-risk':
      return `warning (${entry.code}): ${printable(entry.detail)}`;
    case 'sockets':
      return `sockets: ${printable(entry.detail)}`;
    case 'not-admitted':
      return `not admitted (${entry.reason}): ${printable(entry.detail)}`;
    case 'refusals':
      return `${entry.count} more refused: ${countsText(entry.reasons)}; from ${countsText(entry.from)}`;
    case 'listening': {
      const operations = entry.operationsUrl === null ? '' : ` Operations at ${entry.operationsUrl}.`;
      const admin = entry.adminUrl === null ? '' : ` Admin at ${entry.adminUrl}.`;
      return `Relay listens at ${entry.url} (admits ${entry.admits}).${operations}${admin} Press Ctrl-C to stop.`;
    }
    case 'draining':
      return (
        `Relay drains: waits at most ${entry.withinSeconds} s for ${entry.connections} connections. ` +
        'Press Ctrl-C again to end it at once.'
      );
    case 'ended': {
      const reasons = Object.entries(entry.drops).map(([reason, count]) => `${count} dropped (${reason})`);
      const dropped = reasons.join(', ') || '0 dropped';
      return `Relay ended: ${entry.publishedFrames} voice frames published, ${dropped}.`;
    }
    case 'certificate-loaded': {
      const until = new Date(entry.expiresUnixSeconds * 1000).toISOString();
      return `certificate loaded: for ${printable(entry.names)}, until ${until}`;
    }
    case 'certificate-unchanged':
      return 'certificate unchanged';
    case 'certificate-refused':
      return `certificate refused, the previous one stays in use: ${printable(entry.detail)} [${entry.code}]`;
    case 'admin-asked': {
      const what = [entry.operation, entry.lobby, entry.steamId].filter((word) => word !== '');
      return `admin ${printable(what.join(' '))}: ${entry.status}, from ${printable(entry.peer)}`;
    }
    case 'admin-stream-ended':
      return `admin stream ended (${entry.why}): ${entry.done} updates done, ${entry.failed} failed, from ${printable(entry.peer)}`;
    case 'admin-refused':
      return `admin refused (${entry.code}), from ${printable(entry.peer)}`;
    case 'sanctions-torn':
      return `sanctions file: a crash cut the last line, ignored ${entry.bytes} bytes`;
    case 'sanctions-not-kept':
      return `sanctions file: ${entry.waiting} changes are not written yet: ${printable(entry.detail)}`;
    case 'sanctions-kept-again':
      return 'sanctions file: all changes are written again';
    case 'webhook-failing':
      return `webhook ${entry.hook} (${printable(entry.to)}) is failing: ${printable(entry.detail)}`;
    case 'webhook-working':
      return `webhook ${entry.hook} (${printable(entry.to)}) works again`;
    case 'webhook-lost':
      return `webhook ${entry.hook} (${printable(entry.to)}): ${entry.webhooks} events lost (${entry.fate})`;
    case 'webhook-gone':
      return `webhook ${entry.hook} (${printable(entry.to)}) stopped: its receiver answered 410`;
    case 'failed':
      return `${printable(entry.detail)} [${entry.code}]`;
  }
}

function countsText(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
}
