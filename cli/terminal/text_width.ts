/** How many columns a text takes on a terminal, and texts cut or padded to a number of columns. */

import { eastAsianWidth } from 'get-east-asian-width';

const GRAPHEMES = new Intl.Segmenter('en', { granularity: 'grapheme' });
const MARKS_ONLY = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]*$/u;
const EMOJI = /^\p{Emoji_Presentation}|\ufe0f/u;
const ASCII = /^[\x20-\x7e]*$/;

/** The columns of a text without control characters. */
export function textWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of GRAPHEMES.segment(text)) width += graphemeWidth(segment);
  return width;
}

/** `text` in exactly `columns` columns: cut, with `ellipsis` at its end, or padded with spaces. */
export function fitted(text: string, columns: number, ellipsis: string): string {
  const shown = cut(text, columns, ellipsis);
  return shown + ' '.repeat(Math.max(0, columns - textWidth(shown)));
}

/** `text` in at most `columns` columns, with `ellipsis`, of one column, where it was cut. */
export function cut(text: string, columns: number, ellipsis: string): string {
  if (columns <= 0) return '';
  if (textWidth(text) <= columns) return text;
  let width = 0;
  let shown = '';
  for (const { segment } of GRAPHEMES.segment(text)) {
    width += graphemeWidth(segment);
    if (width > columns - 1) break;
    shown += segment;
  }
  return shown + ellipsis;
}

/** Terminals differ for rare emoji; none takes more than this. */
function graphemeWidth(grapheme: string): number {
  if (MARKS_ONLY.test(grapheme)) return 0;
  if (EMOJI.test(grapheme)) return 2;
  let width = 0;
  for (const character of grapheme) {
    if (MARKS_ONLY.test(character)) continue;
    width = Math.max(width, eastAsianWidth(character.codePointAt(0)!));
  }
  return width;
}
