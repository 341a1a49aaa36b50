/** The counts and the state of a relay. */

import type { AddressFault } from '../addresses/client_address.js';
import type { RelayStateCounts } from '../core/io.js';
import type { AddressCounts } from './address_limits.js';
import type { TcpCounts } from './connection_admission.js';
import type { CertificateCounts } from './tls.js';

/** The states of a relay, in order. It accepts connections when it is listening. */
export type RelayState = 'starting' | 'listening' | 'draining' | 'closing';

/** Counts since the relay started; connections, participants and lobbies are current numbers. */
export interface RelayCounts extends RelayStateCounts {
  /** Requests that were refused, also in a drain, and TCP connections that were closed before they sent a request. */
  readonly notAdmitted: number;
  /** TCP connections of the voice port, WebSockets among them. */
  readonly tcp: TcpCounts;
  /**
   * Times that a listener with more than 64 KiB unsent was skipped: at least this many voice frames did
   * not reach one. The number can be higher, because uWebSockets discards the rest of a batch at its first drop without
   * reporting how much.
   */
  readonly backpressureDrops: number;
  /** How long frames of lobbies with several talkers wait at most to be sent together, in ms, 0 to 5. */
  readonly coalescingMs: number;
  /**
   * Listeners disconnected because a control message did not fit either: their view of the lobby would be
   * wrong.
   */
  readonly listenersCut: number;
  /** Counts of addresses; none are counted in development. */
  readonly addresses: AddressCounts;
  /** Connections that count for a proxy, or for nobody, because their own address could not be determined; by reason. */
  readonly addressFaults: Readonly<Record<AddressFault, number>>;
  /** Null without TLS. */
  readonly certificate: CertificateCounts | null;
}
