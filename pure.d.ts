/**
 * What the pure folders (tsconfig.pure.json) use beyond the language itself: read from memory alone, and the same in Node and browsers.
 * Only as much of it as they use.
 */

declare class TextDecoder {
  constructor(label: 'utf-8', options: { readonly fatal: true });
  /** @throws TypeError for bytes that are not UTF-8. */
  decode(bytes: Uint8Array): string;
}

declare class URL {
  static canParse(text: string): boolean;
  /** @throws TypeError for a text that is not a URL. */
  constructor(url: string | URL);
  readonly protocol: string;
  readonly hostname: string;
  readonly port: string;
  readonly hash: string;
  readonly href: string;
  username: string;
  password: string;
}
