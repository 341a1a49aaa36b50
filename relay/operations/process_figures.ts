/**
 * What the process uses, for the operator: CPU, memory, and how late its event loop runs. One loop
 * carries all voice, so its lateness delays everybody.
 */

import { createHistogram, performance, type RecordableHistogram } from 'node:perf_hooks';
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

/** The wait between two ticks. */
export const TICK_MS: Milliseconds = 20;
/** The same in a quiet loop: each tick wakes the process, which can cost more than all else that it does. */
export const QUIET_TICK_MS: Milliseconds = 200;
/** A loop that does something in a smaller share of the time than this is quiet. */
const QUIET_SHARE = 0.05;

/**
 * How late a tick comes. Node's monitorEventLoopDelay is not used: it counts the interval itself as
 * delay, and forgets its last tick at each reset, so that it misses a stall just after a reading.
 */
export class LagMeter {
  readonly #lateNs: RecordableHistogram = createHistogram();
  #dueAt: Milliseconds | null = null;

  /**
   * Notes how late a tick is.
   *
   * @param busy The share of the time since the previous tick in which the loop did something, 0 to 1.
   * @returns The wait until the next tick.
   */
  tick(now: Milliseconds, busy: number): Milliseconds {
    const lateMs = this.#dueAt === null ? 0 : now - this.#dueAt;
    const wait = busy < QUIET_SHARE ? QUIET_TICK_MS : TICK_MS;
    this.#dueAt = now + wait;
    // The histogram accepts integers from 1.
    this.#lateNs.record(Math.max(1, Math.round(lateMs * 1e6)));
    return wait;
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

/** Watches the process from when it is made until it is closed. Does not keep it alive. */
export class ProcessWatch {
  readonly #lag = new LagMeter();
  /** Computed once: each time, rounding would give another value. */
  readonly #startedAtUnixSeconds = Math.round(Date.now() / 1000 - process.uptime());
  #utilization = performance.eventLoopUtilization();
  #timer: NodeJS.Timeout | null = null;

  constructor() {
    this.#tick();
  }

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
    if (this.#timer) clearTimeout(this.#timer);
  }

  #tick(): void {
    const before = this.#utilization;
    this.#utilization = performance.eventLoopUtilization();
    const { utilization: busy } = performance.eventLoopUtilization(this.#utilization, before);
    this.#timer = setTimeout(() => this.#tick(), this.#lag.tick(monotonicMs(), busy)).unref();
  }
}
