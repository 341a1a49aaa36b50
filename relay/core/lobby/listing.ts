/**
 * Whether somebody who joins is listed, so that the others know them, or only counted. A lobby has few places for people who are listed:
 * each change of one of them is a message to everyone. Listeners may take a share of those places, so that an audience does not keep out
 * the people who speak; further listeners are counted.
 */

import type { Rights } from '../credential.js';
import type { Listing } from './member.js';

/** Places beyond a lobby's capacity, for moderators only. */
export const PLACES_FOR_MODERATORS = 4;

/** How many are in a lobby. */
export interface Occupancy {
  readonly listed: number;
  /** How many of those may not speak. */
  readonly listedListeners: number;
  readonly unlisted: number;
  readonly recorder: number;
}

/** How many may be in it. */
export interface LobbyPlaces {
  /** Of listed participants. */
  readonly capacity: number;
  /** The share of those places that listeners may take. */
  readonly listenerPlacesPercent: number;
  readonly mostUnlisted: number;
}

export const EMPTY: Occupancy = { listed: 0, listedListeners: 0, unlisted: 0, recorder: 0 };

/**
 * How somebody with these rights would be listed; null when there is no room for them. Moderators find a place beyond the capacity:
 * nobody keeps them out by filling the lobby.
 */
export function listingFor(
  { moderator, maySpeak }: Rights,
  { listed, listedListeners, unlisted, recorder }: Occupancy,
  { capacity, mostUnlisted, listenerPlacesPercent }: LobbyPlaces,
): Listing | null {
  const mayBeCounted = !maySpeak && mostUnlisted > 0;
  const share = Math.floor((capacity * listenerPlacesPercent) / 100);
  const isWithinShare = !mayBeCounted || moderator || listedListeners < share;
  const hasPlace = listed < capacity + (moderator ? PLACES_FOR_MODERATORS : 0);
  if (hasPlace && isWithinShare) return 'listed';
  return mayBeCounted && unlisted + recorder < mostUnlisted ? 'unlisted' : null;
}
