/** What a command says of a lobby: that it is in, that the relay did not do what was asked, that the connection broke. */

import { monotonicMs } from '../client/clock.js';
import type { Lobby, LobbyEvents } from '../client/lobby/lobby.js';
import type { RedirectRefusal } from '../client/lobby/redirects.js';
import { printable } from '../voice/printable.js';
import { LineBudget } from './line_budget.js';
import type { MemberOptions } from './options.js';

/** Who we are, where, and with how many others. To standard error: standard output may be PCM. */
export function sayJoined(lobby: Lobby, { lobby: lobbyName, name }: MemberOptions): void {
  const others = counted(lobby.participants.length, 'other');
  console.error(`In lobby ${lobbyName} as ${name} (slot ${lobby.slot}), ${others}. Ctrl-C ends it.`);
}

/** Why we do not go where a relay sent us. */
const NOT_FOLLOWED: Readonly<Record<RedirectRefusal, string>> = {
  'not-a-relay-url': 'it is not the URL of a relay',
  insecure: 'it would leave TLS',
  'credentials-in-url': 'it holds a user name or a password',
  'host-not-allowed': '--redirect-host allows its host',
  'too-many': 'too many relays sent us on in a row',
  'no-credential': 'guests cannot join again as who they are',
};

/** For a lobby: enters the channels of the command line, and says what else a person should know. To standard error. */
export function memberEvents(options: MemberOptions, budget = new LineBudget(monotonicMs)) {
  const say = (text: string) => {
    if (budget.take()) console.error(printable(text));
  };
  return {
    onWelcome: (lobby: Lobby) => {
      sayJoined(lobby, options);
      if (options.channel.length > 0) lobby.enter(options.channel);
    },
    onFailed: (code: string, message: string) => say(`Not done (${code}): ${message}`),
    onDraining: (withinMs: number, goTo: string | null) => {
      const next = goTo === null ? '' : `; the next is ${goTo}`;
      say(`The relay closes within ${Math.ceil(withinMs / 1000)} s${next}`);
    },
    onRedirectRefused: (goTo: string, why: RedirectRefusal) =>
      say(`Not going to ${goTo}: ${NOT_FOLLOWED[why]}`),
    onReconnecting: ({ message }: Error) => say(`${message}; trying to reconnect`),
    onResumed: (how: 'resumed' | 'joined-anew') =>
      say(how === 'resumed' ? 'Back in the lobby' : 'Back in the lobby, in a new place'),
  } satisfies LobbyEvents;
}

/** `1 packet`, `2 packets`. */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}
