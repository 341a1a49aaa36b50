/** Joins a lobby: checks what the application passed, then opens the first connection. */

import { PLATFORM } from '#platform';
import type { LobbyIo } from '../platform/platform.js';
import { checkLabel } from '../session/requests.js';
import { parseRelayUrl } from '../transport/url.js';
import { Credentials } from './credentials.js';
import type { Lobby, LobbyOptions } from './lobby.js';
import { Membership } from './membership.js';

/**
 * Joins a lobby. Resolves when the relay has admitted us.
 *
 * @param io Clock, timer and randomness, for tests.
 * @throws TypeError for a SteamID that is not a bigint, or a ticket that is not a Uint8Array.
 * @throws RangeError for a name or lobby that is not a valid label, a ticket of 0 or more than 2560 bytes, or `redirectHosts` that are
 *   not hosts.
 * @throws HotmicError ERR_HOTMIC_URL when `url` is not a WebSocket URL; ERR_HOTMIC_CONNECT when nothing answers there within 10 s;
 *   ERR_HOTMIC_REFUSED when the relay refuses (an `UpgradeRefusedError` with `status`, `retryAfterS` and `reason` if it refused in
 *   HTTP); ERR_HOTMIC_PROTOCOL when what answers is not a relay; ERR_HOTMIC_CONNECTION_LOST when the connection closes before the
 *   welcome; ERR_HOTMIC_CLOSED when `signal` is aborted. An error thrown by a function that provides a credential is passed on as it is.
 */
export async function joinLobby(options: LobbyOptions, io: LobbyIo = PLATFORM): Promise<Lobby> {
  const url = parseRelayUrl(options.url);
  if (options.steamId !== undefined && typeof options.steamId !== 'bigint') {
    throw new TypeError(
      `Cannot join: steamId is a ${typeof options.steamId}, expected a bigint (a number cannot represent every SteamID)`,
    );
  }
  checkLabel('join: lobby', options.lobby);
  checkLabel('join: name', options.name);
  const credentials = new Credentials(options);
  const open = options.transport ?? (await PLATFORM.transport());
  return await new Membership(url, options, credentials, open, io).join();
}
