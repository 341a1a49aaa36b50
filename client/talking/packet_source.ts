/** Where a publisher gets captured packets from: the reading end of a ring between threads, or a queue in this thread. */

import type { RingConsumer } from '../../voice/ring.js';

/** A `RingConsumer`, a `PacketQueue`, or what does the same. It has one reader. */
export type PacketSource = Pick<
  RingConsumer,
  'read' | 'release' | 'discardOlderThan' | 'closed' | 'waitAsync' | 'counts'
>;
