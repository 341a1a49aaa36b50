/**
 * `hotmic/relay`: the server. `startRelay` runs one on a port; `Relay` is the same without socket or clock,
 * for who brings their own.
 */

export * from './administration.js';
export * from './admission.js';
export type { AppTicketOptions } from './app_tickets.js';
export * from './credential.js';
export { type RelayPolicy, STRICT_POLICY } from './hello.js';
export * from './io.js';
export * from './limits.js';
export * from './mint_token.js';
export { Relay, type RelaySettings } from './relay.js';
export * from './running_relay.js';
export type { Sanction, SanctionKind, Until } from './sanctions.js';
export { startRelay } from './server.js';
export type { SteamWebTicketOptions } from './steam_web_tickets.js';
export type { RelayTls } from './tls.js';
export * from './tokens.js';
export {
  DROP_REASONS,
  type DropReason,
  type DropVerdict,
  type ForwardVerdict,
  type Verdict,
} from './verdict.js';
