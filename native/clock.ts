/** CLOCK_MONOTONIC in ms: the same in every thread and process of this machine, unlike performance.now(). */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
