/**
 * Text from outside, made safe to show: no control characters or escape sequences, nothing that turns the line around, and of a bounded length.
 */

/** The most that is shown of a text from outside, in characters. */
export const MAX_PRINTABLE_CHARS = 4096;

/**
 * `text` on one line, without what could steer a terminal or turn the line around.
 *
 * @param maxChars What is longer is cut there and ends in `…`. Default `MAX_PRINTABLE_CHARS`.
 */
export function printable(text: string, maxChars: number = MAX_PRINTABLE_CHARS): string {
  // Cut before it is searched, so that the time is bounded as well.
  const cut = text.length > maxChars ? `${text.slice(0, maxChars)}…` : text;
  return cut.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '');
}
