/** Reads what the relay sends, and checks that it comes in order. Pure. */

import { PROTOCOL_VERSION, type RelayMessage, readRelayMessage } from '../../voice/control.js';

/** What the relay may send now. */
export interface Stage {
  /** Our hello or resume is not answered yet. */
  readonly isEntering: boolean;
  readonly expectsChallenge: boolean;
}

/** A message, or what we cannot do with it, as in "Cannot …". */
export function readInOrder(
  text: string,
  stage: Stage,
): RelayMessage | { readonly type: 'none'; readonly cannot: string } {
  const message = readRelayMessage(text);
  if ('kind' in message) return { type: 'none', cannot: `read the relay's message: ${message.detail}` };
  const { type } = message;
  if (!isInOrder(type, stage)) {
    return { type: 'none', cannot: `follow the relay: its message "${type}" is out of order` };
  }
  if (type === 'welcome' && message.version !== PROTOCOL_VERSION) {
    const detail = `it speaks version ${message.version}, expected ${PROTOCOL_VERSION}`;
    return { type: 'none', cannot: `follow the relay: ${detail}` };
  }
  return message;
}

/** A challenge answers its request; then the welcome comes, once. A refusal may come at any time. */
function isInOrder(type: RelayMessage['type'], { isEntering, expectsChallenge }: Stage): boolean {
  if (type === 'refused') return true;
  if (type === 'challenge') return isEntering && expectsChallenge;
  return (type === 'welcome') === isEntering;
}
