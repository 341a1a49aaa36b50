/**
 * Text from outside, made safe to show: no control characters or escape sequences, no change of writing direction, bounded length.
 */

/** The longest text from outside that is shown, in characters. */
export const MAX_PRINTABLE_CHARS = 4096;

/**
 * `text` on one line, without characters that could control a terminal or change the writing direction.
 *
 * @param maxChars A longer text is cut there and ends in `…`. Default `MAX_PRINTABLE_CHARS`.
 */
export function printable(text: string, maxChars: number = MAX_PRINTABLE_CHARS): string {
  // Cut first, so that the time of the search is bounded as well.
  const cut = text.length > maxChars ? `${text.slice(0, maxChars)}…` : text;
  return cut.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '');
}
