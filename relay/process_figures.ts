/**
 * What the process itself uses, for the operator: CPU, memory, and how late its event loop runs. One loop
 * carries all voice, so its lateness is everybody's.
 */

import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

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

/** How late timers fired since the reading before; 0 when none did. */
export interface LoopLag {
  readonly p50Seconds: number;
  readonly p99Seconds: number;
  readonly maxSeconds: number;
}

const LAG_RESOLUTION_MS = 10;

/** Watches the process from when it is made until it is closed. */
export class ProcessWatch {
  readonly #lag: IntervalHistogram;
  /** Taken once: computed anew, it would wander by the rounding. */
  readonly #startedAtUnixSeconds = Math.round(Date.now() / 1000 - process.uptime());

  constructor() {
    this.#lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
    this.#lag.enable();
  }

  /** The figures of now. The lag begins anew with each reading. */
  read(): ProcessFigures {
    const cpu = process.cpuUsage();
    const memory = process.memoryUsage();
    const lag = this.#lag;
    const loopLag = {
      p50Seconds: latenessSeconds(lag.percentile(50)),
      p99Seconds: latenessSeconds(lag.percentile(99)),
      maxSeconds: latenessSeconds(lag.max),
    };
    lag.reset();
    return {
      cpuUserSeconds: cpu.user / 1e6,
      cpuSystemSeconds: cpu.system / 1e6,
      residentBytes: memory.rss,
      heapTotalBytes: memory.heapTotal,
      heapUsedBytes: memory.heapUsed,
      externalBytes: memory.external,
      startedAtUnixSeconds: this.#startedAtUnixSeconds,
      loopLag,
    };
  }

  close(): void {
    this.#lag.disable();
  }
}

/** Node records the whole time from one tick of its timer to the next, the wait that was asked for included. */
function latenessSeconds(betweenTicksNs: number): number {
  return Math.max(0, betweenTicksNs - LAG_RESOLUTION_MS * 1e6) / 1e9;
}
