/**
 * Steam's callbacks and call results as signals: the payloads of ISteamUser, read by offset.
 *
 * Steam's structures are packed to 4 bytes on Linux and macOS and to 8 on Windows; of those read here, that matters only for
 * MicroTxnAuthorizationResponse_t. A payload that is longer than known is a newer SDK's. One that is too short or contradicts itself
 * becomes a failure if it still says whom it is for, since somebody may wait for it; otherwise null, like an unknown id.
 */

import { AuthSessionResponse } from '../enums.js';
import { Result } from '../result.js';
import {
  type CallResultName,
  type FailedCall,
  notificationVerbal,
  type SignalName,
  type Signals,
  type SteamEvent,
} from '../signals.js';
import { ipText } from '../user_arguments.js';
import type { SteamMessage } from './addon.js';

/** To how many bytes structures are packed. */
export type Packing = 4 | 8;

/** The packing of Steam's library on a platform. */
export function packingOf(platform: string): Packing {
  return platform === 'win32' ? 8 : 4;
}

interface Layout<Name extends SignalName> {
  readonly signal: Name;
  /** Bytes that `read` may look at. */
  readonly bytes: (packing: Packing) => number;
  /** Null for what contradicts itself. */
  readonly read: (payload: DataView, packing: Packing) => Signals[Name] | null;
}

/** The signal for a payload that cannot be read whole; null where it does not say whom it is for. */
type Salvage = (payload: DataView) => SteamEvent | null;

/** The answers that somebody waits for by handle or SteamID, which is their first field. */
const SALVAGE: ReadonlyMap<number, Salvage> = new Map<number, Salvage>([
  [
    143,
    (payload) => {
      if (payload.byteLength < 8) return null;
      const response = AuthSessionResponse.AUTH_SESSION_RESPONSE_AUTH_TICKET_INVALID;
      const keys = { auth_id: u64(payload, 0), response, owner_id: 0n };
      return { signal: 'validate_auth_ticket_response', keys, call: 0n };
    },
  ],
  [
    163,
    (payload) => {
      if (payload.byteLength < 4) return null;
      const keys = { auth_ticket: u32(payload, 0), result: failureAt(payload, 4) };
      return { signal: 'get_auth_session_ticket_response', keys, call: 0n };
    },
  ],
  [
    168,
    (payload) => {
      if (payload.byteLength < 4) return null;
      const ticket = { auth_ticket: u32(payload, 0), result: failureAt(payload, 4) };
      const keys = { ...ticket, ticket_size: 0, ticket_buffer: new Uint8Array(0) };
      return { signal: 'get_ticket_for_web_api', keys, call: 0n };
    },
  ],
]);

/** Where the ticket of GetTicketForWebApiResponse_t begins. */
const WEB_TICKET_AT = 12;

const LITTLE = true;
const i32 = (payload: DataView, offset: number) => payload.getInt32(offset, LITTLE);
const u32 = (payload: DataView, offset: number) => payload.getUint32(offset, LITTLE);
const u64 = (payload: DataView, offset: number) => payload.getBigUint64(offset, LITTLE);
const flag = (payload: DataView, offset: number) => payload.getUint8(offset) !== 0;

/** Steam's own Result if it says failure, else RESULT_DATA_CORRUPTION. */
function failureAt(payload: DataView, offset: number): number {
  const result = payload.byteLength < offset + 4 ? Result.RESULT_OK : i32(payload, offset);
  return result === Result.RESULT_OK ? Result.RESULT_DATA_CORRUPTION : result;
}

/** The numbers of Steam's callback structures. */
const LAYOUTS: ReadonlyMap<number, Layout<SignalName>> = new Map<number, Layout<SignalName>>([
  [101, layout('steam_server_connected', 0, () => ({}))],
  [
    102,
    layout('steam_server_connect_failed', 5, (payload) => ({
      result: i32(payload, 0),
      retrying: flag(payload, 4),
    })),
  ],
  [103, layout('steam_server_disconnected', 4, (payload) => ({ result: i32(payload, 0) }))],
  [
    113,
    layout('client_game_server_deny', 16, (payload) => ({
      app_id: u32(payload, 0),
      server_ip: ipText(u32(payload, 4)),
      server_port: payload.getUint16(8, LITTLE),
      secure: payload.getUint16(10, LITTLE),
      reason: u32(payload, 12),
    })),
  ],
  [117, layout('ipc_failure', 1, (payload) => ({ type: payload.getUint8(0) }))],
  [125, layout('licenses_updated', 0, () => ({}))],
  [
    143,
    layout('validate_auth_ticket_response', 20, (payload) => ({
      auth_id: u64(payload, 0),
      response: i32(payload, 8),
      owner_id: u64(payload, 12),
    })),
  ],
  [
    152,
    {
      signal: 'microtransaction_auth_response',
      bytes: (packing) => packing + 9,
      read: (payload, packing) => ({
        app_id: u32(payload, 0),
        order_id: u64(payload, packing),
        authorized: flag(payload, packing + 8),
      }),
    },
  ],
  [154, layout('encrypted_app_ticket_response', 4, (payload) => ({ result: i32(payload, 0) }))],
  [
    163,
    layout('get_auth_session_ticket_response', 8, (payload) => ({
      auth_ticket: u32(payload, 0),
      result: i32(payload, 4),
    })),
  ],
  [164, layout('game_web_callback', 256, (payload) => ({ url: text(payload, 256) }))],
  [165, layout('store_auth_url_response', 512, (payload) => ({ url: text(payload, 512) }))],
  [
    166,
    layout('market_eligibility_response', 20, (payload) => ({
      is_allowed: flag(payload, 0),
      disallow_reason: i32(payload, 4),
      allowed_at_time: u32(payload, 8),
      steam_guard_required_days: i32(payload, 12),
      new_device_cooldown: i32(payload, 16),
    })),
  ],
  [
    167,
    layout('duration_control', 32, (payload) => ({
      result: i32(payload, 0),
      duration: {
        app_id: u32(payload, 4),
        applicable: flag(payload, 8),
        seconds_last_5hrs: i32(payload, 12),
        progress: i32(payload, 16),
        notification: i32(payload, 20),
        notification_verbal: notificationVerbal(i32(payload, 20)),
        seconds_today: i32(payload, 24),
        seconds_remaining: i32(payload, 28),
      },
    })),
  ],
  [
    168,
    layout('get_ticket_for_web_api', WEB_TICKET_AT, (payload) => {
      const size = i32(payload, 8);
      if (size < 0 || size > payload.byteLength - WEB_TICKET_AT) return null;
      const ticket = new Uint8Array(payload.buffer, payload.byteOffset + WEB_TICKET_AT, size);
      return {
        auth_ticket: u32(payload, 0),
        result: i32(payload, 4),
        ticket_size: size,
        ticket_buffer: ticket.slice(),
      };
    }),
  ],
]);

const CALL_RESULTS: ReadonlySet<SignalName> = new Set<CallResultName>([
  'duration_control',
  'encrypted_app_ticket_response',
  'market_eligibility_response',
  'store_auth_url_response',
]);

/** Whether a message is of a known id and can be read whole. */
export function isWhole(message: SteamMessage, packing: Packing): boolean {
  return wholeEvent(message, packing) !== null;
}

/**
 * A message as a signal; null when its id is unknown, or when it cannot be read and it does not say whose answer it was. A call
 * result that cannot be read is a failed call: no other will come, and somebody waits for it.
 */
export function signalOf(message: SteamMessage, packing: Packing): SteamEvent | FailedCall | null {
  const whole = wholeEvent(message, packing);
  if (whole !== null) return whole;
  const known = LAYOUTS.get(message.id);
  if (known === undefined) return null;
  const { call, payload } = message;
  if (call !== 0n && CALL_RESULTS.has(known.signal)) {
    return { signal: known.signal as CallResultName, keys: null, call };
  }
  return payload === null ? null : (SALVAGE.get(message.id)?.(viewOf(payload)) ?? null);
}

function wholeEvent({ id, call, payload }: SteamMessage, packing: Packing): SteamEvent | null {
  const known = LAYOUTS.get(id);
  if (known === undefined || payload === null || payload.length < known.bytes(packing)) return null;
  const keys = known.read(viewOf(payload), packing);
  // The table pairs each name with its keys.
  return keys === null ? null : ({ signal: known.signal, keys, call } as SteamEvent);
}

function viewOf(payload: Uint8Array): DataView {
  return new DataView(payload.buffer, payload.byteOffset, payload.length);
}

function layout<Name extends SignalName>(
  signal: Name,
  bytes: number,
  read: (payload: DataView) => Signals[Name] | null,
): Layout<Name> {
  return { signal, bytes: () => bytes, read };
}

/** UTF-8 up to NUL, or to the end of its array. */
function text(payload: DataView, bytes: number): string {
  const all = new Uint8Array(payload.buffer, payload.byteOffset, bytes);
  const end = all.indexOf(0);
  return new TextDecoder().decode(end < 0 ? all : all.subarray(0, end));
}
