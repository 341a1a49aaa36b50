/**
 * The credential in one hello, as the lobby holds it and as the fields of the message. An app ticket is sent along with a proof of
 * identity, because it proves nothing itself.
 */

import type { ClientMessage } from '../../voice/control.js';

/** What proves who we are. `none`: we are a guest, or the relay runs in development mode. */
export type BesideAppTicket =
  | { readonly kind: 'none' }
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'ticket'; readonly ticket: Uint8Array };

/** What a hello shows as proof of identity. */
export type ShownCredential =
  | BesideAppTicket
  /** Asks the relay for a nonce. It sends a `challenge`, which an input `app-ticket` answers. */
  | { readonly kind: 'app-ticket'; readonly beside: BesideAppTicket };

/** The secret fields of a hello. */
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
