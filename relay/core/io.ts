/**
 * What goes into the relay and what comes out of it: plain data, so that a test compares arrays and a server
 * carries them out.
 */

import type { RelayMessageToWrite } from '../../voice/control.js';
import type { FailureCode, RefusalCode } from '../../voice/control_codes.js';
import type { Milliseconds } from '../../voice/units.js';
import type { AddressKey } from './address_key.js';
import type { Credential, CredentialVerdict } from './credential.js';
import type { Sanction, SanctionCounts } from './sanctions.js';
import type { DropReason } from './voice/drop_reason.js';

/** A connection's number. The caller chooses it and never uses it again. */
export type ConnectionId = number;

export type RelayInput =
  | {
      readonly kind: 'connected';
      readonly connection: ConnectionId;
      /** Places and lobbies are counted under it, and refusals are told with it. Null or left out: addresses are not counted. */
      readonly address?: AddressKey | null;
    }
  /** A text message, as its UTF-8 bytes; they are read before the call returns. */
  | {
      readonly kind: 'text';
      readonly connection: ConnectionId;
      readonly bytes: Uint8Array;
      /** When it came, in seconds of unix time: credentials and sanctions end by it. */
      readonly unixSeconds: number;
    }
  /** What became of a `judge`. Ignored when the connection is gone, or waits for no verdict. */
  | {
      readonly kind: 'judged';
      readonly connection: ConnectionId;
      readonly verdict: CredentialVerdict;
      readonly unixSeconds: number;
    }
  /** The connection is gone, for whatever reason. Unknown connections are ignored. */
  | { readonly kind: 'closed'; readonly connection: ConnectionId }
  /** The relay will end: everybody is told when, and where to go. */
  | { readonly kind: 'drain'; readonly withinMs: Milliseconds; readonly goTo: string | null }
  /** Time has passed; wanted about every 100 ms. */
  | { readonly kind: 'tick'; readonly unixSeconds: number };

export type RelayOutput =
  /**
   * Send one control message to each of these, at least one. It may not be lost: who cannot take it must be
   * cut off.
   */
  | {
      readonly kind: 'tell';
      readonly connections: readonly ConnectionId[];
      readonly message: RelayMessageToWrite;
    }
  /** Have this credential judged; the verdict comes back as `judged`. It is in no log and no event. */
  | {
      readonly kind: 'judge';
      readonly connection: ConnectionId;
      readonly credential: Credential;
      /** Whom the hello says it is from, in decimal; null when it does not. */
      readonly steamId: string | null;
    }
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
  /** Keep this beyond the relay's own life; one with nothing set is to be forgotten. Of one lobby and SteamID the last counts. */
  | { readonly kind: 'keep'; readonly sanction: Sanction }
  /** Something to log; of a refusal with the address that it came from, where that is known. */
  | { readonly kind: 'event'; readonly event: RelayEvent; readonly address?: AddressKey };

/** Why somebody is no longer in a lobby. */
export type Departure = 'left' | 'gone' | RefusalCode;

/** What an operator wants to read in a log, and a backend to be told of. */
export type RelayEvent =
  | {
      readonly kind: 'joined' | 'away' | 'resumed';
      readonly lobby: string;
      readonly slot: number;
      readonly steamId: string;
      readonly name: string;
    }
  | {
      readonly kind: 'left';
      readonly lobby: string;
      readonly slot: number;
      readonly steamId: string;
      readonly name: string;
      readonly why: Departure;
    }
  | { readonly kind: 'lobby-opened' | 'lobby-closed'; readonly lobby: string }
  | {
      readonly kind: 'moderated';
      /** Null for all lobbies. */
      readonly lobby: string | null;
      readonly steamId: string;
      readonly action: string;
      /** A moderator's SteamID in decimal, or `admin`. */
      readonly by: string;
    }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly detail: string };

/** What the relay counted since it began, and what it holds now. */
export interface RelayStateCounts extends SanctionCounts {
  readonly connections: number;
  /** In a lobby, the away ones among them. */
  readonly participants: number;
  readonly away: number;
  readonly lobbies: number;
  readonly resumes: number;
  readonly publishedFrames: number;
  /** Of whole voice frames, each counted once, however many hear it. */
  readonly publishedBytes: number;
  readonly drops: Readonly<Record<DropReason, number>>;
  readonly refusals: Readonly<Record<RefusalCode, number>>;
  readonly failures: Readonly<Record<FailureCode, number>>;
}
