/** A relay as an operator starts it, with one lobby per test, and helpers for the tests. */

import { join as pathOf } from 'node:path';
import t, { type Test } from 'tap';
import { Client, type Message, type State } from './client.js';
import { closeCodeOf } from './messages.js';
import { type Grant, startBackend, startRelay } from './operator.js';
import { noiseFrame, opusOp, rateOp, writePacket } from './voice.js';

export const backend = await startBackend();
const files = t.testdir({ 'keys.json': backend.keySet });
export const keys = ['--token-keys', pathOf(files, 'keys.json')];
// All clients connect from one address here, and faster than people do.
const manyFromHere = [
  ...['--address-limit', 'connections=10000'],
  ...['--address-limit', 'connectionBurst=10000', '--address-limit', 'connectionsPerSecond=10000'],
  ...['--address-limit', 'credentialBurst=10000', '--address-limit', 'credentialsPerSecond=10000'],
];
export const relay = await startRelay(t, ...keys, ...manyFromHere, '--operations-port', '0');
const [, operations] = await relay.printed(/Operations at (\S+?)\. /);

export const idOf = (person: number) => String(76_561_197_960_265_728n + BigInt(person));
export const soundOf = (person: number, frames = 1) =>
  writePacket(
    idOf(person),
    rateOp(),
    opusOp(Array.from({ length: frames }, (_, index) => noiseFrame(person * 100 + index))),
  );

type GrantOfLobby = Omit<Grant, 'lobby'>;

/** The lobby of one test, and all its clients so far. */
export interface Den {
  readonly lobby: string;
  readonly clients: Client[];
  token(person: number, grant?: GrantOfLobby, seconds?: number): Promise<string>;
  /** A client that is connected and has sent nothing. */
  connect(person?: number, url?: string): Promise<Client>;
  /** A client that is connected and has sent its hello. */
  hello(person: number, grant?: GrantOfLobby, more?: object): Promise<Client>;
  /** A client in the lobby; the others have been told. */
  join(person: number, grant?: GrantOfLobby): Promise<Client>;
  /** A client that resumes `broken`, with its resume secret and its numbering. */
  resume(broken: Client, more?: object): Promise<Client>;
}

let dens = 0;

function denOf(): Den {
  dens += 1;
  const lobby = `den ${dens}`;
  const clients: Client[] = [];
  const there = new Set<Client>();
  const den: Den = {
    lobby,
    clients,
    token: (person, grant = {}, seconds) => backend.mint(idOf(person), { lobby, ...grant }, seconds),
    connect: async (person = 1, url = relay.url) => {
      const client = await Client.connect(url);
      client.packet = soundOf(person);
      clients.push(client);
      return client;
    },
    hello: async (person, grant, more = {}) => {
      const client = await den.connect(person);
      const token = await den.token(person, grant);
      client.send({
        type: 'hello',
        versions: [1],
        lobby,
        steamId: idOf(person),
        name: `person ${person}`,
        token,
        ...more,
      });
      return client;
    },
    join: async (person, grant) => {
      const client = await den.hello(person, grant);
      const { slot } = await client.message('welcome');
      for (const other of there) {
        if (other.socket.readyState !== other.socket.OPEN) continue;
        await other.next(
          (event): event is typeof event =>
            event.kind === 'message' &&
            event.message.type === 'joined' &&
            event.message.participant.slot === slot,
          `joined of ${slot}`,
        );
      }
      there.add(client);
      return client;
    },
    resume: async (broken, more = {}) => {
      const client = await den.connect();
      client.packet = broken.packet;
      client.speech = broken.speech;
      client.send({ type: 'resume', versions: [1], secret: broken.resumeSecret, ...more });
      return client;
    },
  };
  return den;
}

/** A test in its own lobby. At the end, everything that the relay sent must have had the documented form and order. */
export function scenario(name: string, body: (t: Test, den: Den) => Promise<void>): void {
  t.test(name, async (t) => {
    const den = denOf();
    t.teardown(() => {
      for (const client of den.clients) client.socket.terminate();
    });
    await body(t, den);
    t.same(
      den.clients.flatMap((client) => client.broken),
      [],
      'every message had the documented form',
    );
    t.same(
      den.clients.map((client) => client.missed),
      den.clients.map(() => 0),
      'nothing was lost',
    );
    t.same(
      den.clients.flatMap((client) => [...client.undocumented]),
      [],
      'nothing undocumented arrived',
    );
  });
}

let settled = 0;

/** Sends something visible to all, which arrives after everything that `client` sent before: what has not arrived by then never will. */
export async function settle(client: Client, ...others: Client[]): Promise<void> {
  settled += 1;
  const name = `settled ${settled}`;
  client.send({ type: 'rename', name });
  for (const each of [client, ...others]) {
    await each.next(
      (event): event is typeof event =>
        event.kind === 'message' &&
        event.message.type === 'changed' &&
        event.message.participant.name === name,
      `changed to ${name}`,
    );
  }
}

/** Expects the refusal with its code, then the close with its number and the same code, and nothing after it. */
export async function refusedWith(t: Test, client: Client, word: string, what = word): Promise<Message> {
  const { code, reason, refused } = await client.ended();
  t.match(
    { code, reason, refused },
    {
      code: closeCodeOf(word),
      reason: word,
      refused: { type: 'refused', code: word, message: /./ },
    },
    what,
  );
  return refused ?? { type: 'none' };
}

/** The counts of dropped frames by reason, from the operations port. */
export async function dropsOf(): Promise<Record<string, number>> {
  const text = await (await fetch(`${operations}metrics`)).text();
  const counts: Record<string, number> = {};
  for (const [, reason, count] of text.matchAll(
    /^hotmic_voice_frames_dropped_total\{reason="([^"]+)"\} (\d+)$/gm,
  )) {
    counts[reason!] = Number(count);
  }
  return counts;
}

export const personOf = (client: Client): State => client.you!;
export const voices = (client: Client, mark = 0) =>
  client.kinds(mark).filter((kind) => kind === 'voice').length;
