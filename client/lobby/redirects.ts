/**
 * Where a relay that drains may send us. Pure: instants are arguments.
 *
 * A relay can be hostile, or taken over: the credential that we show at the next one goes nowhere that the application did not name.
 */

import type { Milliseconds } from '../../voice/units.js';

/** Why we do not go where the relay sent us. */
export type RedirectRefusal =
  /** It is not a `ws:` or `wss:` URL. */
  | 'not-a-relay-url'
  /** It would leave TLS: from `wss:` to `ws:`. */
  | 'insecure'
  /** It holds a user name or a password. */
  | 'credentials-in-url'
  /** It is neither the host that was joined nor one of `redirectHosts`. */
  | 'host-not-allowed'
  /** Five were followed, each within a minute of the one before. */
  | 'too-many'
  /** We cannot say hello again: as a guest, or with a ticket that was used. */
  | 'no-credential';

/** How many were followed, and how many were not, by reason. */
export interface RedirectCounts {
  readonly followed: number;
  readonly refused: Readonly<Record<RedirectRefusal, number>>;
}

/** Redirects that are followed in a row; one that comes more than `CHAIN_MS` after the one before begins a new row. */
const MAX_CHAIN = 5;
const CHAIN_MS: Milliseconds = 60_000;

/** Hosts that may be named: bounds what is compared. */
const MAX_HOSTS = 256;

/** A host name or address, in brackets where it is IPv6, and perhaps a port. */
const HOST = /^(\[[\da-f:.]+\]|[^\s:/?#@[\]\\]+)(:\d{1,5})?$/i;

export class Redirects {
  /** Host names without a port, where every port is allowed, and `host:port`. */
  readonly #hosts = new Set<string>();
  readonly #refused: Record<RedirectRefusal, number> = {
    'not-a-relay-url': 0,
    insecure: 0,
    'credentials-in-url': 0,
    'host-not-allowed': 0,
    'too-many': 0,
    'no-credential': 0,
  };
  #followed = 0;
  #chain = 0;
  #lastAt: Milliseconds = Number.NEGATIVE_INFINITY;

  /**
   * @param joined The relay that the application joined: its host is allowed, at every port.
   * @param hosts What else is allowed: `relay.example` at every port, `relay.example:7800` at that one. Exact names, no patterns.
   * @throws RangeError for what is not a host, or more than 256 of them.
   */
  constructor(joined: URL, hosts: readonly string[] = []) {
    if (hosts.length > MAX_HOSTS) {
      throw new RangeError(`Cannot join: ${hosts.length} redirectHosts, expected at most ${MAX_HOSTS}`);
    }
    this.#hosts.add(joined.hostname);
    for (const host of hosts) this.#hosts.add(normalHost(host));
  }

  /** Judges the URL that the relay at `from` sent us to; what is refused is counted. */
  judge(goTo: string, from: URL, now: Milliseconds): URL | RedirectRefusal {
    const judged = this.#judge(goTo, from, now);
    if (typeof judged === 'string') this.refuse(judged);
    return judged;
  }

  /** Counts one that is not followed, and gives the reason back. */
  refuse(reason: RedirectRefusal): RedirectRefusal {
    this.#refused[reason] += 1;
    return reason;
  }

  /** We go there now. */
  followed(now: Milliseconds): void {
    this.#chain = this.#isInChain(now) ? this.#chain + 1 : 1;
    this.#lastAt = now;
    this.#followed += 1;
  }

  counts(): RedirectCounts {
    return { followed: this.#followed, refused: { ...this.#refused } };
  }

  #judge(goTo: string, from: URL, now: Milliseconds): URL | RedirectRefusal {
    const url = URL.canParse(goTo) ? new URL(goTo) : null;
    if (!url || (url.protocol !== 'ws:' && url.protocol !== 'wss:') || url.hash !== '')
      return 'not-a-relay-url';
    if (url.protocol === 'ws:' && from.protocol === 'wss:') return 'insecure';
    if (url.username !== '' || url.password !== '') return 'credentials-in-url';
    if (!this.#hosts.has(url.hostname) && !this.#hosts.has(hostAndPort(url))) return 'host-not-allowed';
    if (this.#isInChain(now) && this.#chain >= MAX_CHAIN) return 'too-many';
    return url;
  }

  #isInChain(now: Milliseconds): boolean {
    return now - this.#lastAt <= CHAIN_MS;
  }
}

/** As a URL writes it: lower case, punycode, addresses in one form. @throws RangeError for what is not a host. */
export function normalHost(host: string): string {
  const match = typeof host === 'string' ? HOST.exec(host) : null;
  const url = match && URL.canParse(`ws://${host}`) ? new URL(`ws://${host}`) : null;
  if (!match || !url) {
    throw new RangeError(
      `Cannot join: redirectHosts has ${JSON.stringify(host)}, expected a host such as relay.example or relay.example:7800`,
    );
  }
  return match[2] === undefined ? url.hostname : hostAndPort(url);
}

function hostAndPort(url: URL): string {
  return `${url.hostname}:${url.port || (url.protocol === 'wss:' ? '443' : '80')}`;
}
