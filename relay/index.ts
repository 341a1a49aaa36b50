/**
 * `hotmic/relay`: the server. `startRelay` runs one on a port; `Relay` is the same without socket or clock,
 * for who brings their own.
 */

export type { AdminApiOptions, AdminCounts, AdminEvent } from './admin_api.js';
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
export type { SanctionsFileCounts, SanctionsFileEvent } from './sanctions_file.js';
export { type SecretText, secretInFile } from './secret_text.js';
export { startRelay } from './server.js';
export type { ServiceCounts } from './services.js';
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
export type { WebhookFate } from './webhook_line.js';
export {
  verifyWebhook,
  type WebhookFault,
  type WebhookHeaders,
  type WebhookVerdict,
} from './webhook_signature.js';
export type { WebhookCounts, WebhookEvent, WebhookKind, WebhookOptions } from './webhooks.js';
