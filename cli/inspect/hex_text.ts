/** Bytes as people write them in hexadecimal: plain, with spaces, as in C (`0x01, 0x02`) or in a string (`\x01\x02`). */

/** What may precede the bytes and follow them: brackets, quotes, and the end of an initialiser. */
const BEFORE = ' \t\r\v\f{[("\'';
const BEHIND = ' \t\r\v\f}])"\',;';

/** What may be between two bytes. */
const BETWEEN = /[\s,:]+/g;

/** One byte or more as C writes them: `0x1`, `0x01`, `\x01`, `0x0102`. */
const PREFIXED = /^(?:0x|\\x)([0-9a-f]+)$/i;

const DIGITS = /^(?:[0-9a-f]{2})+$/i;

/** The digits of `text`, two per byte, or null when it is not hexadecimal. Takes time linear in its length. */
export function hexDigits(text: string): string | null {
  const bare = withoutBrackets(text);
  const digits = /0x|\\x/i.test(bare) ? prefixedDigits(bare) : bare.replace(BETWEEN, '');
  return digits !== null && DIGITS.test(digits) ? digits : null;
}

function prefixedDigits(bare: string): string | null {
  let digits = '';
  for (const token of bare.replaceAll('\\x', ' \\x').split(BETWEEN)) {
    if (token === '') continue;
    const match = PREFIXED.exec(token);
    if (match === null) return null;
    // C's 0x1 is a byte.
    digits += match[1]!.length === 1 ? `0${match[1]}` : match[1];
  }
  return digits;
}

/** By hand: a pattern that is anchored at the end takes quadratic time over white space. */
function withoutBrackets(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && BEFORE.includes(text[start]!)) start += 1;
  while (end > start && BEHIND.includes(text[end - 1]!)) end -= 1;
  return text.slice(start, end);
}
