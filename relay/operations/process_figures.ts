/**
 * What the process itself uses, for the operator: CPU, memory, and how late its event loop runs. One loop
 * carries all voice, so its lateness is everybody's.
 */

import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { Milliseconds } from '../../voice/units.js';

export interface ProcessFigures {
  readonly cpuUserSeconds: number;
  readonly cpuSystemSeconds: number;
  readonly residentBytes: number;
  readonly heapTotalBytes: number;
  readonly heapUsedBytes: number;
  readonly externalBytes: number;
  readonly startedAtUnixSeconds: number;
  readonly loopLag: LoopLag;
}

/** How late ticks came since the reading before; 0 when none did. */
export interface LoopLag {
  readonly p50Seconds: number;
  readonly p99Seconds: number;
  readonly maxSeconds: number;
}

/**
 * How late a regular tick comes. Not Node's monitorEventLoopDelay: that one counts the interval itself as
 * delay, and forgets its last tick with each reset, so that a stall just behind a reading is never seen.
 */
export class LagMeter {
  readonly #lateNs: RecordableHistogram = createHistogram();
  readonly #everyMs: Milliseconds;
  #lastAt: Milliseconds | null = null;

  constructor(everyMs: Milliseconds) {
    this.#everyMs = everyMs;
  }

  /** To be called every `everyMs`. */
  tick(now: Milliseconds): void {
    const lateMs = this.#lastAt === null ? 0 : now - this.#lastAt - this.#everyMs;
    this.#lastAt = now;
    // The histogram takes whole numbers from 1.
    this.#lateNs.record(Math.max(1, Math.round(lateMs * 1e6)));
  }

  /** What was since the reading before. */
  read(): LoopLag {
    const late = this.#lateNs;
    const lag =
      late.count === 0
        ? { p50Seconds: 0, p99Seconds: 0, maxSeconds: 0 }
        : {
            p50Seconds: late.percentile(50) / 1e9,
            p99Seconds: late.percentile(99) / 1e9,
            maxSeconds: late.max / 1e9,
          };
    late.reset();
    return lag;
  }
}

const TICK_MS = 20;

/** Watches the process from when it is made until it is closed. Does not keep it alive. */
export class ProcessWatch {
  readonly #lag = new LagMeter(TICK_MS);
  readonly #ticker = setInterval(() => this.#lag.tick(performance.now()), TICK_MS).unref();
  /** Taken once: computed anew, it would wander by the rounding. */
  readonly #startedAtUnixSeconds = Math.round(Date.now() / 1000 - process.uptime());

  /** The figures of now. The lag begins anew with each reading. */
  read(): ProcessFigures {
    const cpu = process.cpuUsage();
    const memory = process.memoryUsage();
    return {
      cpuUserSeconds: cpu.user / 1e6,
      cpuSystemSeconds: cpu.system / 1e6,
      residentBytes: memory.rss,
      heapTotalBytes: memory.heapTotal,
      heapUsedBytes: memory.heapUsed,
      externalBytes: memory.external,
      startedAtUnixSeconds: this.#startedAtUnixSeconds,
      loopLag: this.#lag.read(),
    };
  }

  close(): void {
    clearInterval(this.#ticker);
  }
}
