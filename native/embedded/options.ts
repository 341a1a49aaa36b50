/**
 * How an embedded Steam is made: options, which survive structured cloning, and its environment, which does not.
 */

import { randomFillSync } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DevelopmentKeys, developmentKeys } from '../../tickets/development.js';
import { identityFields, type NetworkIdentity } from '../../tickets/network_identity.js';
import type { Milliseconds } from '../../voice/units.js';
import type { OpusEncoderOptions } from '../../wasm/codec.js';
import { monotonicMs } from '../clock.js';
import type { SteamAccount } from '../steam_controls.js';
import type { VoiceInput, VoiceInputOptions } from './voice_input.js';
import { EmbeddedWorld } from './world.js';

/** Whose Steam it is, and how it records. Survives structured cloning. */
export interface EmbeddedSteamOptions {
  /** Whose voice and tickets. Default 76561197960265729n: the first account. */
  readonly steamId?: bigint;
  /** The game, 1 to 4294967295. Default 480, Steam's own example. */
  readonly appId?: number;
  /** What it records. Default silence. */
  readonly input?: VoiceInputOptions;
  /** Seconds of sound per second of the clock, 0.1 to 1000. Default 1, real time. */
  readonly speed?: number;
  /** How long the input is recorded after key-up, in ms of sound, 0 to 2000. Default 200. */
  readonly hangoverMs?: Milliseconds;
  readonly encoder?: OpusEncoderOptions;
  /** What Steam knows about the player; SteamAccount has the defaults. */
  readonly account?: Partial<SteamAccount>;
  /** The addresses and texts that it answers to, besides its SteamID, when it judges tickets that name one. At most 16. Default none. */
  readonly identities?: readonly NetworkIdentity[];
  /** What getUserDataFolder returns. Default: a path by account and app in the system's temporary folder, which is not created. */
  readonly userDataFolder?: string;
  /** The secret that tickets are sealed with, at least 16 bytes. Default: the well-known one, with which anyone can forge tickets. */
  readonly developmentKey?: Uint8Array;
}

/** A monotonic clock, in ms. */
export type Clock = () => Milliseconds;

/** What an embedded Steam gets from outside. */
export interface EmbeddedRim {
  /** Paces the recording, the rate limit of encrypted app tickets and duration control. Default CLOCK_MONOTONIC. */
  readonly clock?: Clock;
  /** Unix time, in seconds, for tickets. Default the system's. */
  readonly unixTime?: () => number;
  /** Fills `target` with random bytes. Default node:crypto's. */
  readonly random?: (target: Uint8Array) => void;
  /** What it records, instead of the option `input`. Closed with the Steam. */
  readonly input?: VoiceInput;
  /** The Steams that know about each other's tickets. Default: a new world. */
  readonly world?: EmbeddedWorld;
}

/** Options and environment with their defaults. */
export interface EmbeddedSetup {
  readonly steamId: bigint;
  readonly appId: number;
  readonly identities: readonly NetworkIdentity[];
  readonly userDataFolder: string;
  readonly keys: DevelopmentKeys;
  readonly clock: Clock;
  readonly unixTime: () => number;
  readonly random: (length: number) => Uint8Array;
  readonly world: EmbeddedWorld;
}

const FIRST_STEAM_ID = 76561197960265729n;
const EXAMPLE_APP_ID = 480;
const MAX_IDENTITIES = 16;

/** In the shape of Steam's own: the account number, the app, `local`. */
function defaultFolder(steamId: bigint, appId: number): string {
  const account = BigInt.asUintN(32, steamId);
  return join(tmpdir(), 'hotmic-embedded-steam', 'userdata', String(account), String(appId), 'local');
}

/** @throws TypeError or RangeError for a value out of range. */
export function embeddedSetup(options: EmbeddedSteamOptions, io: EmbeddedRim): EmbeddedSetup {
  const { steamId = FIRST_STEAM_ID, appId = EXAMPLE_APP_ID } = options;
  if (typeof steamId !== 'bigint') {
    throw new TypeError(
      `Cannot open the embedded Steam: steamId is a ${typeof steamId}, expected a bigint: a number cannot hold one`,
    );
  }
  if (steamId < 1n || BigInt.asUintN(64, steamId) !== steamId) {
    throw new RangeError(`Cannot open the embedded Steam: steamId is ${steamId}, expected 1 to 2^64 - 1`);
  }
  if (!Number.isInteger(appId) || appId < 1 || appId > 0xffff_ffff) {
    throw new RangeError(`Cannot open the embedded Steam: appId is ${appId}, expected 1 to 4294967295`);
  }
  const { identities = [], userDataFolder = defaultFolder(steamId, appId) } = options;
  if (identities.length > MAX_IDENTITIES) {
    const found = `${identities.length} identities`;
    throw new RangeError(`Cannot open the embedded Steam: ${found}, expected at most ${MAX_IDENTITIES}`);
  }
  for (const identity of identities) identityFields(identity, 'open the embedded Steam');
  const fill = io.random ?? ((target) => void randomFillSync(target));
  return {
    steamId,
    appId,
    identities,
    userDataFolder,
    keys: developmentKeys(options.developmentKey),
    clock: io.clock ?? monotonicMs,
    unixTime: () => Math.floor(io.unixTime?.() ?? Date.now() / 1000),
    random: (length) => {
      const bytes = new Uint8Array(length);
      fill(bytes);
      return bytes;
    },
    world: io.world ?? new EmbeddedWorld(),
  };
}
