/**
 * Who may connect. Where credentials are judged, anyone may connect, and proves who they are in the hello. In development nobody proves
 * anything, so the relay serves only this machine: it listens on loopback, for peers on loopback without a proxy between, and not for web
 * pages from elsewhere.
 *
 * Pure functions of options, address and headers.
 */

import { isLoopbackAddress, isLoopbackHost } from '../addresses/loopback.js';

/** What is known of a relay that is about to start. */
export interface StartRequest {
  /** Whether it was started for development, with `--dev`. */
  readonly dev: boolean;
  /** Whether it can judge any credential, or admits guests. `unproven-only`: only app tickets, which prove nothing alone. */
  readonly judges: 'some' | 'unproven-only' | 'none';
  /** The host to listen on. */
  readonly host: string;
}

/** What is known of a connection. */
export interface PeerRequest {
  /** The other end of the socket, as text. */
  readonly peer: string;
  /** The address that a PROXY protocol preamble names; empty without a preamble. */
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

/** Whether a connection is admitted; if not, why. */
export type Admission =
  | { readonly kind: 'admitted' }
  | { readonly kind: 'refused'; readonly reason: AdmissionFault; readonly detail: string };

const ADMITTED: Admission = { kind: 'admitted' };

/**
 * Headers that a proxy adds; besides these, everything that starts with `x-forwarded`. A proxy on
 * this machine connects from loopback for clients elsewhere.
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
      "nobody could join. Configure keys to verify tokens (--token-keys; in code: tokens) or Steam's tickets, or use --dev to admit " +
        'anyone on this machine',
    );
  }
  if (!dev && judges === 'unproven-only') {
    return refused(
      'not-proof',
      'nobody could join: it accepts only app tickets, and an app ticket does not prove who a player is. Add keys to verify tokens ' +
        '(--token-keys; in code: tokens) or web tickets (--tickets-web-app-id; in code: webTickets), or accept that any player can ' +
        'join as any other (--tickets-app-alone trust-forgeable)',
    );
  }
  if (dev && !isLoopbackHost(host)) {
    return refused(
      'host-public',
      `host is ${host}, expected a loopback address such as 127.0.0.1: in development anyone who connects is admitted`,
    );
  }
  return ADMITTED;
}

/** Whether a connection may become a WebSocket of a relay in development. */
export function admitPeer({ peer, proxiedPeer, headers }: PeerRequest): Admission {
  if (!isLoopbackAddress(peer)) {
    return refused('peer-remote', `peer is ${peer || 'unknown'}, expected one on this machine`);
  }
  if (proxiedPeer !== '') {
    return refused('peer-forwarded', `a proxy connects for ${proxiedPeer}, expected a direct connection`);
  }
  for (const [name, value] of headers) {
    if (FORWARDING_HEADERS.has(name) || name.startsWith('x-forwarded')) {
      return refused(
        'peer-forwarded',
        `there is a header ${name}, expected a direct connection without a proxy`,
      );
    }
    // A browser names the page that connects. A page from elsewhere must not reach the developer's relay.
    if (name === 'origin' && !isLoopbackOrigin(value)) {
      return refused('origin-remote', `Origin is ${value.slice(0, 200)}, expected a page from this machine`);
    }
  }
  return ADMITTED;
}

/** Whether a connection may become a WebSocket of a relay that judges credentials. Only browsers send an Origin, which has to be listed. */
export function admitOrigin(headers: PeerRequest['headers'], origins: readonly string[]): Admission {
  for (const [name, value] of headers) {
    if (name !== 'origin' || origins.includes(value)) continue;
    return refused('origin-unlisted', `Origin is ${value.slice(0, 200)}, expected one that the relay lists`);
  }
  return ADMITTED;
}

/** `null`, which a sandboxed page or a file sends, does not count as loopback: any page can send it. */
function isLoopbackOrigin(origin: string): boolean {
  return URL.canParse(origin) && isLoopbackHost(new URL(origin).hostname);
}

function refused(reason: AdmissionFault, detail: string): Admission {
  return { kind: 'refused', reason, detail };
}
