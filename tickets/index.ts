/**
 * `hotmic/tickets`: Steam's encrypted app tickets, which prove nothing about who a player is, and its session tickets; the embedded
 * Steam's own tickets, and the verdict on those.
 */

export * from './development.js';
export {
  type AppTicket,
  type AppTicketFault,
  MAX_ENCRYPTED_TICKET_BYTES,
  MAX_USER_DATA_BYTES,
  type MalformedAppTicket,
  readAppTicketClaims,
  sealAppTicket,
  type UnprovenAppTicketClaims,
} from './encrypted_app_ticket.js';
export { identityId, type NetworkIdentity } from './network_identity.js';
export { OWNERSHIP_VERSION, type Ownership } from './ownership.js';
export {
  type EmbeddedSignature,
  embeddedSignature,
  MAX_TICKET_BYTES,
  type MalformedSessionTicket,
  readSessionTicket,
  type SessionTicket,
  type SessionTicketFault,
  type SessionTicketFields,
  sealSessionTicket,
  writeSessionTicket,
} from './session_ticket.js';
export {
  MAX_IDENTITY_BYTES,
  type MalformedWebTicket,
  NONCE_BYTES,
  readWebTicket,
  sealWebTicket,
  type WebTicket,
  type WebTicketFault,
  type WebTicketFields,
} from './web_ticket.js';
