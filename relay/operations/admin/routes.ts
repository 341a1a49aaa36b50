/**
 * Every operation of the admin API: its method and path, what it takes and gives, and what it does. api.ts serves this table,
 * openapi.ts describes it.
 *
 * What is done in all lobbies has a path of its own beside `lobbies`: a client that folds dots in URLs makes `/v1/participants/…`
 * of a lobby called `..`, and that must mean nothing.
 */

import type * as z from 'zod/mini';
import type { Milliseconds } from '../../../voice/units.js';
import type {
  AdminCommand,
  AdminResult,
  LobbyState,
  LobbySummary,
  Moderation,
} from '../../core/administration.js';
import type { RelayStateCounts } from '../../core/io.js';
import type { Sanction } from '../../core/sanctions.js';
import { sanctionKey } from '../../moderation_store/sanctions_text.js';
import { pageOf } from './page.js';
import type { Problem, ProblemCode } from './problem.js';
import * as schemas from './schemas.js';

/** What the admin API needs of a relay. All at once: nothing comes between a look and a deed. */
export interface AdminTarget {
  /** Done, its outputs too, when it returns. @throws RangeError for a lobby's capacity or channels that the relay does not have. */
  administer(command: AdminCommand): AdminResult;
  lobbies(): readonly LobbySummary[];
  lobby(name: string): LobbyState | null;
  sanctions(): readonly Sanction[];
  counts(): RelayStateCounts;
  /** Begins to drain; the first time holds. */
  drain(withinMs: Milliseconds, goTo: string | null): void;
}

export type Schema = z.ZodMiniType;
type Parsed<S extends Schema | null> = S extends Schema ? z.output<S> : null;

/** What a path names. Those that its template does not have are empty. */
export interface PathNames {
  readonly lobby: string;
  readonly steamId: string;
}

export type Reply =
  | { readonly kind: 'answer'; readonly body: unknown }
  | { readonly kind: 'problem'; readonly problem: Problem };

interface Route<Body extends Schema | null, Query extends Schema | null> {
  /** In OpenAPI's words its operationId; unique. */
  readonly operation: string;
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** With `{lobby}` and `{steamId}` as whole segments. */
  readonly path: string;
  readonly summary: string;
  readonly body: Body;
  readonly query: Query;
  readonly status: 200 | 201 | 202 | 204;
  /** What an answer's body is; null without. */
  readonly answer: Schema | null;
  /** Problems of its own, besides those that any request may meet. */
  readonly problems: readonly ProblemCode[];
  run(target: AdminTarget, names: PathNames, body: Parsed<Body>, query: Parsed<Query>): Reply;
}

/** One operation; `run` takes what its own schemas made. */
export type AdminRoute = Route<Schema | null, Schema | null>;

function route<Body extends Schema | null, Query extends Schema | null>(
  made: Route<Body, Query>,
): AdminRoute {
  return made as unknown as AdminRoute;
}

const nothing = { body: null, query: null, problems: [] } as const;

const lobbyRoutes: readonly AdminRoute[] = [
  route({
    ...nothing,
    operation: 'listLobbies',
    method: 'GET',
    path: '/v1/lobbies',
    summary: 'Lists lobbies by name. A next that is not null is the after of the next page.',
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
    summary: 'Shows a lobby with its channels and participants.',
    status: 200,
    answer: schemas.lobbyWhole,
    problems: ['lobby-unknown'],
    run: (target, { lobby }) => {
      const state = target.lobby(lobby);
      return state ? answer(state) : problem('lobby-unknown', 'no lobby of this name is there');
    },
  }),
  route({
    ...nothing,
    operation: 'openLobby',
    method: 'PUT',
    path: '/v1/lobbies/{lobby}',
    summary: 'Makes a lobby that stays while it is empty. Without a capacity it has that of the relay.',
    body: schemas.lobbyPlan,
    status: 201,
    answer: schemas.lobbyWhole,
    problems: ['lobby-exists', 'relay-full'],
    run: (target, { lobby }, { capacity, channels }) => {
      const plan = { ...(capacity !== undefined && { capacity }), ...(channels && { channels }) };
      let result: AdminResult;
      try {
        result = target.administer({ kind: 'open-lobby', lobby, ...plan });
      } catch (thrown) {
        // What the schema cannot know: the relay's own limits.
        if (thrown instanceof RangeError) return problem('request-invalid', thrown.message);
        throw thrown;
      }
      return result.kind === 'done' ? answer(target.lobby(lobby)) : { kind: 'problem', problem: result };
    },
  }),
  route({
    ...nothing,
    operation: 'closeLobby',
    method: 'DELETE',
    path: '/v1/lobbies/{lobby}',
    summary: 'Closes everybody out, and the lobby ends.',
    status: 204,
    answer: null,
    problems: ['lobby-unknown'],
    run: (target, { lobby }) => done(target.administer({ kind: 'close-lobby', lobby })),
  }),
];

/** What may be done for a time, and without end or for 30 days when none is given. */
const TIMED = [
  ['mute', 'Nobody hears them, for 30 days or so many seconds, whether they are there now or not.'],
  ['deafen', 'They hear nobody, for 30 days or so many seconds.'],
  ['ban', 'Closes them out, for good or so many seconds.'],
] as const;

const PLAIN = [
  ['unmute', 'Takes a mute back.'],
  ['undeafen', 'Takes a deafening back.'],
  ['unban', 'Takes a ban back.'],
  ['kick', 'Closes them out. They may come again.'],
  ['prioritize', 'While they speak, others are to be lowered.'],
  ['unprioritize', 'Takes that back.'],
] as const;

/** Somebody's state in one lobby makes no sense in all of them. */
const ONE_LOBBY_ONLY: readonly string[] = ['prioritize', 'unprioritize'];

type Where = 'in-lobby' | 'everywhere';

function moderationRoutes(where: Where): readonly AdminRoute[] {
  const base = where === 'in-lobby' ? '/v1/lobbies/{lobby}' : '/v1/all-lobbies';
  const about = (action: string, summary: string) => ({
    ...nothing,
    operation: where === 'in-lobby' ? action : `${action}Everywhere`,
    method: 'POST' as const,
    path: `${base}/participants/{steamId}/${action}`,
    summary: where === 'in-lobby' ? summary : `In all lobbies, also those to come. ${summary}`,
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
    ...about('move', 'Puts them into these channels, and out of all others.'),
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
    operation: 'listSanctions',
    method: 'GET',
    path: '/v1/sanctions',
    summary: 'Lists who is muted, deafened or banned: not, always, or until a second of unix time.',
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
    summary: 'Shows what the relay counted since it began, and what it holds now.',
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
      'Takes no new connections, tells everybody when and where to go, and ends the relay. Asked again, the first time holds.',
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
