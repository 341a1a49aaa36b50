/** What running (or building) the parts of Hotmic on one platform came to: the files of out/platforms/ and test/platforms/results/. */

/** The parts, in the order of the table's columns. */
export const CELLS = ['codec', 'client', 'capture', 'addon', 'relay on uws', 'relay on ws'] as const;

export type CellName = (typeof CELLS)[number];

/**
 * The first word, and why after a colon:
 *
 * - `pass`: it ran and did what it has to.
 * - `fail`: it ran, or should have, and did not.
 * - `built`: there is a binary for it, which cannot run here.
 * - `none`: nothing for it exists, or it was not tried.
 */
export type Cell = `${'pass' | 'fail' | 'built' | 'none'}${'' | `: ${string}`}`;

/** One row of the table. */
export interface PlatformResult {
  /** Such as `linux-x64 glibc 2.36`. */
  readonly platform: string;
  /** `run here`, `run under emulation (wine 8.0)`, `built only`. */
  readonly how: string;
  /** Node's version, such as `24.22.3`, or `Bun 1.4.5`; empty when nothing ran. */
  readonly node: string;
  /** A part that is missing here was not tried, and has none. */
  readonly cells: Readonly<Partial<Record<CellName, Cell>>>;
  /** The tests that ran there besides the smoke, by file: those of TESTS in platforms.ts. */
  readonly tests?: Readonly<Record<string, TestCounts>>;
}

/** Sentences of a test program. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What a smoke prints: the same, as far as the program itself knows. */
export type SmokeLine = Pick<PlatformResult, 'platform' | 'node' | 'cells'>;

/** @throws Error for any other name. */
export function cellOf(name: string): CellName {
  const cell = CELLS.find((it) => it === name);
  if (cell === undefined) throw new Error(`Unknown cell ${name}: expected one of ${CELLS.join(', ')}`);
  return cell;
}

/** `linux-x64 glibc 2.36`, as far as this process can see. */
export function thisPlatform(): string {
  const name = `${process.platform}-${process.arch}`;
  const { bun, deno } = process.versions as { bun?: string; deno?: string };
  // Deno reports a glibc that is not the system's.
  if (process.platform !== 'linux' || bun || deno) return name;
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return `${name} ${header.glibcVersionRuntime ? `glibc ${header.glibcVersionRuntime}` : 'musl'}`;
}
