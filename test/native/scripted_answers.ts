/**
 * What tests of the typed layer say and see over a scripted Steam: its answers to tickets and sessions, a promise's outcome, a frame.
 */

import type { Steam } from '../../native/steam.js';
import type { ScriptedOpening, ScriptedUser } from './scripted_user.js';

export const PLAYER = 76561197960287930n;
export const OTHER = 76561197960287931n;
export const TICKET = Uint8Array.of(1, 2, 3);
export const DEFAULT_TIMEOUT_MS = 20_000;

/** What became of a promise so far; undefined while it waits. */
export interface Outcome<T> {
  value?: T;
  failure?: { readonly message: string; readonly code?: string; readonly result?: number };
}

export function watch<T>(promise: Promise<T>): Outcome<T> {
  const outcome: Outcome<T> = {};
  promise.then(
    (value) => {
      outcome.value = value;
    },
    (failure) => {
      outcome.failure = failure;
    },
  );
  return outcome;
}

/** Lets everything that is due run; no time passes for Steam. */
export const soon = () => new Promise((resolve) => setImmediate(resolve));

export async function frame(steam: Steam): Promise<number> {
  const count = steam.runCallbacks();
  await soon();
  return count;
}

export function confirm(under: ScriptedUser, auth_ticket: number, result = 1): void {
  under.send('get_auth_session_ticket_response', { auth_ticket, result });
}

export function webTicket(
  under: ScriptedUser,
  auth_ticket: number,
  bytes: readonly number[],
  result = 1,
): void {
  under.send('get_ticket_for_web_api', {
    auth_ticket,
    result,
    ticket_size: bytes.length,
    ticket_buffer: Uint8Array.from(bytes),
  });
}

export function judge(under: ScriptedUser, auth_id: bigint, response: number, owner_id = auth_id): void {
  under.send('validate_auth_ticket_response', { auth_id, response, owner_id });
}

/** Handles that were cancelled, in order. */
export const cancelled = (under: ScriptedUser) =>
  under.argumentsOf('cancelAuthTicket').map(([handle]) => handle);
export const ended = (under: ScriptedUser) => under.argumentsOf('endAuthSession').map(([steamId]) => steamId);

/** A session that is going on. */
export async function begin(
  { steam, under }: ScriptedOpening,
  steamId: bigint,
  onEnded?: (response: number) => void,
) {
  const outcome = watch(steam.beginAuthSession(TICKET, steamId, onEnded === undefined ? {} : { onEnded }));
  judge(under, steamId, 0);
  await frame(steam);
  if (outcome.value === undefined) throw new Error('no session');
  return outcome.value;
}
