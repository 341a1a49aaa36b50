/** What running (or building) the parts of Hotmic on one platform came to: the files of out/platforms/ and docs/platforms/. */

/** The parts, in the order of the table's columns. */
export const CELLS = ['codec', 'client', 'capture', 'addon', 'relay on uws', 'relay on ws'] as const;

export type CellName = (typeof CELLS)[number];

/**
 * - `pass`: it ran here and did what it has to.
 * - `fail: why`
 * - `built: how the file was checked`: there is a binary for it, which cannot run here.
 * - `none: why`: there is none.
 */
export type Cell = 'pass' | `${'fail' | 'built' | 'none'}: ${string}`;

/** One row of the table. */
export interface PlatformResult {
  /** Such as `linux-x64 glibc 2.36`. */
  readonly platform: string;
  /** `run here`, `run under emulation (wine 8.0)`, `built only`. */
  readonly how: string;
  /** Such as `Node 24.22.0`, `Bun 1.3.3`; empty when nothing ran. */
  readonly runtime: string;
  /** ISO 8601, the day of the run. */
  readonly day: string;
  readonly cells: Readonly<Record<CellName, Cell>>;
}

/** What a smoke prints: the same, as far as the program itself knows. */
export type SmokeLine = Pick<PlatformResult, 'platform' | 'runtime'> & {
  readonly cells: Partial<Record<CellName, Cell>>;
};

/** @throws Error for a name that is none of the cells. */
export function cellOf(name: string): CellName {
  const cell = CELLS.find((it) => it === name);
  if (cell === undefined) throw new Error(`Unknown cell ${name}: expected one of ${CELLS.join(', ')}`);
  return cell;
}
