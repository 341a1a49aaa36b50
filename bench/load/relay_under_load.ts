/** How a relay is started whose clients all come from this machine: as an operator starts it, but with higher limits per address. */

import type { RelayOptions } from '../../relay/index.js';
import type { TlsFiles } from './generator.js';

/** Limits for 10,000 connections from one address. */
const ADDRESS_LIMITS = {
  participants: 20_000,
  lobbies: 20_000,
  connections: 20_000,
  connectionsPerSecond: 20_000,
  connectionBurst: 20_000,
  credentialsPerSecond: 20_000,
  credentialBurst: 20_000,
} as const;

/**
 * The Node flags of the image and the unit in deploy/, also used for the bare relay. By default V8's young generation grows to 16 MB per
 * space, although the process keeps almost nothing of it.
 */
export const NODE_FLAGS = ['--max-semi-space-size=2'] as const;
/** The environment set there: threads for cryptography then share one malloc arena. */
export const ENVIRONMENT = { MALLOC_ARENA_MAX: '1' } as const;

/** Its options: tokens by `keys`, a JSON Web Key Set; all checks; no operations port. */
export function relayUnderLoad(settings: {
  readonly keys: unknown;
  readonly tls: TlsFiles | null;
  /** Default: the relay's. */
  readonly participantsPerLobby?: number;
}): RelayOptions {
  const { keys, tls, participantsPerLobby } = settings;
  return {
    tokens: { keys },
    ...(tls && { tls: { certFile: tls.certificate, keyFile: tls.key } }),
    limits: {
      connections: 20_000,
      lobbies: 2000,
      ...(participantsPerLobby !== undefined && { participantsPerLobby }),
    },
    addressLimits: ADDRESS_LIMITS,
  };
}
