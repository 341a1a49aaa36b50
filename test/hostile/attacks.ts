/** All attacks, in their order: the table of docs/security.md is made from this. */

import type { Chapter } from './attack.js';
import { ADMIN_ATTACKS } from './attacks_admin.js';
import { floodAttacks, type Size } from './attacks_floods.js';
import { HELLO_ATTACKS } from './attacks_hello.js';
import { HTTP_ATTACKS } from './attacks_http.js';
import { LOBBY_ATTACKS } from './attacks_lobby.js';
import { OPERATIONS_ATTACKS, SLOW_OPERATIONS_ATTACKS } from './attacks_operations.js';
import { SHARES_ATTACKS } from './attacks_shares.js';
import { SLOW_ATTACKS } from './attacks_slow.js';
import { STALENESS_ATTACKS } from './attacks_staleness.js';
import { TICKET_ATTACKS } from './attacks_tickets.js';
import { SLOW_TLS_ATTACKS, TLS_ATTACKS } from './attacks_tls.js';
import { TOKEN_ATTACKS } from './attacks_tokens.js';
import { SLOW_UPDATE_ATTACKS, UPDATE_ATTACKS } from './attacks_updates.js';
import { VOICE_ATTACKS } from './attacks_voice.js';
import { WEBSOCKET_ATTACKS } from './attacks_websocket.js';

export function chapters(size: Size): readonly Chapter[] {
  const chapter = (
    title: string,
    attacks: Chapter['attacks'],
    when: Chapter['when'] = 'in-turn',
    port: Chapter['port'] = 'plain',
  ) => ({ title, when, port, attacks });
  return [
    chapter('HTTP, addresses, origins', HTTP_ATTACKS),
    chapter('WebSocket frames', WEBSOCKET_ATTACKS),
    chapter('Messages and hellos', HELLO_ATTACKS),
    chapter('Tokens and resuming', TOKEN_ATTACKS),
    chapter('Tickets', TICKET_ATTACKS),
    chapter('Inside a lobby', LOBBY_ATTACKS),
    chapter('What is others’', SHARES_ATTACKS),
    chapter('Voice', [...VOICE_ATTACKS, ...STALENESS_ATTACKS]),
    chapter('The operator’s port', OPERATIONS_ATTACKS),
    chapter('The administrators’ port', [...ADMIN_ATTACKS, ...UPDATE_ATTACKS]),
    chapter('The operators’ ports, slowly', SLOW_OPERATIONS_ATTACKS, 'last'),
    chapter('Slowly', [...SLOW_ATTACKS, ...SLOW_UPDATE_ATTACKS], 'beside'),
    chapter('Loads', floodAttacks(size), 'last'),
    chapter('TLS', TLS_ATTACKS, 'in-turn', 'tls'),
    chapter('TLS, slowly', SLOW_TLS_ATTACKS, 'beside', 'tls'),
  ];
}
