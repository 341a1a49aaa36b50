/**
 * What shows the relay who we are, in one hello: as the lobby has it, and as the fields of the message. An app ticket goes beside a proof,
 * for it proves nothing itself.
 */

import type { ClientMessage } from '../voice/control.js';

/** What proves who we are; `none` for a guest, or a relay for development. */
export type BesideAppTicket =
  | { readonly kind: 'none' }
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'ticket'; readonly ticket: Uint8Array };

export type ShownCredential =
  | BesideAppTicket
  /** The relay is asked for a nonce; an input `app-ticket` answers the `challenge` that comes. */
  | { readonly kind: 'app-ticket'; readonly beside: BesideAppTicket };

/** The fields of a hello that are secret. */
export type HelloCredential = Pick<
  Extract<ClientMessage, { type: 'hello' }>,
  'token' | 'ticket' | 'appTicket'
>;

export function helloFieldsOf(proof: BesideAppTicket): HelloCredential {
  switch (proof.kind) {
    case 'none':
      return {};
    case 'token':
      return { token: proof.token };
    case 'ticket':
      return { ticket: hexOfBytes(proof.ticket) };
  }
}

export function hexOfBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function bytesOfHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
}
