/**
 * The headers in which a proxy says for whom it connects: X-Forwarded-For, and Forwarded (RFC 7239). Read into hops, the nearest
 * last, as they stand; whether they are believed is decided elsewhere.
 *
 * What a client sent stands in front of what the proxy added, so a hop that cannot be read spoils itself alone where the header's
 * form lets that be told. Where a quote is open the rest of the line is unclear, and all of that line is one hop that is none.
 */

import { type Address, parseAddress } from './addresses.js';

/** An address, or null for one that is not told: `unknown`, an obfuscated identifier, garbage. */
export type Hop = Address | null;

/** RFC 9110's token. */
const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;

/** The hops of one line of X-Forwarded-For: addresses, also with a port, also bracketed. */
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
          // Two in one element: two readers would take one each.
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
