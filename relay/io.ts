/**
 * What goes into the relay and what comes out of it: plain data, so that a test compares arrays and a server
 * carries them out.
 */

import type { RefusalCode, RelayMessage } from '../voice/control.js';
import type { TokenVerdict } from './tokens.js';
import type { DropReason } from './verdict.js';

/** A connection's number. The caller chooses it and never uses it again. */
export type ConnectionId = number;

export type RelayInput =
  | { readonly kind: 'connected'; readonly connection: ConnectionId }
  /** A text message, as its UTF-8 bytes; they are read before the call returns. */
  | {
      readonly kind: 'text';
      readonly connection: ConnectionId;
      readonly bytes: Uint8Array;
      /** When it came, in seconds of unix time: tickets expire by it. */
      readonly unixSeconds: number;
    }
  /** What became of a `judge-token`. Ignored when the connection is gone, or waits for no verdict. */
  | {
      readonly kind: 'token-judged';
      readonly connection: ConnectionId;
      readonly verdict: TokenVerdict;
      readonly unixSeconds: number;
    }
  /** The connection is gone, for whatever reason. Unknown connections are ignored. */
  | { readonly kind: 'closed'; readonly connection: ConnectionId }
  /** Time has passed; wanted about every 100 ms. */
  | { readonly kind: 'tick' };

export type RelayOutput =
  /**
   * Send one control message to each of these, at least one. It may not be lost: who cannot take it must be
   * cut off.
   */
  | {
      readonly kind: 'tell';
      readonly connections: readonly ConnectionId[];
      readonly message: RelayMessage;
    }
  /** Have this token judged; the verdict comes back as `token-judged`. It is in no log and no event. */
  | { readonly kind: 'judge-token'; readonly connection: ConnectionId; readonly token: string }
  /** From here on, the connection hears what is published to the topic. */
  | { readonly kind: 'subscribe'; readonly connection: ConnectionId; readonly topic: string }
  | { readonly kind: 'unsubscribe'; readonly connection: ConnectionId; readonly topic: string }
  /** Close it, with this code and reason. The relay has forgotten it already. */
  | {
      readonly kind: 'close';
      readonly connection: ConnectionId;
      readonly code: number;
      readonly reason: RefusalCode | 'left';
    }
  /** Something to log. */
  | { readonly kind: 'event'; readonly event: RelayEvent };

/** What an operator wants to read in a log. */
export type RelayEvent =
  | {
      readonly kind: 'joined' | 'left';
      readonly lobby: string;
      readonly slot: number;
      readonly steamId: string;
      readonly name: string;
    }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly detail: string };

/** What the relay counted since it began, and what it holds now. */
export interface RelayStateCounts {
  readonly connections: number;
  readonly participants: number;
  readonly lobbies: number;
  readonly publishedFrames: number;
  /** Of whole voice frames, each counted once, however many hear it. */
  readonly publishedBytes: number;
  readonly drops: Readonly<Record<DropReason, number>>;
  readonly refusals: Readonly<Record<RefusalCode, number>>;
}
