/**
 * What starting a relay gives: the events that it reports, and the handle of a running relay.
 */

import type { Milliseconds } from '../voice/units.js';
import type { RelayEvent } from './core/io.js';
import type { SanctionsFileEvent } from './moderation_store/sanctions_file.js';
import type { AdminEvent } from './operations/admin/api.js';
import type { ConnectionRefusal } from './port/connection_admission.js';
import type { RelayCounts } from './port/counts.js';
import type { SocketLayerName } from './port/sockets/layer.js';
import type { CertificateEvent } from './port/tls.js';
import type { RefusalsEvent } from './refusal_digest.js';
import type { WebhookEvent } from './webhooks/webhooks.js';

/**
 * The events of `onEvent`. Of refusals (`refused`, `not-admitted`, `admin-refused`) the first for each reason is reported; the following ones
 * are counted in one `refusals` per second, until ten seconds have passed without that reason.
 */
export type EventToTell =
  | RelayEvent
  | RiskEvent
  | AdmissionEvent
  | RefusalsEvent
  | CertificateEvent
  | AdminEvent
  | SanctionsFileEvent
  | WebhookEvent;

/** The relay starts with a setting that makes it less safe. */
export interface RiskEvent {
  readonly kind: 'at-risk';
  /** Stable. `app-tickets-forgeable`: app tickets alone admit players, and any player can forge one that names another. */
  readonly code: 'app-tickets-forgeable';
  readonly detail: string;
}

/** A connection that did not become a WebSocket. */
export interface AdmissionEvent {
  readonly kind: 'not-admitted';
  readonly reason: ConnectionRefusal;
  readonly detail: string;
}

/** A relay that `startRelay` started. */
export interface RunningRelay {
  readonly port: number;
  readonly sockets: {
    /** What holds the players' sockets. */
    readonly layer: SocketLayerName;
    /** If the option was `auto`: why it was taken, what it costs, and how to get the other one, in one line. Otherwise null. */
    readonly why: string | null;
  };
  /** Where clients connect, such as `ws://127.0.0.1:9000/`. */
  readonly url: string;
  /** The URL of the operations port, such as `http://127.0.0.1:9464/`; null without `operations`. */
  readonly operationsUrl: string | null;
  /** The URL of the admin API; null without `admin`. */
  readonly adminUrl: string | null;
  /** Totals since the start, and the current numbers. A copy. */
  counts(): RelayCounts;
  /**
   * Reads the admin tokens and the webhooks' secrets again. Removed ones are no longer accepted.
   *
   * @throws HotmicError ERR_HOTMIC_FILE; the previous ones that could not be read again stay in use.
   */
  reloadSecrets(): void;
  /**
   * Reads certificate and key again now; otherwise that happens within seconds after the files changed. Open connections
   * keep their certificate; new ones get the new one.
   *
   * @throws HotmicError `ERR_HOTMIC_TLS` when it cannot be used, or the relay has no TLS; the previous one stays in use.
   *   `ERR_HOTMIC_CLOSED` when the relay is closing.
   */
  reloadCertificate(): Promise<'loaded' | 'unchanged'>;
  /**
   * Refuses new connections (503 with Retry-After, and `/readyz` answers 503 at once), waits until all connections
   * have closed or `withinMs` is over, then closes. Resolves when everything is closed. Later calls change nothing and
   * resolve at the same time; `close` ends the wait.
   *
   * @param goTo The URL of another relay, which is sent to everybody. Default none.
   * @throws RangeError when `withinMs` is not 0 to 86400000.
   */
  drain(withinMs: Milliseconds, goTo?: string | null): Promise<void>;
  /**
   * Stops listening at once, closes every connection with code 1001, and resolves when everything is closed.
   * Idempotent.
   */
  close(): Promise<void>;
  /** Resolves when everything is closed, whoever closed it. */
  readonly ended: Promise<void>;
}
