/** The turn of one input: the instants at which it came, and its outputs, in the order in which they are to be carried out. */

import type { RelayMessageToWrite } from '../../voice/control.js';
import type { Milliseconds } from '../../voice/units.js';
import type { ConnectionId, RelayOutput } from './io.js';

export class Turn {
  readonly now: Milliseconds;
  /** What the machine's clock says. Zero for an input by which nothing expires. */
  readonly unixSeconds: number;
  /** The same without jumps ahead: sanctions end by it. */
  readonly steadySeconds: number;
  readonly outputs: RelayOutput[] = [];

  constructor(now: Milliseconds, unixSeconds: number, steadySeconds: number) {
    this.now = now;
    this.unixSeconds = unixSeconds;
    this.steadySeconds = steadySeconds;
  }

  push(output: RelayOutput): void {
    this.outputs.push(output);
  }

  /** One message to each of these connections, of which there may be none. */
  tell(connections: readonly ConnectionId[], message: RelayMessageToWrite): void {
    if (connections.length > 0) this.outputs.push({ kind: 'tell', connections, message });
  }
}
