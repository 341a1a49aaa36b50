/**
 * The headers in which a proxy names the client: X-Forwarded-For, and Forwarded (RFC 7239). Parsed into hops in their order, the nearest
 * last; client_address.ts decides which of them to trust.
 *
 * The proxy appends to what the client sent, so an unreadable hop affects only itself where the header's syntax
 * allows that. After an unterminated quote the rest of the line is unclear, and the whole line becomes one unreadable hop.
 */

import { type Address, parseAddress } from './addresses.js';

/** An address, or null without one: `unknown`, an obfuscated identifier, garbage. */
export type Hop = Address | null;

/** RFC 9110's token. */
const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;

/** The hops of one line of X-Forwarded-For: addresses, possibly with a port or in brackets. */
export function hopsOfForwardedFor(line: string): Hop[] {
  return line.split(',').map((part) => parseNode(part.replace(/^[ \t]+|[ \t]+$/g, '')));
}

/** The hops of one line of Forwarded: the `for` of each element. */
export function hopsOfForwarded(line: string): Hop[] {
  const hops: Hop[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(line);
    if (!match) return null;
    at = pattern.lastIndex;
    return match[1] ?? match[0];
  };
  for (;;) {
    let node: string | null = null;
    for (;;) {
      take(/[ \t]*/y);
      const name = take(TOKEN);
      if (name !== null) {
        if (take(/=/y) === null) return [null];
        const value = line[at] === '"' ? take(QUOTED) : take(TOKEN);
        if (value === null) return [null];
        if (name.toLowerCase() === 'for') {
          // Two in one element: parsers would disagree on which one counts.
          if (node !== null) return [null];
          node = value.replace(/\\(.)/g, '$1');
        }
        take(/[ \t]*/y);
      }
      if (take(/;/y) === null) break;
    }
    hops.push(node === null ? null : parseNode(node));
    if (at === line.length) return hops;
    if (take(/,/y) === null) return [null];
  }
}

function parseNode(text: string): Hop {
  const bracketed = /^\[([^\]]*)\](?::[0-9]{1,5})?$/.exec(text);
  if (bracketed) {
    const inner = bracketed[1]!;
    return inner.includes(':') ? parseAddress(inner) : null;
  }
  const withPort = /^([0-9.]+):[0-9]{1,5}$/.exec(text);
  return parseAddress(withPort ? withPort[1]! : text);
}
