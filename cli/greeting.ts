/** What a command prints about a lobby: that it joined, that the relay refused a request, that the connection broke. */

import { monotonicMs } from '../client/clock.js';
import type { Lobby, LobbyEvents } from '../client/lobby/lobby.js';
import type { RedirectRefusal } from '../client/session/connecting/redirects.js';
import { printable } from '../voice/printable.js';
import { LineBudget } from './line_budget.js';
import type { MemberOptions } from './options.js';

/** Which lobby, under which name, with how many others. */
function joinedText(lobby: Lobby, { lobby: lobbyName, name }: MemberOptions): string {
  const others = counted(lobby.participants.length, 'other');
  return `In lobby ${lobbyName} as ${name} (slot ${lobby.slot}), ${others}. Press Ctrl-C to leave.`;
}

/** Why a redirect is not followed. */
const NOT_FOLLOWED: Readonly<Record<RedirectRefusal, string>> = {
  'not-a-relay-url': 'it is not the URL of a relay',
  insecure: 'it would leave TLS',
  'credentials-in-url': 'it contains a user name or a password',
  'host-not-allowed': 'its host is not allowed; --redirect-host allows it',
  'too-many': 'too many redirects in a row',
  'no-credential': 'a guest cannot prove who they are to another relay',
};

/** For a lobby: enters the channels of the command line, and prints what else a person should know. To standard error. */
export function memberEvents(
  options: MemberOptions,
  budget = new LineBudget(monotonicMs),
  print: (line: string) => void = console.error,
) {
  const say = (text: string) => {
    if (budget.take()) print(printable(text));
  };
  return {
    onWelcome: (lobby: Lobby) => {
      print(joinedText(lobby, options));
      if (options.channel.length > 0) lobby.enter(options.channel);
    },
    onFailed: (code: string, message: string) => say(`Request refused (${code}): ${message}`),
    onDraining: (withinMs: number, goTo: string | null) => {
      const next = goTo === null ? '' : `; reconnecting to ${goTo}`;
      const when = withinMs === 0 ? 'is closing' : `closes within ${Math.ceil(withinMs / 1000)} s`;
      say(`The relay ${when}${next}`);
    },
    onRedirectRefused: (goTo: string, why: RedirectRefusal) =>
      say(`Not following the redirect to ${goTo}: ${NOT_FOLLOWED[why]}`),
    onReconnecting: ({ message }: Error) => say(`${message}; trying to reconnect`),
    onResumed: (how: 'resumed' | 'joined-anew') =>
      say(how === 'resumed' ? 'Reconnected to the lobby' : 'Reconnected to the lobby, as a new participant'),
  } satisfies LobbyEvents;
}

/** `1 packet`, `2 packets`. */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}
