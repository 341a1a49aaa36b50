/**
 * What starting a relay takes and gives: the options, the counts, and the handle of a relay that runs.
 */

import type { Milliseconds } from '../voice/units.js';
import type { AppTicketOptions } from './admission/app_tickets.js';
import type { SecretText } from './admission/secret_text.js';
import type { SteamWebTicketOptions } from './admission/steam_web/tickets.js';
import type { RelayEvent } from './core/io.js';
import type { RelayPolicy } from './core/joining/hello.js';
import type { RelayLimits } from './core/limits.js';
import type { SanctionsFileEvent } from './moderation_store/sanctions_file.js';
import type { AdminEvent } from './operations/admin/api.js';
import type { OperationsOptions } from './operations/operations.js';
import type { AddressLimitOptions } from './port/address_limits.js';
import type { ConnectionRefusal } from './port/connection_admission.js';
import type { RelayCounts } from './port/counts.js';
import type { CertificateEvent, RelayTls } from './port/tls.js';
import type { RefusalsEvent } from './refusal_digest.js';
import type { WebhookEvent, WebhookOptions } from './webhooks/webhooks.js';

export interface RelayOptions {
  /**
   * For development, on this machine alone: whoever connects is let in. Default false; then one of `tokens`, `webTickets`
   * and `guests` is required. With both, a credential is judged where there is one.
   */
  readonly dev?: boolean;
  /** Who may come in is granted by tokens that the game's backend signs. docs/tokens.md says what they hold. */
  readonly tokens?: RelayTokens;
  /** Steam's web tickets are taken: Steam is asked about each. */
  readonly webTickets?: SteamWebTicketOptions;
  /**
   * Steam's encrypted app tickets are read with the app's key. They prove nothing: each has to come beside a token or a web ticket of the
   * same player, unless `alone` says otherwise.
   */
  readonly appTickets?: AppTicketOptions;
  /** SteamIDs, in decimal, that moderate in every lobby, by whatever proves who they are. An app ticket alone does not. Default none. */
  readonly moderators?: readonly string[];
  /** Who comes without Steam: refused, or let in to listen, or to speak too. Default `refuse`. */
  readonly guests?: RelayPolicy['guests'];
  /** Somebody who proves a SteamID that is in the lobby already takes its place, or is refused. Default `replace`. */
  readonly secondJoin?: RelayPolicy['secondJoin'];
  /** Whose credential ends is closed out with token-expired, or stays until they leave. Default `close`. */
  readonly atExpiry?: RelayPolicy['atExpiry'];
  /** A lobby that is not there is made by who joins first, or by an administrator alone. Default `on-join`. */
  readonly lobbies?: RelayPolicy['lobbies'];
  /**
   * Web pages that may connect, as browsers name them in Origin: `https://game.example`. Default none. Programs that are no
   * browsers send none and are not asked. In development pages of this machine may, and no others.
   */
  readonly origins?: readonly string[];
  /** Where to listen: an address or `localhost`, which means 127.0.0.1; in development a loopback one. Default 127.0.0.1. */
  readonly host?: string;
  /** 0 to 65535; 0 takes a free one. Default 0. */
  readonly port?: number;
  /** The path of players' URL, such as `/voice`, for a relay behind a proxy that passes it on. Default `/`. */
  readonly path?: string;
  /** Certificate and key: the port is `wss:`, TLS 1.2 or newer. Default none: it is plain. */
  readonly tls?: RelayTls;
  /**
   * Proxies whose word on a client's address is taken, as addresses and CIDR blocks: `10.0.0.0/8`, at most 1000. Default none.
   */
  readonly trustedProxies?: readonly string[];
  /** What differs from the defaults that `AddressLimitOptions` names. In development addresses are not counted. */
  readonly addressLimits?: Partial<AddressLimitOptions>;
  /** What differs from the defaults that `RelayLimits` names. */
  readonly limits?: Partial<RelayLimits>;
  /**
   * A second port, for operators: `/metrics`, `/healthz`, `/readyz` over plain HTTP, without names. Off by
   * default.
   */
  readonly operations?: OperationsOptions;
  /** A port for administrators: docs/admin.md. Off by default. */
  readonly admin?: AdminOptions;
  /** Who is told what happens, over HTTP: docs/admin.md. At most 16. Default nobody. */
  readonly webhooks?: readonly WebhookOptions[];
  /** Where mutes and bans are kept: a file, which is made where it is missing. Default none: they end with the relay. */
  readonly sanctionsFile?: string;
  /**
   * Latency's side channel, off by default: called for each voice frame that was published, with its
   * speaker's slot, the speaker's sequence and when it arrived, in ms on CLOCK_MONOTONIC. On the frame path:
   * return soon, never throw.
   */
  readonly onStage?: (slot: number, sequence: number, receivedAtMs: Milliseconds) => void;
  /** Told of what happens, for a log. Must not throw. */
  readonly onEvent?: (event: EventToTell) => void;
}

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

/** Where the administrators' port is, and who may use it. */
export interface AdminOptions {
  /** An address, or `localhost`, which means 127.0.0.1. Default 127.0.0.1. It is plain HTTP: the token is in the clear. */
  readonly host?: string;
  /** 0 to 65535; 0 takes a free one. */
  readonly port: number;
  /** Tokens, one a line, each at least 32 characters. Read anew by `reloadSecrets`. */
  readonly tokens: SecretText;
}

/** How tokens are judged. */
export interface RelayTokens {
  /** A JSON Web Key Set, parsed: public keys, or secrets for HS256, each with `kid` and `alg`. */
  readonly keys: unknown;
  /** What a token has to name as its audience. Default `hotmic`. */
  readonly audience?: string;
  /** How far the relay's clock and the backend's may differ, in seconds, 0 to 300. Default 5. */
  readonly clockToleranceS?: number;
}

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

export interface RunningRelay {
  readonly port: number;
  /** Where clients connect, such as `ws://127.0.0.1:9000/`. */
  readonly url: string;
  /** The URL of the operations port, such as `http://127.0.0.1:9464/`; null without `operations`. */
  readonly operationsUrl: string | null;
  /** The URL of the admin API; null without `admin`. */
  readonly adminUrl: string | null;
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
