/** What a command says of a lobby: that it is in, that the relay did not do what was asked, that the connection broke. */

import type { Lobby, LobbyEvents } from '../client/lobby.js';
import type { MemberOptions } from './options.js';
import { printable } from './speaker_line.js';

/** Who we are, where, and with how many others. To standard error: standard output may be PCM. */
export function sayJoined(lobby: Lobby, { lobby: lobbyName, name }: MemberOptions): void {
  const others = counted(lobby.participants.length, 'other');
  console.error(`In lobby ${lobbyName} as ${name} (slot ${lobby.slot}), ${others}. Ctrl-C ends it.`);
}

/** For a lobby: enters the channels of the command line, and says what else a person should know. To standard error. */
export function memberEvents(options: MemberOptions) {
  return {
    onWelcome: (lobby: Lobby) => {
      sayJoined(lobby, options);
      if (options.channel.length > 0) lobby.enter(options.channel);
    },
    onFailed: (code: string, message: string) => console.error(printable(`Not done (${code}): ${message}`)),
    onDraining: (withinMs: number, goTo: string | null) => {
      const next = goTo === null ? '' : `; the next is ${goTo}`;
      console.error(printable(`The relay closes within ${Math.ceil(withinMs / 1000)} s${next}`));
    },
    onReconnecting: ({ message }: Error) => console.error(printable(`${message}; trying to come back`)),
    onResumed: (how: 'resumed' | 'joined-anew') =>
      console.error(how === 'resumed' ? 'Back in the lobby' : 'Back in the lobby, in a new place'),
  } satisfies LobbyEvents;
}

/** `1 packet`, `2 packets`. */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}
