/** What the relay's services beside voice count: the admin API, webhooks, the file of mutes and bans, questions to Steam. */

import type { AdminCounts } from './admin_api.js';
import type { SanctionsFileCounts } from './sanctions_file.js';
import type { WebTicketCounts } from './steam_web_tickets.js';
import type { WebhookCounts } from './webhooks.js';

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
