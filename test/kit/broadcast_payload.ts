/**
 * The callback structs of Steam's broadcasts, written byte by byte: what a stand-in Steam sends for a signal.
 *
 * Offsets and sizes are Valve's, packed to 4 bytes on Linux and macOS and to 8 on Windows. What Steam does not write is 0xcd,
 * so that a length that is not heeded shows.
 */

import type { Signals } from '../../native/signals.js';
import type { BroadcastName } from '../../native/steam_controls.js';

export interface BroadcastPayload {
  /** The callback's number. */
  readonly id: number;
  readonly payload: Uint8Array;
}

const GARBAGE = 0xcd;

/** A struct of `size` bytes, filled by `write`. */
function struct(
  id: number,
  size: number,
  write: (view: DataView, bytes: Uint8Array) => void,
): BroadcastPayload {
  const payload = new Uint8Array(size).fill(GARBAGE);
  write(new DataView(payload.buffer), payload);
  return { id, payload };
}

type Writers = { readonly [Name in BroadcastName]: (keys: Signals[Name]) => BroadcastPayload };

const WRITERS: Writers = {
  steam_server_connected: () => struct(101, 1, () => {}),
  steam_server_connect_failed: ({ result, retrying }) =>
    struct(102, 8, (view) => {
      view.setInt32(0, result, true);
      view.setUint8(4, Number(retrying));
    }),
  steam_server_disconnected: ({ result }) => struct(103, 4, (view) => view.setInt32(0, result, true)),
  client_game_server_deny: ({ app_id, server_ip, server_port, secure, reason }) =>
    struct(113, 16, (view) => {
      view.setUint32(0, app_id, true);
      view.setUint32(4, hostOrder(server_ip), true);
      view.setUint16(8, server_port, true);
      view.setUint16(10, secure, true);
      view.setUint32(12, reason, true);
    }),
  ipc_failure: ({ type }) => struct(117, 1, (view) => view.setUint8(0, type)),
  licenses_updated: () => struct(125, 1, () => {}),
  validate_auth_ticket_response: ({ auth_id, response, owner_id }) =>
    struct(143, 20, (view) => {
      view.setBigUint64(0, auth_id, true);
      view.setInt32(8, response, true);
      view.setBigUint64(12, owner_id, true);
    }),
  microtransaction_auth_response: ({ app_id, order_id, authorized }) => {
    const at =
      process.platform === 'win32'
        ? { order: 8, authorized: 16, size: 24 }
        : { order: 4, authorized: 12, size: 16 };
    return struct(152, at.size, (view) => {
      view.setUint32(0, app_id, true);
      view.setBigUint64(at.order, order_id, true);
      view.setUint8(at.authorized, Number(authorized));
    });
  },
  get_auth_session_ticket_response: ({ auth_ticket, result }) =>
    struct(163, 8, (view) => {
      view.setUint32(0, auth_ticket, true);
      view.setInt32(4, result, true);
    }),
  game_web_callback: ({ url }) => struct(164, 256, (_view, bytes) => writeText(bytes, url)),
  duration_control: ({ result, duration }) =>
    struct(167, 32, (view) => {
      view.setInt32(0, result, true);
      view.setUint32(4, duration.app_id, true);
      view.setUint8(8, Number(duration.applicable));
      view.setInt32(12, duration.seconds_last_5hrs, true);
      view.setInt32(16, duration.progress, true);
      view.setInt32(20, duration.notification, true);
      view.setInt32(24, duration.seconds_today, true);
      view.setInt32(28, duration.seconds_remaining, true);
    }),
  get_ticket_for_web_api: ({ auth_ticket, result, ticket_size, ticket_buffer }) =>
    struct(168, 2572, (view, bytes) => {
      view.setUint32(0, auth_ticket, true);
      view.setInt32(4, result, true);
      view.setInt32(8, ticket_size, true);
      bytes.set(ticket_buffer.subarray(0, 2560), 12);
    }),
};

/** What Steam would send for `signal` with these keys. */
export function broadcastPayload<Name extends BroadcastName>(
  signal: Name,
  keys: Signals[Name],
): BroadcastPayload {
  return WRITERS[signal](keys);
}

/** 127.0.0.1 is 0x7f000001. */
function hostOrder(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** UTF-8 and a NUL, cut to fit. */
function writeText(bytes: Uint8Array, text: string): void {
  const { written } = new TextEncoder().encodeInto(text, bytes.subarray(0, bytes.length - 1));
  bytes[written] = 0;
}
