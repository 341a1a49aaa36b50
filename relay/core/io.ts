/** Inputs and outputs of the relay: plain data, so that a test can compare arrays and a server can carry them out. */

import type { RelayMessageToWrite } from '../../voice/control.js';
import type { FailureCode, RefusalCode } from '../../voice/control_codes.js';
import type { Milliseconds } from '../../voice/units.js';
import type { AddressKey } from './address_key.js';
import type { Credential, CredentialVerdict } from './credential.js';
import type { Sanction, SanctionCounts } from './sanctions.js';
import type { DropReason } from './voice/drop_reason.js';

/** A connection's number. The caller chooses it and never reuses it. */
export type ConnectionId = number;

/** What happened. */
export type RelayInput =
  | {
      readonly kind: 'connected';
      readonly connection: ConnectionId;
      /** Places and lobbies are counted by it, and events of refusals carry it. Null or left out: addresses are not counted. */
      readonly address?: AddressKey | null;
    }
  /** A text message, as UTF-8 bytes; they are read before the call returns. */
  | {
      readonly kind: 'text';
      readonly connection: ConnectionId;
      readonly bytes: Uint8Array;
      /** When it came, in seconds of unix time: it decides what has expired. */
      readonly unixSeconds: number;
    }
  /** The verdict for a `judge`. Ignored when the connection is gone or does not wait for one. */
  | {
      readonly kind: 'judged';
      readonly connection: ConnectionId;
      readonly verdict: CredentialVerdict;
      readonly unixSeconds: number;
    }
  /** The connection is gone, for whatever reason. Unknown connections are ignored. */
  | { readonly kind: 'closed'; readonly connection: ConnectionId }
  /** The relay will end: everybody learns when, and where to go. */
  | { readonly kind: 'drain'; readonly withinMs: Milliseconds; readonly goTo: string | null }
  /** Time has passed. Due when `Relay.deadline` says; earlier ones do no harm. */
  | {
      readonly kind: 'tick';
      readonly unixSeconds: number;
      /** The share of a core that the relay uses, 0 to 1. Left out: as before. */
      readonly load?: number;
    };

/** What to do, in this order. */
export type RelayOutput =
  /** Send one control message to each of these, at least one. It must not be lost: close a connection that cannot receive it. */
  | {
      readonly kind: 'tell';
      readonly connections: readonly ConnectionId[];
      readonly message: RelayMessageToWrite;
    }
  /** Have this credential judged; the verdict is due as a `judged` input. Never log it. */
  | {
      readonly kind: 'judge';
      readonly connection: ConnectionId;
      readonly credential: Credential;
      /** The SteamID in the hello, in decimal; null without one. */
      readonly steamId: string | null;
    }
  /** From here on, the connection receives what is published to the topic. */
  | { readonly kind: 'subscribe'; readonly connection: ConnectionId; readonly topic: string }
  | { readonly kind: 'unsubscribe'; readonly connection: ConnectionId; readonly topic: string }
  /** Close it, with this code and reason. The relay has forgotten it already. */
  | {
      readonly kind: 'close';
      readonly connection: ConnectionId;
      readonly code: number;
      readonly reason: RefusalCode | 'left';
    }
  /** Store this beyond the life of the process; delete a record with nothing set. For one lobby and SteamID the last one counts. */
  | { readonly kind: 'keep'; readonly sanction: Sanction }
  /** Something to log; for a refusal with the client's address, where that is known. */
  | { readonly kind: 'event'; readonly event: RelayEvent; readonly address?: AddressKey };

/** Why a participant is no longer in a lobby. */
export type Departure = 'left' | 'gone' | RefusalCode;

/** Events for an operator's log and for a game's backend. */
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

/** How listeners keep up: totals since the relay started. */
export interface StalenessCounts {
  /** Acknowledgements that were taken. */
  readonly acknowledgements: number;
  /** Times that a listener was parked, and that one got voice again. */
  readonly parks: number;
  readonly unparks: number;
}

/** Totals since the relay started, and the current numbers. */
export interface RelayStateCounts extends SanctionCounts, StalenessCounts {
  readonly connections: number;
  /** In all lobbies, including those who are away. */
  readonly participants: number;
  /** Those among them who are counted in their lobby and not listed. */
  readonly unlisted: number;
  readonly away: number;
  readonly lobbies: number;
  /** Hearing sets, and the people in all of them together, each set counting as one more. */
  readonly hearingSets: number;
  readonly hearingEntries: number;
  readonly resumes: number;
  readonly publishedFrames: number;
  /** Whole voice frames, each counted once, however many listeners it has. */
  readonly publishedBytes: number;
  readonly drops: Readonly<Record<DropReason, number>>;
  readonly refusals: Readonly<Record<RefusalCode, number>>;
  readonly failures: Readonly<Record<FailureCode, number>>;
}
