/**
 * What the pure folders (tsconfig.pure.json) use beyond the language itself: read from memory alone, and the same in Node and browsers.
 * Only as much of it as they use.
 */

declare class TextDecoder {
  constructor(label: 'utf-8', options: { readonly fatal: true });
  /** @throws TypeError for bytes that are not UTF-8. */
  decode(bytes: Uint8Array): string;
}
