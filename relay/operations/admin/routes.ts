/**
 * Every operation of the admin API: its method and path, its input and output, and what it does. api.ts serves this table,
 * openapi.ts describes it.
 *
 * Operations on all lobbies have a separate path beside `lobbies`. A client that folds dots in URLs turns a lobby called `..` into
 * `/v1/participants/…`, and that must mean nothing.
 */

import type * as z from 'zod/mini';
import type { Milliseconds } from '../../../voice/units.js';
import type {
  AdminCommand,
  AdminResult,
  LobbyState,
  LobbySummary,
  MemberState,
  Moderation,
} from '../../core/administration.js';
import type { RelayStateCounts } from '../../core/io.js';
import type { Sanction } from '../../core/sanctions.js';
import { sanctionKey } from '../../moderation_store/sanctions_text.js';
import { pageOf } from './page.js';
import type { Problem, ProblemCode } from './problem.js';
import * as schemas from './schemas.js';

/** What the admin API needs from a relay. Every call is synchronous, so nothing changes between a look and the action after it. */
export interface AdminTarget {
  /** Carried out, outputs included, when it returns. @throws RangeError for a capacity or channels beyond the relay's limits. */
  administer(command: AdminCommand): AdminResult;
  lobbies(): readonly LobbySummary[];
  lobby(name: string): LobbyState | null;
  unlisted(name: string): readonly MemberState[] | null;
  sanctions(): readonly Sanction[];
  counts(): RelayStateCounts;
  /** Begins to drain. Later calls change nothing. */
  drain(withinMs: Milliseconds, goTo: string | null): void;
}

export type Schema = z.ZodMiniType;
type Parsed<S extends Schema | null> = S extends Schema ? z.output<S> : null;

/** The names in a path. Names that its template does not have are empty. */
export interface PathNames {
  readonly lobby: string;
  readonly steamId: string;
}

export type Reply =
  | { readonly kind: 'answer'; readonly body: unknown }
  | { readonly kind: 'problem'; readonly problem: Problem };

interface Route<Body extends Schema | null, Query extends Schema | null> {
  /** OpenAPI's operationId; unique. */
  readonly operation: string;
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** With `{lobby}` and `{steamId}` as whole segments. */
  readonly path: string;
  readonly summary: string;
  readonly body: Body;
  readonly query: Query;
  readonly status: 200 | 201 | 202 | 204;
  /** `line`: a line of an update stream can ask for it. `itself`: it is that stream, which api.ts serves. */
  readonly stream: 'line' | 'itself' | 'no';
  /** The answer's body; null without one. */
  readonly answer: Schema | null;
  /** Problems besides those that any request may meet. */
  readonly problems: readonly ProblemCode[];
  run(target: AdminTarget, names: PathNames, body: Parsed<Body>, query: Parsed<Query>): Reply;
}

/** One operation; `run` gets what its own schemas parsed. */
export type AdminRoute = Route<Schema | null, Schema | null>;

function route<Body extends Schema | null, Query extends Schema | null>(
  made: Route<Body, Query>,
): AdminRoute {
  return made as unknown as AdminRoute;
}

const nothing = { body: null, query: null, problems: [], stream: 'no' } as const;

const lobbyRoutes: readonly AdminRoute[] = [
  route({
    ...nothing,
    operation: 'listLobbies',
    method: 'GET',
    path: '/v1/lobbies',
    summary: 'Lists lobbies by name. To get the next page, pass next as after; it is null on the last page.',
    query: schemas.lobbiesQuery,
    status: 200,
    answer: schemas.lobbyPage,
    run: (target, _names, _body, { limit, after }) => {
      const size = schemas.pageSize(limit);
      const { items: lobbies, next } = pageOf(target.lobbies(), ({ name }) => name, size, after);
      return answer({ lobbies, next });
    },
  }),
  route({
    ...nothing,
    operation: 'getLobby',
    method: 'GET',
    path: '/v1/lobbies/{lobby}',
    summary: 'Shows a lobby with its channels and listed participants.',
    status: 200,
    answer: schemas.lobbyWhole,
    problems: ['lobby-unknown'],
    run: (target, { lobby }) => {
      const state = target.lobby(lobby);
      return state ? answer(state) : problem('lobby-unknown', 'there is no lobby with this name');
    },
  }),
  route({
    ...nothing,
    operation: 'listUnlisted',
    method: 'GET',
    path: '/v1/lobbies/{lobby}/unlisted',
    summary:
      'Lists the listeners of a lobby who are counted and not listed, by SteamID. Pages as in listLobbies.',
    query: schemas.membersQuery,
    status: 200,
    answer: schemas.memberPage,
    problems: ['lobby-unknown'],
    run: (target, { lobby }, _body, { limit, after }) => {
      const unlisted = target.unlisted(lobby);
      if (!unlisted) return problem('lobby-unknown', 'there is no lobby with this name');
      const size = schemas.pageSize(limit);
      const { items: members, next } = pageOf(unlisted, ({ steamId }) => steamId, size, after);
      return answer({ members, next });
    },
  }),
  route({
    ...nothing,
    stream: 'line',
    operation: 'openLobby',
    method: 'PUT',
    path: '/v1/lobbies/{lobby}',
    summary: "Creates a lobby that stays when it is empty. By default its places are the relay's.",
    body: schemas.lobbyPlan,
    status: 201,
    answer: schemas.lobbyWhole,
    problems: ['lobby-exists', 'relay-full'],
    run: (target, { lobby }, { capacity, unlisted, channels }) => {
      const plan = {
        ...(capacity !== undefined && { capacity }),
        ...(unlisted !== undefined && { unlisted }),
        ...(channels && { channels }),
      };
      let result: AdminResult;
      try {
        result = target.administer({ kind: 'open-lobby', lobby, ...plan });
      } catch (thrown) {
        // The schema does not know the relay's own limits.
        if (thrown instanceof RangeError) return problem('request-invalid', thrown.message);
        throw thrown;
      }
      return result.kind === 'done' ? answer(target.lobby(lobby)) : { kind: 'problem', problem: result };
    },
  }),
  route({
    ...nothing,
    stream: 'line',
    operation: 'setHearing',
    method: 'PUT',
    path: '/v1/lobbies/{lobby}/hearing',
    summary:
      'Sets whom each of these listeners hears from now on: only these people, or everyone with null. All of the sets, or none. A set stays with its SteamID until the lobby ends, before they join and after they leave.',
    body: schemas.hearing,
    status: 204,
    answer: null,
    problems: ['lobby-unknown', 'hearing-full'],
    run: (target, { lobby }, { sets }) => done(target.administer({ kind: 'hear', lobby, sets })),
  }),
  route({
    ...nothing,
    stream: 'line',
    operation: 'closeLobby',
    method: 'DELETE',
    path: '/v1/lobbies/{lobby}',
    summary: 'Closes a lobby and disconnects its participants.',
    status: 204,
    answer: null,
    problems: ['lobby-unknown'],
    run: (target, { lobby }) => done(target.administer({ kind: 'close-lobby', lobby })),
  }),
];

/** Actions with a duration. Without one, a ban is permanent and the others last for 30 days. */
const TIMED = [
  ['mute', 'Mutes a player, present or not: nobody hears them. For the given seconds, or for 30 days.'],
  ['deafen', 'Deafens a player, present or not: they hear nobody. For the given seconds, or for 30 days.'],
  ['ban', 'Disconnects a player and refuses them. For the given seconds, or permanently.'],
] as const;

const PLAIN = [
  ['unmute', 'Removes a mute.'],
  ['undeafen', 'Removes a deafening.'],
  ['unban', 'Removes a ban.'],
  ['kick', 'Disconnects a player, who may join again.'],
  ['prioritize', 'Makes a player a priority speaker: while they speak, clients lower the others.'],
  ['unprioritize', 'Ends priority speaking.'],
] as const;

/** Actions on a participant's state in one lobby, which have no meaning for all lobbies. */
const ONE_LOBBY_ONLY: readonly string[] = ['prioritize', 'unprioritize'];

type Where = 'in-lobby' | 'everywhere';

function moderationRoutes(where: Where): readonly AdminRoute[] {
  const base = where === 'in-lobby' ? '/v1/lobbies/{lobby}' : '/v1/all-lobbies';
  const about = (action: string, summary: string) => ({
    ...nothing,
    stream: 'line' as const,
    operation: where === 'in-lobby' ? action : `${action}Everywhere`,
    method: 'POST' as const,
    path: `${base}/participants/{steamId}/${action}`,
    summary: where === 'in-lobby' ? summary : `In all lobbies, present and future. ${summary}`,
    status: 204 as const,
    answer: null,
  });
  const moderate = (target: AdminTarget, { lobby }: PathNames, moderation: Moderation) =>
    done(target.administer({ kind: 'moderate', lobby: where === 'in-lobby' ? lobby : null, moderation }));

  const timed = TIMED.map(([action, summary]) =>
    route({
      ...about(action, summary),
      body: schemas.duration,
      problems: ['sanctions-full'],
      run: (target, names, { seconds }) => {
        const { steamId } = names;
        return moderate(target, names, { action, steamId, ...(seconds !== undefined && { seconds }) });
      },
    }),
  );
  const plain = PLAIN.filter(([action]) => where === 'in-lobby' || !ONE_LOBBY_ONLY.includes(action)).map(
    ([action, summary]) =>
      route({
        ...about(action, summary),
        body: schemas.empty,
        problems: action.startsWith('un') && action !== 'unprioritize' ? [] : ['participant-unknown'],
        run: (target, names) => moderate(target, names, { action, steamId: names.steamId }),
      }),
  );
  if (where === 'everywhere') return [...timed, ...plain];
  const move = route({
    ...about('move', 'Moves a player into these channels, and out of all others.'),
    body: schemas.move,
    problems: ['participant-unknown', 'channels-full'],
    run: (target, names, { channels }) =>
      moderate(target, names, { action: 'move', steamId: names.steamId, channels }),
  });
  return [...timed, ...plain, move];
}

/** All operations, in the order of the document. */
export const ADMIN_ROUTES: readonly AdminRoute[] = [
  ...lobbyRoutes,
  ...moderationRoutes('in-lobby'),
  ...moderationRoutes('everywhere'),
  route({
    ...nothing,
    stream: 'itself',
    operation: 'streamUpdates',
    method: 'POST',
    path: '/v1/updates',
    summary:
      'Carries out many operations in one request. Each line of the body is one of them, and is answered by a line, while the request goes on.',
    status: 200,
    answer: null,
    problems: ['streams-full', 'body-not-json'],
    run: () => problem('internal-error', 'a stream is not a single operation'),
  }),
  route({
    ...nothing,
    operation: 'listSanctions',
    method: 'GET',
    path: '/v1/sanctions',
    summary:
      'Lists the players who are muted, deafened or banned. Each value is not, always, or the unix time of the end.',
    query: schemas.sanctionsQuery,
    status: 200,
    answer: schemas.sanctionPage,
    run: (target, _names, _body, { limit, after }) => {
      const { items: sanctions, next } = pageOf(
        target.sanctions(),
        sanctionKey,
        schemas.pageSize(limit),
        after,
      );
      return answer({ sanctions, next });
    },
  }),
  route({
    ...nothing,
    operation: 'getCounts',
    method: 'GET',
    path: '/v1/counts',
    summary: 'Shows the counts since the relay started, and its current numbers.',
    status: 200,
    answer: schemas.relayCounts,
    run: (target) => answer(target.counts()),
  }),
  route({
    ...nothing,
    operation: 'drain',
    method: 'POST',
    path: '/v1/drain',
    summary:
      'Shuts the relay down: refuses new connections, tells clients when it ends and where to go, and closes. Later requests change nothing.',
    body: schemas.drain,
    status: 202,
    answer: null,
    run: (target, _names, { withinMs, goTo = null }) => {
      target.drain(withinMs, goTo);
      return answer(null);
    },
  }),
];

function answer(body: unknown): Reply {
  return { kind: 'answer', body };
}

function problem(code: ProblemCode, detail: string): Reply {
  return { kind: 'problem', problem: { code, detail } };
}

function done(result: AdminResult): Reply {
  return result.kind === 'done' ? answer(null) : { kind: 'problem', problem: result };
}
