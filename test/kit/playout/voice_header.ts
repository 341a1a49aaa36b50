/** Headers of voice frames, for tests that need no wire. */

import type { VoiceHeader } from '../../../voice/wire.js';

/** The header of a frame to the lobby by the speaker in slot 1, without flags unless given. */
export function headerOf(sequence: number, timestamp: number, flags: Partial<VoiceHeader> = {}): VoiceHeader {
  return {
    kind: 'header',
    marker: false,
    terminator: false,
    acknowledge: false,
    opaque: false,
    target: 0,
    slot: 1,
    relaySequence: 0,
    relayTimeMs: 0,
    sequence,
    timestamp,
    ...flags,
  };
}
