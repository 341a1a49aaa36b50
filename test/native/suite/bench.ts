/**
 * A Steam on the test bench: an open Steam with its test controls, whichever it is, and the players that speak in it.
 */

import type { SignalName, Signals } from '../../../native/signals.js';
import type { Steam } from '../../../native/steam.js';
import type { SteamControls } from '../../../native/steam_controls.js';

/** What a Steam was told of game servers and of the player's state: addresses as `ip:port`, the ip in host order. */
export interface ToldSteam {
  /** Server's SteamID, then the address; null when nothing is advertised. */
  readonly advertised: string | null;
  /** The last game connection that was not terminated; null for none. */
  readonly connection: string | null;
  /** A DurationControlOnlineState. */
  readonly onlineState: number;
}

export interface SteamBench {
  readonly steam: Steam;
  readonly controls: SteamControls;
  /** Who is logged on. */
  readonly steamId: bigint;
  readonly appId: number;
  told(): ToldSteam;
  /** Lets the player say so many packets, so that getVoice has them. */
  speak(packets: number): void;
  /** A game frame: 20 ms of Steam's time pass, callbacks run. */
  frame(): void;
}

/** Runs frames until a signal has come; it must have come within a hundred. */
export function nextSignal<Name extends SignalName>(
  bench: SteamBench,
  name: Name,
  matches: (keys: Signals[Name]) => boolean = () => true,
): Signals[Name] {
  let found: Signals[Name] | null = null;
  const take = (keys: Signals[Name]) => {
    if (found === null && matches(keys)) found = keys;
  };
  const user = bench.steam.user as unknown as {
    on(name: Name, take: (keys: Signals[Name]) => void): void;
    off(name: Name, take: (keys: Signals[Name]) => void): void;
  };
  user.on(name, take);
  for (let frames = 0; frames < 100 && found === null; frames++) bench.frame();
  user.off(name, take);
  if (found === null) throw new Error(`${name} did not come`);
  return found;
}

/** Runs frames until the promise is settled. */
export async function settled<T>(bench: SteamBench, promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const noted = promise.finally(() => {
    isSettled = true;
  });
  noted.catch(() => undefined);
  for (let frames = 0; frames < 200 && !isSettled; frames++) {
    bench.frame();
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (!isSettled) throw new Error('the promise did not settle');
  return await noted;
}
