/** A document that holds the figures of a benchmark between two marks, and the result that they come from. */

import { readFileSync } from 'node:fs';
import type { Result } from './result.js';

export interface FiguresPage {
  readonly path: string;
  readonly begin: string;
  readonly end: string;
}

/** The page's text with `figures` between its marks. @throws Error if a mark is missing. */
export function insertFigures({ path, begin, end }: FiguresPage, text: string, figures: string): string {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`Cannot write figures: ${path} has no marks for them`);
  return `${text.slice(0, from + begin.length)}\n\n${figures}\n\n${text.slice(to)}`;
}

/** The last result of a benchmark. @throws Error for a void one. */
export function lastResult(path: string): Result {
  const result = JSON.parse(readFileSync(path, 'utf8')) as Result;
  if (result.void !== null) throw new Error(`Cannot write figures: the last result is void: ${result.void}`);
  return result;
}
