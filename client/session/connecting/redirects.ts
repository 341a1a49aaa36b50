/**
 * Which redirects of a draining relay we follow. Pure: instants are arguments.
 *
 * A relay can be hostile or compromised, so the credential for the next relay is only sent to hosts that the application named.
 */

import type { Milliseconds } from '../../../voice/units.js';

/** Why a redirect is not followed. */
export type RedirectRefusal =
  /** It is not a `ws:` or `wss:` URL. */
  | 'not-a-relay-url'
  /** It would leave TLS: from `wss:` to `ws:`. */
  | 'insecure'
  /** The URL contains a user name or a password. */
  | 'credentials-in-url'
  /** It is neither the host that was joined nor one of `redirectHosts`. */
  | 'host-not-allowed'
  /** Five redirects were followed, each within a minute of the one before. */
  | 'too-many'
  /** We have no credential for another hello: we are a guest, or the ticket is used up. */
  | 'no-credential';

/** How many redirects were followed, and how many were refused, by reason. */
export interface RedirectCounts {
  readonly followed: number;
  readonly refused: Readonly<Record<RedirectRefusal, number>>;
}

/** The most redirects followed in a row. One that comes more than `CHAIN_MS` after the one before begins a new row. */
const MAX_CHAIN = 5;
const CHAIN_MS: Milliseconds = 60_000;

/** The most hosts in `redirectHosts`. */
const MAX_HOSTS = 256;

/** A host name or address (IPv6 in brackets), optionally with a port. */
const HOST = /^(\[[\da-f:.]+\]|[^\s:/?#@[\]\\]+)(:\d{1,5})?$/i;

export class Redirects {
  /** `host` where any port is allowed, or `host:port`. */
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
   * @param joined The relay that the application joined: its host is allowed, on any port.
   * @param hosts Other hosts allowed: `relay.example` on any port, `relay.example:7800` on that one. Exact names, no patterns.
   * @throws RangeError for an entry that is not a host, or for more than 256 hosts.
   */
  constructor(joined: URL, hosts: readonly string[] = []) {
    if (hosts.length > MAX_HOSTS) {
      throw new RangeError(`Cannot join: ${hosts.length} redirectHosts, expected at most ${MAX_HOSTS}`);
    }
    this.#hosts.add(joined.hostname);
    for (const host of hosts) this.#hosts.add(normalHost(host));
  }

  /** Checks a redirect from the relay at `from`. Returns the URL to go to, or why it is refused, which is counted. */
  judge(goTo: string, from: URL, now: Milliseconds): URL | RedirectRefusal {
    const judged = this.#judge(goTo, from, now);
    if (typeof judged === 'string') this.refuse(judged);
    return judged;
  }

  /** Counts a refused redirect, and returns the reason. */
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

/** A host in the form that URLs use: lower case, punycode, canonical addresses. @throws RangeError if it is not a host. */
export function normalHost(host: string): string {
  const match = typeof host === 'string' ? HOST.exec(host) : null;
  const url = match && URL.canParse(`ws://${host}`) ? new URL(`ws://${host}`) : null;
  if (!match || !url) {
    throw new RangeError(
      `Cannot join: redirectHosts contains ${JSON.stringify(host)}, expected a host such as relay.example or relay.example:7800`,
    );
  }
  return match[2] === undefined ? url.hostname : hostAndPort(url);
}

function hostAndPort(url: URL): string {
  return `${url.hostname}:${url.port || (url.protocol === 'wss:' ? '443' : '80')}`;
}
