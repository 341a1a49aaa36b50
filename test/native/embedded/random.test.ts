/** Embedded Steams at random: whatever happens, each call and ticket is answered once, and the right players are authenticated. */

import t from 'tap';
import { EmbeddedWorld } from '../../../native/embedded/steam.js';
import { Result } from '../../../native/result.js';
import { SEED, SeededRandom } from '../../kit/random.js';
import { steamOf, TestTime } from './kit.js';

const STEPS = 20_000;
const PLAYERS = [1n, 2n, 3n];

/** What one player's game knows. */
interface Game {
  readonly steamId: bigint;
  readonly steam: ReturnType<typeof steamOf>['steam'];
  /** Calls not answered yet, in order. */
  readonly calls: bigint[];
  /** Ticket handles whose response has not come yet, in order. */
  readonly handles: number[];
  readonly tickets: { readonly id: number; readonly buffer: Uint8Array }[];
  /** The last response of each open session; null before the first. */
  readonly sessions: Map<bigint, number | null>;
}

t.test(`answers, responses and sessions hold through ${STEPS} random steps (seed ${SEED})`, async (t) => {
  const random = new SeededRandom(SEED);
  const time = new TestTime();
  const world = new EmbeddedWorld();
  const games = PLAYERS.map((steamId, at): Game => {
    const { steam } = steamOf(t, { steamId }, { time, world, seed: at + 1 });
    return { steamId, steam, calls: [], handles: [], tickets: [], sessions: new Map() };
  });
  const faults: string[] = [];
  const reached = { answers: 0, responses: 0, verdicts: new Set<number>(), results: new Set<number>() };

  const frame = ({ steam, calls, handles, sessions }: Game) => {
    for (const event of steam.runCallbacks()) {
      if (event.call !== 0n) {
        reached.answers += 1;
        if (calls.shift() !== event.call) faults.push(`call ${event.call} is answered out of turn`);
      } else if (event.keys && 'auth_ticket' in event.keys) {
        reached.responses += 1;
        if (handles.shift() !== event.keys.auth_ticket) faults.push('a response out of turn');
      } else if (event.signal === 'validate_auth_ticket_response') {
        reached.verdicts.add(event.keys.response);
        if (sessions.has(event.keys.auth_id)) sessions.set(event.keys.auth_id, event.keys.response);
      }
    }
    for (const [player, response] of sessions) {
      const isAuthenticated = steam.userHasLicenseForApp(player, 480) === 0;
      if (isAuthenticated !== (response === 0)) faults.push(`${player} at response ${response}`);
    }
  };

  for (let step = 0; step < STEPS; step++) {
    const game = games[random.below(games.length)]!;
    const { steam, calls, handles, tickets, sessions } = game;
    const others = games.filter(({ steamId }) => steamId !== game.steamId);
    const other = others[random.below(others.length)]!;
    switch (random.below(14)) {
      case 0:
      case 1: {
        const remote = [0n, 0n, ...PLAYERS][random.below(5)]!;
        const { id, buffer } = steam.getAuthSessionTicket(remote);
        if (id === 0) break;
        handles.push(id);
        tickets.push({ id, buffer });
        break;
      }
      case 2: {
        const id = steam.getAuthTicketForWebApi('hotmic');
        if (id === 0) break;
        handles.push(id);
        steam.cancelAuthTicket(id);
        break;
      }
      case 3: {
        const [ticket] = tickets.splice(random.below(tickets.length + 1), 1);
        if (ticket) steam.cancelAuthTicket(ticket.id);
        break;
      }
      case 4:
      case 5:
      case 6: {
        const ticket = other.tickets[random.below(other.tickets.length + 1)];
        if (!ticket) break;
        const buffer = ticket.buffer.slice(random.below(20) === 0 ? 1 : 0);
        if (random.below(20) === 0) buffer[random.below(buffer.length)]! ^= 1 << random.below(8);
        const result = steam.beginAuthSession(buffer, other.steamId);
        reached.results.add(result);
        if (result === 0) sessions.set(other.steamId, null);
        break;
      }
      case 7:
        steam.endAuthSession(other.steamId);
        sessions.delete(other.steamId);
        break;
      case 8:
        calls.push(steam.requestEncryptedAppTicket(random.bytes(random.below(20))));
        break;
      case 9:
        calls.push(steam.requestStoreAuthURL('https://shop.example/'), steam.getMarketEligibility());
        break;
      case 10:
        if (random.below(4) === 0) steam.controls.answerNext({ kind: 'call-failure' });
        if (random.below(4) === 0) steam.controls.loseConnection(Result.RESULT_NO_CONNECTION);
        break;
      case 11:
        steam.controls.restoreConnection();
        break;
      case 12:
        time.pass(random.below(40));
        break;
      case 13:
        for (const each of games) frame(each);
    }
  }
  for (const game of games) {
    frame(game);
    if (game.calls.length > 0 || game.handles.length > 0) faults.push(`${game.steamId} was not answered`);
  }
  t.same(faults.slice(0, 5), []);
  t.ok(reached.answers > 1000 && reached.responses > 1000, 'calls and tickets were answered');
  t.same([...reached.verdicts].sort(), [0, 1, 10, 6, 7, 8], 'each verdict came');
  for (const result of [0, 1, 2]) t.ok(reached.results.has(result), `result ${result} came`);
});
