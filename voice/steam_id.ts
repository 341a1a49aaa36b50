/**
 * SteamIDs: BigInt in the API, decimal strings in JSON, two 32-bit halves on the frame path.
 *
 * A person's id has the account number in its low half and 0x01100001 (universe 1, type 1, instance 1) in its high half.
 */

/** High half of a person's SteamID in the public universe. */
export const PERSON_HIGH = 0x01100001;

/** The largest number that can be one. */
export const MAX_STEAM_ID = 0xffff_ffff_ffff_ffffn;

/** The SteamID of the person with this account number, 1 to 4294967295. */
export function personSteamId(account: number): bigint {
  if (!Number.isInteger(account) || account < 1 || account > 0xffff_ffff) {
    throw new RangeError(`Cannot make a SteamID: account is ${account}, expected 1 to 4294967295`);
  }
  return joinSteamId(account, PERSON_HIGH);
}

/**
 * High half of a guest's id: universe 4 (dev), type 10 (anonymous user), instance 1. Steam gives no such id to an account of the
 * public universe.
 */
export const GUEST_HIGH = 0x04a00001;

/** The 64-bit id of two unsigned 32-bit halves. */
export function joinSteamId(low: number, high: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

/** Low half, unsigned. */
export function steamIdLow(steamId: bigint): number {
  return Number(steamId & 0xffff_ffffn);
}

/** High half, unsigned. */
export function steamIdHigh(steamId: bigint): number {
  return Number((steamId >> 32n) & 0xffff_ffffn);
}

/** Whether it is a person's in the public universe: not a game server, group or guest, and not account 0. */
export function isPerson(steamId: bigint): boolean {
  return steamId >> 32n === BigInt(PERSON_HIGH) && steamIdLow(steamId) !== 0;
}

/** Reads a SteamID in decimal, as in JSON and on command lines; null for anything else. */
export function parseSteamId(text: string): bigint | null {
  if (!/^[1-9][0-9]{0,19}$/.test(text)) return null;
  const steamId = BigInt(text);
  return steamId <= MAX_STEAM_ID ? steamId : null;
}
