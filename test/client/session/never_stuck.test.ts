/**
 * Whatever happens to its connections, a session never gets stuck: connections that are cut, hang or are refused, a relay that restarts,
 * drains, kicks and bans, credentials that come late or not at all, an application that leaves at any moment.
 */

import t from 'tap';
import type { SessionOutput } from '../../../client/session/session_io.js';
import type { AdminCommand, Moderation } from '../../../relay/core/administration.js';
import { personSteamId } from '../../../voice/steam_id.js';
import { SEED } from '../../kit/random.js';
import { packetBy } from '../../relay/kit.js';
import { type Player, World } from './world.js';

const RUNS = 25;
const PEOPLE = 5;
const TROUBLE_MS = 20 * 60_000;
/** No wait of a session is longer than a minute (a relay's Retry-After), and the place is kept for 30 s. */
const SETTLES_WITHIN_MS = 100_000;

/** What one session did, and what it must not do. */
class Watch {
  readonly faults: string[] = [];
  #state: 'running' | 'ended' | 'closed' = 'running';
  #connection: 'none' | 'open' = 'none';
  #beside: number | null = null;

  take(output: SessionOutput): void {
    if (output.kind === 'not-sent') return;
    if (this.#state === 'closed') this.faults.push(`${output.kind} after closed`);
    switch (output.kind) {
      case 'open':
        if (output.beside) {
          if (this.#beside !== null) this.faults.push('a third connection');
          this.#beside = output.attempt;
          break;
        }
        if (this.#connection === 'open') this.faults.push('a second connection beside the first');
        this.#connection = 'open';
        break;
      case 'abandon':
      case 'switch':
        if (this.#beside !== output.attempt)
          this.faults.push(`${output.kind} of a connection that is not beside`);
        this.#beside = null;
        if (output.kind === 'switch') this.#connection = 'open';
        break;
      case 'close':
        this.#connection = 'none';
        break;
      case 'ended':
      case 'join-failed':
        if (this.#state !== 'running') this.faults.push(`${output.kind} a second time`);
        this.#state = 'ended';
        break;
      case 'closed':
        if (this.#state !== 'ended') this.faults.push('closed without an end');
        this.#state = 'closed';
    }
  }

  /** A connection of it closed by itself. */
  lost(attempt: number): void {
    if (attempt === this.#beside) this.#beside = null;
    else this.#connection = 'none';
  }

  get state(): string {
    return this.#state;
  }
}

/** Whether something is bound to happen to this session. */
function isWaiting(player: Player): boolean {
  return player.session.deadline() !== null || player.session.state === 'joined';
}

interface Run {
  readonly faults: readonly string[];
  readonly reached: ReadonlySet<string>;
}

function run(seed: number): Run {
  const faults: string[] = [];
  const reached = new Set<string>();
  const watches = new Map<Player, Watch>();
  const world = new World(seed, {
    onOutput: (player, output) => {
      const watch = watches.get(player) ?? new Watch();
      watches.set(player, watch);
      watch.take(output);
      reached.add(output.kind === 'resumed' ? output.how : output.kind);
    },
    onClosed: (player, attempt) => watches.get(player)?.lost(attempt),
  });
  const { agenda } = world;
  world.credentials = 'troubled';
  const settings = () => ({
    redirectHosts: ['next.relay'],
    reconnect: world.random.below(10) === 0 ? ('never' as const) : ('auto' as const),
    rejoin: world.random.below(4) === 0 ? ('never' as const) : ('may' as const),
  });
  const people: Player[] = Array.from({ length: PEOPLE }, (_, at) => world.add(at + 1, settings()));
  let isTroubled = true;

  const administer = (command: AdminCommand) => {
    world.perform(world.relay.administer(command, agenda.now, world.unixSeconds).outputs);
  };
  const moderate = (moderation: Moderation) => administer({ kind: 'moderate', lobby: 'den', moderation });
  const pick = () => people[world.random.below(people.length)]!;
  const steamId = () => String(personSteamId(pick().account));
  const troubles: (() => void)[] = [
    () => world.cut(pick(), world.between(0, 40_000)),
    () => world.cut(pick(), world.between(0, 2000)),
    () => world.cut(pick(), world.between(0, 40_000)),
    () => world.restart(),
    () => world.pauseRelay(world.between(0, 4000)),
    () => moderate({ action: 'kick', steamId: steamId() }),
    () => moderate({ action: 'ban', steamId: steamId(), seconds: 5 }),
    () => {
      const goTo = world.random.below(2) === 0 ? 'ws://next.relay' : 'ws://elsewhere';
      world.perform(world.relay.handle({ kind: 'drain', withinMs: 2000, goTo }, agenda.now));
      agenda.after(2000, () => world.restart());
    },
    () => world.input(pick(), { kind: 'leave' }),
    () => world.input(pick(), { kind: 'whisper', slots: [world.random.below(8)] }),
    () => world.input(pick(), { kind: 'request', request: { type: 'channels', channels: ['red'] } }),
    () => {
      const player = pick();
      const packet = packetBy(personSteamId(player.account), world.random.below(1000));
      const numbers = { sequence: 1, timestamp: 1, marker: true, terminator: false, capturedAt: agenda.now };
      const target = world.random.below(2) === 0 ? 'whisper' : 'lobby';
      world.input(player, { kind: 'publish', target, packet: { packet, ...numbers } });
    },
  ];
  const trouble = () => {
    if (!isTroubled) return;
    troubles[world.random.below(troubles.length)]!();
    for (const [at, player] of people.entries()) {
      if (!isWaiting(player) && !player.ended)
        faults.push(`${player.account} is stuck: ${player.session.state}`);
      if (player.ended) people[at] = world.add(player.account, settings(), player.link);
    }
    agenda.after(world.between(50, 3000), trouble);
  };
  trouble();
  agenda.runUntil(TROUBLE_MS);
  isTroubled = false;
  world.credentials = 'prompt';
  agenda.runUntil(TROUBLE_MS + SETTLES_WITHIN_MS);

  for (const [player, watch] of watches) {
    faults.push(...watch.faults.map((what) => `${player.account}: ${what}`));
    const { state } = player.session;
    if (state === 'over' && watch.state !== 'closed')
      faults.push(`${player.account} is over, but ${watch.state}`);
    if (state !== 'over' && state !== 'joined') faults.push(`${player.account} is still ${state}`);
  }
  return { faults, reached };
}

t.test('whatever happens to its connections, a session never gets stuck', async (t) => {
  t.comment(`seeds ${SEED} to ${SEED + RUNS - 1}`);
  const reached = new Set<string>();
  for (let seed = SEED; seed < SEED + RUNS; seed += 1) {
    const { faults, reached: also } = run(seed);
    t.same(faults.slice(0, 5), [], `seed ${seed}`);
    for (const what of also) reached.add(what);
  }
  for (const what of [
    'resumed',
    'joined-anew',
    'ended',
    'join-failed',
    'redirect-refused',
    'draining',
    'closed',
  ]) {
    t.ok(reached.has(what), `some session saw ${what}`);
  }
});
