/** What the relay's services beside voice count: the admin API, webhooks, the file of mutes and bans, questions to Steam. */

import type { WebTicketCounts } from '../admission/steam_web/tickets.js';
import type { SanctionsFileCounts } from '../moderation_store/sanctions_file.js';
import type { WebhookCounts } from '../webhooks/webhooks.js';
import type { AdminCounts } from './admin/api.js';

/** Null for a service that is off: its metrics have no samples. */
export interface ServiceCounts {
  readonly admin: AdminCounts | null;
  readonly webhooks: WebhookCounts | null;
  readonly sanctionsFile: SanctionsFileCounts | null;
  /** Of web tickets. */
  readonly steam: WebTicketCounts | null;
  /** Of the ports that are there: connections closed to make room for others, or because there was none. */
  readonly closedConnections: Readonly<Partial<Record<'operations' | 'admin', number>>>;
}
