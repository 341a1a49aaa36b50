/** Hexadecimal text to bytes and back, for golden bytes in tests. */

/** The bytes that `text` spells; white space is ignored. */
export function bytesOfHex(text: string): Uint8Array {
  const digits = text.replaceAll(/\s/g, '');
  if (digits.length % 2 !== 0 || /[^0-9a-f]/i.test(digits)) {
    throw new TypeError(`Cannot read hexadecimal: '${text}', expected pairs of digits`);
  }
  return Uint8Array.from(Buffer.from(digits, 'hex'));
}

/** `bytes` in lower-case hexadecimal, without spaces. */
export function hexOfBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
