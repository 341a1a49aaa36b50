/** What a command says when it is in a lobby. */

import type { Lobby } from '../client/lobby.js';
import type { MemberOptions } from './options.js';

/** Who we are, where, and with how many others. To standard error: standard output may be PCM. */
export function sayJoined(lobby: Lobby, { lobby: lobbyName, name }: MemberOptions): void {
  const others = counted(lobby.participants.length, 'other');
  console.error(`In lobby ${lobbyName} as ${name} (slot ${lobby.slot}), ${others}. Ctrl-C ends it.`);
}

/** `1 packet`, `2 packets`. */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}
