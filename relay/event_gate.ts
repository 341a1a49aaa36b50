/**
 * Between all that happens in a relay and those who are told of it: a log, and webhooks. Refusals, of which a stranger makes as many as they
 * like, pass through a digest; everything else passes as it is.
 */

import type { Milliseconds } from '../voice/units.js';
import { addressKey, addressPrefix, parseAddress } from './addresses/addresses.js';
import type { AddressKey } from './core/address_key.js';
import { RefusalDigest } from './refusal_digest.js';
import type { EventToTell } from './running_relay.js';

export class EventGate {
  readonly #digest = new RefusalDigest();
  readonly #tell: (event: EventToTell) => void;

  /** @param tell Must not throw. */
  constructor(tell: (event: EventToTell) => void) {
    this.#tell = tell;
  }

  /**
   * Something happened.
   *
   * @param address Whose refusal it is; null where that is not known.
   * @returns Whether it was told by itself.
   */
  take(event: EventToTell, address: AddressKey | null, now: Milliseconds): 'told' | 'counted' {
    const reason = refusalOf(event);
    if (reason !== null && this.#digest.note(reason, addressPrefix(address), now) === 'counted') {
      return 'counted';
    }
    this.#tell(event);
    return 'told';
  }

  /** Time has passed. */
  tick(now: Milliseconds): void {
    const event = this.#digest.due(now);
    if (event) this.#tell(event);
  }

  /** Tells what is left at the end. */
  close(): void {
    const event = this.#digest.rest();
    if (event) this.#tell(event);
  }
}

/** What limits are counted under, of a peer's address as text; null where it has none. */
export function keyOfPeer(peer: string): AddressKey | null {
  const address = parseAddress(peer);
  return address ? addressKey(address) : null;
}

/** What the refusal is counted under; null for what is no refusal, or not a stranger's to repeat. */
function refusalOf(event: EventToTell): string | null {
  switch (event.kind) {
    case 'not-admitted':
      return `${event.kind}/${event.reason}`;
    case 'refused':
    case 'admin-refused':
      return `${event.kind}/${event.code}`;
    default:
      return null;
  }
}
