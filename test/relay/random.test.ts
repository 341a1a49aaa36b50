/** Lobby life at random: whatever happens, everyone believes what is so, and hears whom they should. */

import t from 'tap';
import type { RelayOutput } from '../../relay/io.js';
import type { RelayMessageToWrite } from '../../voice/control.js';
import { Bench, frameOf, helloOf, steamIdOf } from './kit.js';

/** Mulberry32: small, seeded, good enough to choose with. */
function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** A connection as its client and its socket see it, by outputs alone. */
interface Client {
  readonly topics: Set<string>;
  /** By slot, as the welcome and the changes after it tell; null before the welcome. */
  believes: Map<number, ParticipantInfo> | null;
}

/** What is so, by what the test did. */
interface Truth {
  readonly account: number;
  readonly lobby: string;
  readonly slot: number;
}

const LOBBIES = ['den', 'attic', 'cellar'];
const STEPS = 20_000;

for (const seed of [1, 2, 3]) {
  t.test(`beliefs, slots and hearing hold through ${STEPS} random steps (seed ${seed})`, async (t) => {
    const below = seeded(seed);
    const bench = new Bench({ participantsPerLobby: 5, lobbies: 2, slotRestMs: 500, frameBurst: 20 });
    const clients = new Map<number, Client>();
    const truth = new Map<number, Truth>();
    const lastFrameAt = new Map<number, number>();
    const faults: string[] = [];
    const reached = { forwarded: 0, dropped: 0, refused: 0, left: 0, silenced: 0 };
    let nextConnection = 0;

    const fault = (text: string) => faults.push(`${text} at ${bench.now}`);

    const carryOut = (outputs: readonly RelayOutput[]) => {
      for (const output of outputs) {
        switch (output.kind) {
          case 'tell':
            if (new Set(output.connections).size !== output.connections.length) fault('told twice');
            for (const connection of output.connections) {
              const client = clients.get(connection);
              if (!client) {
                fault(`told ${connection}, which is gone`);
                continue;
              }
              hear(connection, client, output.message);
            }
            break;
          case 'subscribe':
            clients.get(output.connection)!.topics.add(output.topic);
            break;
          case 'unsubscribe':
            if (!clients.get(output.connection)!.topics.delete(output.topic)) fault('was not subscribed');
            break;
          case 'close':
            if (!clients.delete(output.connection)) fault(`closed ${output.connection} twice`);
            truth.delete(output.connection);
            break;
          case 'event':
            break;
        }
      }
    };

    const hear = (
      connection: number,
      client: Client,
      message: Extract<RelayOutput, { kind: 'tell' }>['message'],
    ) => {
      switch (message.type) {
        case 'welcome':
          if (client.believes) fault('welcomed twice');
          client.believes = new Map(message.participants.map((info) => [info.slot, info]));
          if (client.believes.size !== message.participants.length) fault('a slot is listed twice');
          if (client.believes.has(message.slot)) fault("one's own slot is listed");
          truth.set(connection, {
            account: accountOf.get(connection)!,
            lobby: message.lobby,
            slot: message.slot,
          });
          break;
        case 'joined':
          if (!client.believes) fault('told of a join before the welcome');
          if (client.believes?.has(message.participant.slot)) fault('joined a slot that is taken');
          client.believes?.set(message.participant.slot, message.participant);
          break;
        case 'left':
          if (!client.believes?.delete(message.slot)) fault('who was not there left');
          break;
        case 'speaking': {
          const info = client.believes?.get(message.slot);
          if (!info) fault('who is not there speaks');
          else if (info.speaking === message.speaking) fault('speaking told twice');
          else client.believes!.set(message.slot, { ...info, speaking: message.speaking });
          if (!message.speaking) reached.silenced += 1;
          break;
        }
        case 'refused':
          reached.refused += 1;
          break;
      }
    };

    const accountOf = new Map<number, number>();

    const checkBeliefs = () => {
      for (const [connection, { lobby, slot }] of truth) {
        const others = [...truth].filter(([other, it]) => other !== connection && it.lobby === lobby);
        const wanted = others.map(([, it]) => `${it.slot}=${steamIdOf(it.account)}`).sort();
        const believed = [...clients.get(connection)!.believes!.values()];
        const found = believed.map((info) => `${info.slot}=${info.steamId}`).sort();
        if (wanted.join() !== found.join()) fault(`${connection} believes ${found}, so is ${wanted}`);
        if (others.some(([, it]) => it.slot === slot)) fault(`two have slot ${slot}`);
        for (const [other, it] of others) {
          // All who watch believe the same of one speaker, and what they believe is recent.
          const speaking = clients.get(connection)!.believes!.get(it.slot)?.speaking;
          const silentMs = bench.now - (lastFrameAt.get(other) ?? -1e9);
          if (speaking && silentMs >= 400) fault(`${other} still speaks after ${silentMs} ms`);
        }
      }
      const counts = bench.relay.counts();
      if (counts.participants !== truth.size) fault('participants are miscounted');
      if (counts.connections !== clients.size) fault('connections are miscounted');
      if (counts.lobbies !== new Set([...truth.values()].map((it) => it.lobby)).size)
        fault('lobbies are miscounted');
    };

    const speak = (connection: number) => {
      const truthBefore = truth.get(connection);
      const account = below(20) === 0 ? 99 : accountOf.get(connection)!;
      const verdict = bench.voice(connection, frameOf(account, { terminator: below(8) === 0 }));
      if (verdict.kind === 'forward') {
        reached.forwarded += 1;
        if (!truthBefore || account === 99) fault('a frame went out that should not');
        const heard = [...clients].filter(([id, it]) => id !== connection && it.topics.has(verdict.topic));
        const should = [...truth].filter(([id, it]) => id !== connection && it.lobby === truthBefore?.lobby);
        const ids = (pairs: [number, unknown][]) =>
          pairs
            .map(([id]) => id)
            .sort()
            .join();
        if (ids(heard) !== ids(should)) fault(`heard by ${ids(heard)}, wants ${ids(should)}`);
        if (verdict.slot !== truthBefore?.slot) fault('a frame under a slot not its own');
        lastFrameAt.set(connection, bench.now);
      } else {
        reached.dropped += 1;
      }
      carryOut(verdict.outputs);
    };

    for (let step = 0; step < STEPS && faults.length === 0; step++) {
      bench.now += below(50) === 0 ? below(1000) : below(40);
      const ids = [...clients.keys()];
      const any = ids[below(Math.max(1, ids.length))];
      const dice = below(100);
      if (dice < 8 || any === undefined) {
        const connection = nextConnection++;
        clients.set(connection, { topics: new Set(), believes: null });
        accountOf.set(connection, 1 + below(12));
        carryOut(bench.connect(connection));
      } else if (dice < 20) {
        const waiting = ids.find((id) => !truth.has(id)) ?? any;
        const hello = helloOf(accountOf.get(waiting)!, LOBBIES[below(LOBBIES.length)]);
        carryOut(bench.text(waiting, hello));
      } else if (dice < 24) {
        reached.left += 1;
        carryOut(bench.text(any, { type: 'leave' }));
      } else if (dice < 27) {
        clients.delete(any);
        truth.delete(any);
        carryOut(bench.close(any));
      } else {
        // Who has not joined speaks now and then only: it closes their connection.
        const joined = [...truth.keys()];
        speak(below(50) > 0 && joined.length > 0 ? joined[below(joined.length)]! : any);
      }
      carryOut(bench.tickAt(bench.now));
      checkBeliefs();
    }
    t.same(faults, []);
    for (const [name, count] of Object.entries(reached)) t.ok(count > 50, `${name}: ${count} times`);
  });
}
