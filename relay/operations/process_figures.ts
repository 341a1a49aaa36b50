/**
 * What the process uses, for the operator: CPU, memory, and how late its event loop runs. One loop
 * carries all voice, so its lateness delays everybody.
 */

import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { Milliseconds } from '../../voice/units.js';
import { monotonicMs } from '../system/clock.js';

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

/** How late ticks came since the previous reading; 0 without any ticks. */
export interface LoopLag {
  readonly p50Seconds: number;
  readonly p99Seconds: number;
  readonly maxSeconds: number;
}

/**
 * How late a regular tick comes. Node's monitorEventLoopDelay is not used: it counts the interval itself as
 * delay, and forgets its last tick at each reset, so that it misses a stall just after a reading.
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
    // The histogram accepts integers from 1.
    this.#lateNs.record(Math.max(1, Math.round(lateMs * 1e6)));
  }

  /** The lag since the previous reading. */
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
  readonly #ticker = setInterval(() => this.#lag.tick(monotonicMs()), TICK_MS).unref();
  /** Computed once: each time, rounding would give another value. */
  readonly #startedAtUnixSeconds = Math.round(Date.now() / 1000 - process.uptime());

  /** The current figures. Each reading resets the lag. */
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
