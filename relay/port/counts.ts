/** What a relay counts, and how far it is. */

import type { AddressFault } from '../addresses/client_address.js';
import type { RelayStateCounts } from '../core/io.js';
import type { AddressCounts } from './address_limits.js';
import type { TcpCounts } from './connection_admission.js';
import type { CertificateCounts } from './tls.js';

/** How far a relay is. It is ready for connections when it is listening. */
export type RelayState = 'starting' | 'listening' | 'draining' | 'closing';

/** Counts since the relay began; connections, participants and lobbies are those of now. */
export interface RelayCounts extends RelayStateCounts {
  /** Requests that admission refused, or that came in a drain; and TCP connections closed before they asked for anything. */
  readonly notAdmitted: number;
  /** TCP connections of the voice port, WebSockets among them. */
  readonly tcp: TcpCounts;
  /**
   * Times that a listener with more than 64 KiB unsent was passed over: at least this many voice frames did
   * not reach one. For uWebSockets gives up the rest of a batch at its first drop and does not say how much
   * that was.
   */
  readonly backpressureDrops: number;
  /**
   * Listeners cut off because a control message did not fit either: what they believed of the lobby would be
   * wrong.
   */
  readonly listenersCut: number;
  /** What addresses did; in development they are not counted. */
  readonly addresses: AddressCounts;
  /** Connections that were counted for a proxy, or for nobody, because their own address was not to be had; by why. */
  readonly addressFaults: Readonly<Record<AddressFault, number>>;
  /** Null without TLS. */
  readonly certificate: CertificateCounts | null;
}
