/** Reads text messages from clients. Everything a client says passes here once. */

import {
  type ClientMessage,
  MAX_CONTROL_BYTES,
  readClientMessage,
  readOfferedVersions,
} from '../../voice/control.js';

/** The messages that may come first. */
export type ClientOpening = Extract<ClientMessage, { type: 'hello' | 'resume' }>;

/** The messages of a participant. */
export type ClientCommand = Exclude<ClientMessage, ClientOpening>;

export type ClientText =
  | { readonly kind: 'opening'; readonly message: ClientOpening }
  | { readonly kind: 'command'; readonly message: ClientCommand }
  /** An opening in an unknown form, offering versions that this relay may not speak. */
  | { readonly kind: 'foreign'; readonly versions: readonly number[]; readonly detail: string }
  | { readonly kind: 'malformed'; readonly detail: string };

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Reads a message; its bytes are not kept. */
export function readClientBytes(bytes: Uint8Array): ClientText {
  if (bytes.length > MAX_CONTROL_BYTES) {
    return { kind: 'malformed', detail: `${bytes.length} bytes, expected at most ${MAX_CONTROL_BYTES}` };
  }
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    return { kind: 'malformed', detail: 'not UTF-8' };
  }
  const message = readClientMessage(text);
  if (!('type' in message)) {
    const versions = readOfferedVersions(text);
    return versions ? { kind: 'foreign', versions, detail: message.detail } : message;
  }
  if (message.type === 'hello' || message.type === 'resume') return { kind: 'opening', message };
  return { kind: 'command', message };
}
