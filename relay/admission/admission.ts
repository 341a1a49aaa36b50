/**
 * Who may connect. Where tokens are judged, anyone may, and shows who they are in the hello. In development nobody proves
 * anything, so that the relay runs for a developer alone: on loopback, for peers on loopback that came straight and not
 * through a proxy, and for no web page from elsewhere.
 *
 * Pure functions of options, address and headers.
 */

import { isLoopbackAddress, isLoopbackHost } from '../addresses/loopback.js';

/** What admission wants to know of a relay that is about to start. */
export interface StartRequest {
  /** Whether it was started for development, with `--dev`. */
  readonly dev: boolean;
  /** Whether it has anything to tell people by, or admits guests. `unproven-only`: app tickets, which prove nothing alone. */
  readonly judges: 'some' | 'unproven-only' | 'none';
  /** Where it is to listen. */
  readonly host: string;
}

/** What admission wants to know of a connection. */
export interface PeerRequest {
  /** The other end of the socket, as text. */
  readonly peer: string;
  /** The address that a PROXY protocol preamble names; empty when there was no preamble. */
  readonly proxiedPeer: string;
  /** Every header, names in lower case. */
  readonly headers: Iterable<readonly [name: string, value: string]>;
}

/** Why admission refuses. Append only. */
export type AdmissionFault =
  | 'not-dev'
  | 'not-proof'
  | 'host-public'
  | 'peer-remote'
  | 'peer-forwarded'
  | 'origin-remote'
  | 'origin-unlisted';

export type Admission =
  | { readonly kind: 'admitted' }
  | { readonly kind: 'refused'; readonly reason: AdmissionFault; readonly detail: string };

const ADMITTED: Admission = { kind: 'admitted' };

/**
 * Headers that a proxy leaves behind; besides these, everything that starts with `x-forwarded`. A proxy on
 * this machine connects from loopback for people who are not on it.
 */
const FORWARDING_HEADERS: ReadonlySet<string> = new Set([
  'forwarded',
  'forwarded-for',
  'via',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-original-forwarded-for',
  'x-original-host',
  'x-envoy-external-address',
  'x-azure-clientip',
  'x-appengine-user-ip',
  'cf-connecting-ip',
  'cf-connecting-ipv6',
  'cf-ray',
  'cdn-loop',
  'true-client-ip',
  'fastly-client-ip',
  'fly-client-ip',
  'client-ip',
]);

/** Whether a relay may start. */
export function admitStart({ dev, judges, host }: StartRequest): Admission {
  if (!dev && judges === 'none') {
    return refused(
      'not-dev',
      "it would not know whom to let in, wants keys to judge tokens by (--token-keys, tokens), Steam's tickets, or --dev (dev: true) for use " +
        'on this machine alone',
    );
  }
  if (!dev && judges === 'unproven-only') {
    return refused(
      'not-proof',
      'nobody could join: it takes app tickets alone, and an app ticket does not prove who a player is; expected keys to judge tokens by ' +
        '(--token-keys, tokens) or web tickets (--tickets-web-app-id, webTickets) beside them, or that you accept that any player can ' +
        'join as any other (--tickets-app-alone trust-forgeable)',
    );
  }
  if (dev && !isLoopbackHost(host)) {
    return refused(
      'host-public',
      `host is ${host}, wants a loopback one such as 127.0.0.1: in development anyone who connects is let in`,
    );
  }
  return ADMITTED;
}

/** Whether a connection may become a WebSocket of a relay in development. */
export function admitPeer({ peer, proxiedPeer, headers }: PeerRequest): Admission {
  if (!isLoopbackAddress(peer)) {
    return refused('peer-remote', `peer is ${peer || 'unknown'}, wants one on this machine`);
  }
  if (proxiedPeer !== '') {
    return refused('peer-forwarded', `a proxy connects for ${proxiedPeer}, wants a direct connection`);
  }
  for (const [name, value] of headers) {
    if (FORWARDING_HEADERS.has(name) || name.startsWith('x-forwarded')) {
      return refused('peer-forwarded', `there is a header ${name}, wants a direct connection without proxy`);
    }
    // A browser says which page connects. One from elsewhere must not reach the developer's relay.
    if (name === 'origin' && !isLoopbackOrigin(value)) {
      return refused('origin-remote', `Origin is ${value.slice(0, 200)}, wants a page from this machine`);
    }
  }
  return ADMITTED;
}

/** Whether a connection may become a WebSocket of a relay that judges tokens: only browsers are asked where they come from. */
export function admitOrigin(headers: PeerRequest['headers'], origins: readonly string[]): Admission {
  for (const [name, value] of headers) {
    if (name !== 'origin' || origins.includes(value)) continue;
    return refused('origin-unlisted', `Origin is ${value.slice(0, 200)}, wants one that the relay lists`);
  }
  return ADMITTED;
}

/** `null`, which a sandboxed page or a file sends, is no origin of ours: any page can make one. */
function isLoopbackOrigin(origin: string): boolean {
  return URL.canParse(origin) && isLoopbackHost(new URL(origin).hostname);
}

function refused(reason: AdmissionFault, detail: string): Admission {
  return { kind: 'refused', reason, detail };
}
