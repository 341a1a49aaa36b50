/**
 * How many bytes of V8's new space a call takes: measured by a program of its own, the probe, and asked for by a test. Every object and every boxed
 * number begins in the new space, and without a collection its used size only grows, by the byte.
 */

import { execFileSync } from 'node:child_process';
import { getHeapSpaceStatistics } from 'node:v8';

/** With the control 'bytes' each call also makes one small object, which shows that the measure would find it. */
export type AllocationControl = 'bytes' | 'nothing';

/** What a probe prints: the bytes of each round, whether the control was made, and counts that show what took part. */
export interface ProbeResult {
  readonly bytesPerPull: readonly number[];
  readonly made: AllocationControl;
  readonly [count: string]: unknown;
}

function usedBytes(): number {
  return getHeapSpaceStatistics().find((space) => space.space_name === 'new_space')!.space_used_size;
}

/** For a probe: the bytes that `calls` takes, divided by how many calls it says it made. Below 0 if something was collected. */
export function bytesPerCall(calls: () => number): number {
  // What looking costs by itself.
  const first = usedBytes();
  const before = usedBytes();
  const made = calls();
  return (usedBytes() - before - (before - first)) / made;
}

/** For a test: runs a probe with a new space of so many MiB, and returns what it prints as JSON. */
export function runProbe(semiSpaceMiB: number, args: readonly string[]): ProbeResult {
  const flags = [`--min-semi-space-size=${semiSpaceMiB}`, `--max-semi-space-size=${semiSpaceMiB}`];
  // With coverage V8 compiles differently; Node passes the variable on unless it is set here.
  const env = { ...process.env, NODE_V8_COVERAGE: '' };
  return JSON.parse(execFileSync(process.execPath, [...flags, ...args], { env, encoding: 'utf8' }));
}
