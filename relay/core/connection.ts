/** What the relay's core knows of a connection, until it is closed. */

import { TokenBucket } from '../../voice/token_bucket.js';
import type { Milliseconds } from '../../voice/units.js';
import type { AddressKey } from './address_key.js';
import type { ConnectionId } from './io.js';
import type { Hello } from './joining/hello.js';
import type { RelayLimits } from './limits.js';
import type { Participant } from './lobby/lobby.js';
import { MessageMeter } from './voice/message_meter.js';

export interface Connection {
  readonly id: ConnectionId;
  /** Null where addresses are not known. */
  readonly address: AddressKey | null;
  readonly connectedAt: Milliseconds;
  readonly control: TokenBucket;
  readonly meter: MessageMeter;
  /** The nonce of its challenge; null without one. */
  nonce: string | null;
  /** The hello whose credential is being judged. */
  judged: Hello | null;
  /** What its client can do, as the last hello or resume says. */
  acknowledges: boolean;
  takesHeartbeats: boolean;
  /** Null before the welcome. */
  participant: Participant | null;
}

/** A connection that has sent nothing yet. */
export function newConnection(
  id: ConnectionId,
  address: AddressKey | null,
  limits: RelayLimits,
  now: Milliseconds,
): Connection {
  const control = new TokenBucket(limits.controlPerSecond, limits.controlBurst, now);
  const meter = new MessageMeter(limits, now);
  return {
    id,
    address,
    connectedAt: now,
    control,
    meter,
    nonce: null,
    judged: null,
    acknowledges: false,
    takesHeartbeats: false,
    participant: null,
  };
}
