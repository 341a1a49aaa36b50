/**
 * Passes a relay's events to the log and webhooks. Refusals, which any stranger can cause in any number, are summarized by a digest; all other
 * events pass unchanged.
 */

import type { Milliseconds } from '../voice/units.js';
import { addressKey, addressPrefix, parseAddress } from './addresses/addresses.js';
import type { AddressKey } from './core/address_key.js';
import { RefusalDigest } from './refusal_digest.js';
import type { EventToTell } from './running_relay.js';

export class EventGate {
  readonly #digest = new RefusalDigest();
  readonly #tell: (event: EventToTell) => void;
  readonly #onCounted: (deadline: Milliseconds) => void;

  /**
   * @param tell Must not throw.
   * @param onCounted Called when an event was counted, with the deadline of the line of counts.
   */
  constructor(tell: (event: EventToTell) => void, onCounted: (deadline: Milliseconds) => void = () => {}) {
    this.#tell = tell;
    this.#onCounted = onCounted;
  }

  /**
   * Passes an event on, or counts it.
   *
   * @param address Where a refused connection comes from; null when that is unknown.
   * @returns Whether the event was passed on by itself.
   */
  take(event: EventToTell, address: AddressKey | null, now: Milliseconds): 'told' | 'counted' {
    const reason = refusalOf(event);
    if (reason !== null && this.#digest.note(reason, addressPrefix(address), now) === 'counted') {
      this.#onCounted(this.#digest.deadline);
      return 'counted';
    }
    this.#tell(event);
    return 'told';
  }

  /** When to call `tick` next; infinite when not at all. */
  deadline(): Milliseconds {
    return this.#digest.deadline;
  }

  /** Time has passed. */
  tick(now: Milliseconds): void {
    const event = this.#digest.due(now);
    if (event) this.#tell(event);
  }

  /** Passes on the counts that are left. */
  close(): void {
    const event = this.#digest.rest();
    if (event) this.#tell(event);
  }
}

/** The key that limits are counted under, for a peer's address as text; null for anything else. */
export function keyOfPeer(peer: string): AddressKey | null {
  const address = parseAddress(peer);
  return address ? addressKey(address) : null;
}

/** The key that a refusal is counted under; null for events that a stranger cannot repeat at will. */
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
