/** The counts of the services around the voice port: admin API, webhooks, the file of mutes and bans, requests to Steam. */

import type { WebTicketCounts } from '../admission/steam_web/tickets.js';
import type { SanctionsFileCounts } from '../moderation_store/sanctions_file.js';
import type { WebhookCounts } from '../webhooks/webhooks.js';
import type { AdminCounts } from './admin/api.js';

/** Null for a service that is off: its metrics have no samples. */
export interface ServiceCounts {
  readonly admin: AdminCounts | null;
  readonly webhooks: WebhookCounts | null;
  readonly sanctionsFile: SanctionsFileCounts | null;
  /** Web tickets. */
  readonly steam: WebTicketCounts | null;
  /** For each of the ports that run: connections closed to make room for others, or because there was no room. */
  readonly closedConnections: Readonly<Partial<Record<'operations' | 'admin', number>>>;
}
