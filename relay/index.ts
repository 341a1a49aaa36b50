/**
 * `hotmic/relay`: the server. `startRelay` runs one on a port; `Relay` is its core without sockets or clocks,
 * for programs that bring their own.
 */

export type { AddressFault } from './addresses/client_address.js';
export * from './admission/admission.js';
export type { AppTicketOptions } from './admission/app_tickets.js';
export * from './admission/mint_token.js';
export { type SecretText, secretInFile } from './admission/secret_text.js';
export type { SteamWebTicketOptions, WebTicketCounts } from './admission/steam_web/tickets.js';
export * from './admission/tokens.js';
export type { AddressKey } from './core/address_key.js';
export * from './core/administration.js';
export * from './core/credential.js';
export * from './core/io.js';
export { type RelayPolicy, STRICT_POLICY } from './core/joining/hello.js';
export * from './core/limits.js';
export type { LobbyPlan } from './core/lobby/lobby.js';
export type { Channel } from './core/lobby/member.js';
export type { AddressShares } from './core/lobby/shares.js';
export type { Topic } from './core/lobby/topics.js';
export { Relay, type RelaySettings } from './core/relay.js';
export type { Sanction, SanctionKind, Until } from './core/sanctions.js';
export { DROP_REASONS, type DropReason } from './core/voice/drop_reason.js';
export type { AcknowledgedVerdict, DropVerdict, ForwardVerdict, Verdict } from './core/voice/verdict.js';
export type { SanctionsFileCounts, SanctionsFileEvent } from './moderation_store/sanctions_file.js';
export type { AdminApiOptions, AdminCounts, AdminEvent } from './operations/admin/api.js';
export type { ProblemCode } from './operations/admin/problem.js';
export type { StreamEnd } from './operations/admin/update_stream.js';
export type { OperationsOptions } from './operations/operations.js';
export type { ServiceCounts } from './operations/service_counts.js';
export type { AdminOptions, RelayOptions, RelayTokens } from './options.js';
export type { AddressCounts, AddressRefusal } from './port/address_limits.js';
export type { ConnectionRefusal, TcpCounts, TcpRefusal } from './port/connection_admission.js';
export * from './port/counts.js';
export type { SocketLayerName } from './port/sockets/layer.js';
export type { CertificateCounts, CertificateEvent, RelayTls } from './port/tls.js';
export type { RefusalsEvent } from './refusal_digest.js';
export * from './running_relay.js';
export { startRelay } from './server.js';
export type { LineEvent, WebhookFate } from './webhooks/line.js';
export {
  verifyWebhook,
  type WebhookFault,
  type WebhookHeaders,
  type WebhookVerdict,
} from './webhooks/signature.js';
export type { WebhookCounts, WebhookEvent, WebhookKind, WebhookOptions } from './webhooks/webhooks.js';
