/** Embedded Steams with everything injected, for the tests of what is not voice. */

import type { Test } from 'tap';
import { EmbeddedSteam, type EmbeddedSteamOptions, EmbeddedWorld } from '../../../native/embedded/steam.js';
import type { SignalName, Signals } from '../../../native/signals.js';
import { SeededRandom } from '../../kit/random.js';

/** Unix time at which the tests begin. */
export const START = 2_000_000_000;

export const ALICE = 76561197960265730n;
export const BOB = 76561197960265731n;

/** Both clocks of a test, moved together. */
export class TestTime {
  ms = 5000;

  pass(seconds: number): void {
    this.ms += seconds * 1000;
  }

  get unix(): number {
    return START + Math.floor(this.ms / 1000) - 5;
  }
}

/** A Steam of the test's own. */
export function steamOf(
  t: Test,
  options: EmbeddedSteamOptions = {},
  { time = new TestTime(), world = new EmbeddedWorld(), seed = 1 } = {},
): { readonly steam: EmbeddedSteam; readonly time: TestTime } {
  const random = new SeededRandom(seed);
  const io = {
    clock: () => time.ms,
    unixTime: () => time.unix,
    random: (target: Uint8Array) => target.set(random.bytes(target.length)),
    world,
  };
  const steam = new EmbeddedSteam({ steamId: ALICE, ...options }, io);
  t.teardown(() => steam.close());
  return { steam, time };
}

/** Alice and Bob, in one world with one time. */
export function twoPlayers(
  t: Test,
  options: EmbeddedSteamOptions = {},
): { readonly alice: EmbeddedSteam; readonly bob: EmbeddedSteam; readonly time: TestTime } {
  const time = new TestTime();
  const world = new EmbeddedWorld();
  const alice = steamOf(t, { steamId: ALICE, ...options }, { time, world, seed: 1 }).steam;
  const bob = steamOf(t, { steamId: BOB, ...options }, { time, world, seed: 2 }).steam;
  return { alice, bob, time };
}

/** Runs one frame; the keys of the signals of this name. */
export function keysOf<Name extends SignalName>(steam: EmbeddedSteam, name: Name): Signals[Name][] {
  return steam.runCallbacks().flatMap((event) => {
    return event.signal === name && event.keys !== null ? [event.keys as Signals[Name]] : [];
  });
}

/** Runs one frame; the responses of validate_auth_ticket_response. */
export function verdictsOf(steam: EmbeddedSteam): number[] {
  return keysOf(steam, 'validate_auth_ticket_response').map(({ response }) => response);
}
