/**
 * docs/protocol.md is enough to write a client: one that was written from it alone joins, speaks, hears, is moderated and resumes
 * on the relay as an operator starts it. It knows the relay by its port, and Hotmic's own clients by their command line.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join as pathOf } from 'node:path';
import t, { type Test } from 'tap';
import { Client, type Message, type State } from './client.js';
import { closeCodeOf } from './messages.js';
import { type Grant, hotmic, startBackend, startRelay } from './operator.js';
import { appTicket, webTicket } from './tickets.js';
import {
  noiseFrame,
  opusOp,
  rateOp,
  readPacket,
  silenceOp,
  withoutRelayFields,
  writeFrame,
  writePacket,
} from './voice.js';

const backend = await startBackend();
const files = t.testdir({ 'keys.json': backend.keySet });
const keys = ['--token-keys', pathOf(files, 'keys.json')];
// All of them come from one address here, and faster than people do.
const manyFromHere = [
  ...['--address-limit', 'connections=10000'],
  ...['--address-limit', 'connectionBurst=10000', '--address-limit', 'connectionsPerSecond=10000'],
  ...['--address-limit', 'credentialBurst=10000', '--address-limit', 'credentialsPerSecond=10000'],
];
const relay = await startRelay(t, ...keys, ...manyFromHere, '--operations-port', '0');
const [, operations] = await relay.printed(/Operations at (\S+?)\. /);

const idOf = (person: number) => String(76_561_197_960_265_728n + BigInt(person));
const soundOf = (person: number, frames = 1) =>
  writePacket(
    idOf(person),
    rateOp(),
    opusOp(Array.from({ length: frames }, (_, index) => noiseFrame(person * 100 + index))),
  );

type GrantOfLobby = Omit<Grant, 'lobby'>;

/** A lobby of a test's own, and all who were ever in it. */
interface Den {
  readonly lobby: string;
  readonly clients: Client[];
  token(person: number, grant?: GrantOfLobby, seconds?: number): Promise<string>;
  /** Connected, and nothing said yet. */
  connect(person?: number, url?: string): Promise<Client>;
  /** Connected, and the hello said. */
  hello(person: number, grant?: GrantOfLobby, more?: object): Promise<Client>;
  /** In the lobby; who was there has been told. */
  join(person: number, grant?: GrantOfLobby): Promise<Client>;
  /** In place of `broken`, by its resume token and with its numbers. */
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
      client.send({ type: 'resume', versions: [1], token: broken.resumeToken, ...more });
      return client;
    },
  };
  return den;
}

/** A test in a lobby of its own. In the end all that the relay ever said has to have had the documented form and made sense. */
function sentence(name: string, body: (t: Test, den: Den) => Promise<void>, todo?: string): void {
  t.test(name, { todo: todo ?? false }, async (t) => {
    const den = denOf();
    t.teardown(() => {
      for (const client of den.clients) client.socket.terminate();
    });
    await body(t, den);
    t.same(
      den.clients.flatMap((client) => client.broken),
      [],
      'all had the form that the document says',
    );
    t.same(
      den.clients.flatMap((client) => [...client.undocumented]),
      [],
      'nothing came that the document does not name',
    );
  });
}

let settled = 0;

/** Something that everybody sees comes behind all that `client` sent before: what did not come until then does not come. */
async function settle(client: Client, ...others: Client[]): Promise<void> {
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

/** The refusal as a word, then the close with its number and the same word, and nothing behind. */
async function refusedWith(t: Test, client: Client, word: string, what = word): Promise<Message> {
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

/** What dropped frames are counted under, as the operations port tells it. */
async function dropsOf(): Promise<Record<string, number>> {
  const text = await (await fetch(`${operations}metrics`)).text();
  const counts: Record<string, number> = {};
  for (const [, reason, count] of text.matchAll(
    /^hotmic_voice_frames_dropped_total\{reason="([^"]+)"\} (\d+)$/gm,
  )) {
    counts[reason!] = Number(count);
  }
  return counts;
}

const personOf = (client: Client): State => client.you!;
const voices = (client: Client, mark = 0) => client.kinds(mark).filter((kind) => kind === 'voice').length;

sentence('a hello with a token is answered by the whole state', async (t, den) => {
  const first = await den.join(1, { channels: ['red'], moderator: true });
  const welcome = first.events[0] as { kind: 'message'; message: Message };
  t.match(welcome.message, {
    type: 'welcome',
    version: 1,
    slot: 0,
    lobby: den.lobby,
    resume: { withinMs: 30_000 },
    you: { slot: 0, steamId: idOf(1), name: 'person 1', moderator: true },
    participants: [],
    channels: [],
  });
  first.send({ type: 'channels', channels: ['red'] });
  await first.changed(0);
  first.say();
  const second = await den.join(2);
  t.strictSame(second.participants.get(0), {
    slot: 0,
    steamId: idOf(1),
    name: 'person 1',
    channels: [1],
    moderator: true,
    speaking: true,
  });
  t.same([...second.channels], [[1, 'red']]);
  t.strictSame(first.participants.get(1), { slot: 1, steamId: idOf(2), name: 'person 2', speaking: false });
  t.not(first.resumeToken, second.resumeToken);
  t.equal(second.socket.protocol, '');
  t.equal(second.socket.extensions, '');
  t.equal(await second.ping('are you there'), 'are you there');
  second.send({ type: 'leave' });
  t.match(await second.ended(), { code: 1000, refused: undefined });
  await first.message('left', { slot: 1 });
});

sentence('without a SteamID in the hello the token says who one is', async (t, den) => {
  const client = await den.hello(7, {}, { steamId: undefined });
  await client.message('welcome');
  t.equal(personOf(client).steamId, idOf(7));
});

sentence('two hear each other, byte for byte but for the fields of the relay', async (t, den) => {
  const ada = await den.join(1);
  const bob = await den.join(2);
  const sent: Buffer[] = [];
  for (let frame = 0; frame < 10; frame += 1) sent.push(ada.say({ terminator: frame === 9 }));
  let lastTime = 0;
  for (const [index, bytes] of sent.entries()) {
    const frame = await bob.voice();
    t.same(withoutRelayFields(frame.bytes), bytes);
    t.match(frame, { slot: 0, relaySequence: index, marker: index === 0, terminator: index === 9 });
    t.ok(frame.relayTimeMs >= lastTime, 'the clock of the relay goes on');
    lastTime = frame.relayTimeMs;
  }
  t.equal(sent[0]!.readUInt16LE(2), 65_530, 'a sequence wraps on the way');
  t.equal(sent[9]!.readUInt16LE(2), 3);
  bob.say();
  // One's own frames count in the relay sequence: Bob's was the eleventh to this target.
  t.match(await ada.voice(), { slot: 1, relaySequence: 10, target: 0 });
  t.equal(voices(ada), 1, 'nobody hears themselves');
});

sentence('what a speaker writes into the fields of the relay is written over', async (t, den) => {
  const ada = await den.join(1);
  const bob = await den.join(2);
  const bytes = ada.say();
  const forged = Buffer.from(bytes);
  forged[0]! |= 0x04;
  forged.fill(0xff, 8, 16);
  ada.sendBytes(forged);
  await bob.voice();
  const { slot, relaySequence, relayTimeMs, bytes: heard } = await bob.voice();
  t.match({ slot, relaySequence }, { slot: 0, relaySequence: 1 });
  t.ok(relayTimeMs < 0xffff_ffff);
  t.equal(heard[0]! & 0x04, 0);
});

sentence('speaking follows the first frame and the last, and ends by itself', async (t, den) => {
  const ada = await den.join(1);
  const bob = await den.join(2);
  const mark = bob.events.length;
  ada.say();
  ada.say();
  ada.say({ terminator: true });
  await bob.message('speaking', { slot: 0, speaking: false });
  t.same(bob.kinds(mark), ['voice', 'speaking', 'voice', 'voice', 'speaking']);
  ada.say();
  await bob.message('speaking', { slot: 0, speaking: true });
  const at = performance.now();
  await bob.message('speaking', { slot: 0, speaking: false });
  const afterMs = performance.now() - at;
  t.ok(afterMs > 300, `the hangover of 400 ms took ${Math.round(afterMs)} ms`);
  t.notOk(ada.kinds().includes('speaking'), 'nobody is told of their own speaking');
});

sentence('hotmic talk is heard: each packet reads, and its numbers go on as documented', async (t, den) => {
  const ada = await den.join(1);
  const dir = t.testdir({ token: await den.token(2) });
  const talk = hotmic(
    t,
    'talk',
    relay.url,
    ...['--lobby', den.lobby, '--steam-id', idOf(2), '--name', 'Hotmic', '--tone', '300', '--seconds', '1'],
    ...['--token-file', pathOf(dir, 'token')],
  );
  const { participant } = await ada.message('joined');
  t.match(participant, { slot: 1, steamId: idOf(2), name: 'Hotmic' });
  await ada.message('left', { slot: 1 });
  t.equal((await talk.ended).code, 0);
  const frames = ada.events.flatMap((event) => (event.kind === 'voice' ? [event.frame] : []));
  t.ok(frames.length >= 10, `${frames.length} frames`);
  let samples = 0;
  for (const [index, frame] of frames.entries()) {
    const packet = readPacket(frame.packet);
    if (typeof packet === 'string') throw new Error(packet);
    t.equal(packet.steamId, idOf(2));
    t.match(frame, {
      slot: 1,
      target: 0,
      marker: index === 0,
      terminator: index === frames.length - 1,
      sequence: (frames[0]!.sequence + index) % 0x10000,
      relaySequence: index,
    });
    t.equal((frame.timestamp - frames[0]!.timestamp) >>> 0, samples, 'the timestamp is that of its samples');
    samples += packet.frames.length * 480 + packet.silences.reduce((sum, each) => sum + each, 0);
  }
  t.ok(samples >= 24_000, `${samples} samples`);
  t.same(
    ada.events.flatMap((event) =>
      event.kind === 'message' && event.message.type === 'speaking' ? [event.message.speaking] : [],
    ),
    [true, false],
  );
});

sentence('hotmic listen and hotmic record hear the other client', async (t, den) => {
  const ada = await den.join(1);
  const dir = t.testdir({ listener: await den.token(2), recorder: await den.token(3) });
  const started = ['listen', 'record'].map((command, index) =>
    hotmic(
      t,
      command,
      relay.url,
      ...['--lobby', den.lobby, '--steam-id', idOf(2 + index)],
      ...['--token-file', pathOf(dir, `${command}er`)],
      ...(command === 'record' ? ['--out', pathOf(dir, 'out')] : []),
    ),
  );
  await ada.message('joined');
  await ada.message('joined');
  for (let frame = 0; frame < 50; frame += 1) {
    ada.say({
      packet: writePacket(idOf(1), rateOp(), opusOp([noiseFrame(frame)], frame, frame === 49)),
      terminator: frame === 49,
    });
  }
  const [listen, record] = started;
  await listen!.printed(/person 1/);
  await settle(ada);
  // The pong comes behind all that was sent to them, and they read in order.
  for (const command of started) {
    command.child.kill('SIGINT');
    t.match(await command.ended, { code: 0 });
  }
  t.match((await record!.ended).output, /person 1/);
  const tracks = readdirSync(pathOf(dir, 'out'));
  const track = tracks.find((name) => name.includes(idOf(1)));
  t.ok(track, `a track of the speaker in ${tracks}`);
  const wav = readFileSync(pathOf(dir, 'out', track!));
  let loudSamples = 0;
  for (let at = 44; at + 1 < wav.length; at += 2) if (Math.abs(wav.readInt16LE(at)) > 300) loudSamples += 1;
  t.ok(loudSamples > 5_000, `${loudSamples} loud samples of 24000`);
});

sentence('a channel is heard by those in it, and has numbers of its own', async (t, den) => {
  const ada = await den.join(1, { channels: ['red', 'blue'] });
  const bob = await den.join(2, { channels: ['red'] });
  const cyd = await den.join(3);
  const mark = cyd.events.length;
  ada.send({ type: 'channels', channels: ['red', 'blue'] });
  t.same((await ada.changed(0)).channels, [1, 2]);
  bob.send({ type: 'channels', channels: ['red'] });
  await ada.changed(1);
  await cyd.changed(1);
  t.same(
    cyd.kinds(mark),
    ['channel', 'channel', 'changed', 'changed'],
    'first the channel, then who is in it',
  );
  t.same(
    [...cyd.channels],
    [
      [1, 'red'],
      [2, 'blue'],
    ],
  );

  ada.say({ target: 0, terminator: true });
  const sent = ada.say({ target: 1 });
  await bob.voice();
  const heard = await bob.voice();
  t.same(withoutRelayFields(heard.bytes), sent);
  t.match(heard, { target: 1, relaySequence: 0, marker: true });
  await bob.message('speaking', { slot: 0, speaking: true });
  bob.say({ target: 1, terminator: true });
  t.match(await ada.voice(), { target: 1, relaySequence: 1, slot: 1 });
  ada.say({ target: 2, terminator: true });
  await bob.message('speaking', { slot: 0, speaking: false });
  ada.say({ target: 1 });
  t.match(await bob.voice(), { target: 1, relaySequence: 2 });
  await settle(ada, bob, cyd);
  t.equal(voices(cyd), 1, 'who is in no channel heard what was said to all');
  t.equal(cyd.participants.get(0)!.speaking, false);

  bob.send({ type: 'channels', channels: ['red', 'blue'] });
  t.match(await bob.message('failed'), { code: 'channel-not-allowed' });
  t.same(personOf(bob).channels, [1], 'all or nothing');
  ada.send({ type: 'channels', channels: [] });
  await bob.message('channel-ended', { number: 2 });
  t.same([...bob.channels], [[1, 'red']]);
  const before = await dropsOf();
  ada.say({ target: 1 });
  bob.send({ type: 'leave' });
  await ada.message('channel-ended', { number: 1 });
  t.equal((await dropsOf())['target-unknown'], (before['target-unknown'] ?? 0) + 1);

  ada.send({ type: 'channels', channels: ['red'] });
  t.same((await ada.changed(0)).channels, [3], 'the number of a channel that ended rests');
});

sentence('who enters or leaves a channel is told who speaks there', async (t, den) => {
  const ada = await den.join(1, { channels: ['red'] });
  const bob = await den.join(2, { channels: ['red'] });
  ada.send({ type: 'channels', channels: ['red'] });
  await ada.changed(0);
  // Spoken on and on, or the hangover would end it: 100 ms a frame are within it on any machine.
  const talking = setInterval(() => ada.say({ target: 1 }), 100);
  t.teardown(() => clearInterval(talking));
  bob.send({ type: 'channels', channels: ['red'] });
  await bob.message('speaking', { slot: 0, speaking: true });
  t.match(await bob.voice(), { target: 1 });
  bob.send({ type: 'channels', channels: [] });
  await bob.message('speaking', { slot: 0, speaking: false });
  clearInterval(talking);
  const mark = bob.events.length;
  ada.say({ target: 1 });
  await settle(ada, bob);
  t.equal(voices(bob, mark), 0);
});

sentence('a whisper is heard by those it names', async (t, den) => {
  const ada = await den.join(1);
  const bob = await den.join(2);
  const cyd = await den.join(3);
  // One's own slot is passed over.
  ada.send({ type: 'whisper', slots: [0, 1] });
  const sent = ada.say({ target: 255 });
  const heard = await bob.voice();
  t.same(withoutRelayFields(heard.bytes), sent);
  t.match(heard, { target: 255, relaySequence: 0, slot: 0 });
  await bob.message('speaking', { slot: 0, speaking: true });
  ada.send({ type: 'whisper', slots: [1, 9] });
  t.match(await ada.message('failed'), { code: 'participant-unknown' });
  ada.say({ target: 255, terminator: true });
  t.match(await bob.voice(), { relaySequence: 1 }, 'the old list stays');
  await bob.message('speaking', { slot: 0, speaking: false });
  const before = await dropsOf();
  ada.send({ type: 'whisper', slots: [] });
  ada.say({ target: 255 });
  await settle(ada, bob, cyd);
  t.equal(voices(bob), 2);
  t.same(
    cyd.kinds().filter((kind) => kind === 'voice' || kind === 'speaking'),
    [],
  );
  t.equal((await dropsOf())['target-unknown'], (before['target-unknown'] ?? 0) + 1);
});

sentence('after a changed with muted nothing of them is heard', async (t, den) => {
  const mod = await den.join(1, { moderator: true, channels: ['red'] });
  const bob = await den.join(2, { channels: ['red'] });
  const cyd = await den.join(3, { channels: ['red'] });
  for (const client of [mod, bob, cyd]) client.send({ type: 'channels', channels: ['red'] });
  for (const client of [mod, bob, cyd]) for (const slot of [0, 1, 2]) await client.changed(slot);

  bob.send({ type: 'moderate', steamId: idOf(3), action: 'mute' });
  t.match(await bob.message('failed'), { code: 'not-moderator' });
  t.notOk(personOf(cyd).muted);

  bob.send({ type: 'whisper', slots: [2] });
  bob.say();
  await cyd.message('speaking', { slot: 1, speaking: true });
  mod.send({ type: 'moderate', steamId: idOf(2), action: 'mute' });
  // He talks on, to everyone whom he can reach, all the while that the mute is on its way.
  for (let frame = 0; frame < 30; frame += 1) bob.say({ target: [0, 1, 255][frame % 3]! });
  t.match(await bob.changed(1), { muted: true });
  for (const target of [0, 1, 255]) bob.say({ target });
  await settle(bob, mod, cyd);
  for (const client of [mod, cyd]) {
    const at = client.events.findIndex(
      (event) =>
        event.kind === 'message' && event.message.type === 'changed' && event.message.participant.muted,
    );
    t.ok(at > 0);
    t.equal(voices(client, at), 0);
    t.match(client.participants.get(1), { muted: true, speaking: false });
  }
  const drops = await dropsOf();
  t.ok(drops.muted! >= 3);

  mod.send({ type: 'moderate', steamId: idOf(2), action: 'unmute' });
  t.notOk((await cyd.changed(1)).muted);
  await bob.changed(1);
  bob.say();
  t.match(await cyd.voice(), { slot: 1 });
});

sentence(
  'a mute holds for the person: through leaving and coming back, and ends in its time',
  async (t, den) => {
    const mod = await den.join(1, { moderator: true });
    // Nobody is there yet.
    mod.send({ type: 'moderate', steamId: idOf(2), action: 'mute' });
    await settle(mod);
    const bob = await den.join(2);
    t.equal(personOf(bob).muted, true);
    t.equal(mod.participants.get(1)!.muted, true);
    bob.send({ type: 'leave' });
    await mod.message('left', { slot: 1 });
    const again = await den.join(2);
    t.match(personOf(again), { muted: true, slot: 2 });
    mod.send({ type: 'moderate', steamId: idOf(2), action: 'mute', seconds: 1 });
    // The last word counts; and that it is over is told.
    t.notOk((await again.changed(2)).muted);
    again.say();
    t.match(await mod.voice(), { slot: 2 });
  },
);

sentence('to who is deafened no voice comes', async (t, den) => {
  const mod = await den.join(1, { moderator: true });
  const bob = await den.join(2);
  mod.send({ type: 'moderate', steamId: idOf(2), action: 'deafen' });
  t.match(await bob.changed(1), { deafened: true });
  mod.say();
  mod.say({ terminator: true });
  await settle(mod, bob);
  t.equal(voices(bob), 0);
  mod.send({ type: 'moderate', steamId: idOf(2), action: 'undeafen' });
  t.notOk((await bob.changed(1)).deafened);
  mod.say();
  t.match(await bob.voice(), { slot: 0, relaySequence: 2 });
});

sentence('a moderator moves anybody into any channel, and there one may stay', async (t, den) => {
  const mod = await den.join(1, { moderator: true });
  const bob = await den.join(2);
  const cyd = await den.join(3);
  mod.send({ type: 'moderate', steamId: idOf(2), action: 'move', channels: ['jail', 'yard'] });
  mod.send({ type: 'moderate', steamId: idOf(3), action: 'move', channels: ['jail'] });
  t.same((await bob.changed(1)).channels, [1, 2]);
  await bob.changed(2);
  cyd.say({ target: 1 });
  cyd.speech.target = null;
  await cyd.changed(2);
  cyd.say({ target: 1 });
  t.match(await bob.voice(), { target: 1, slot: 2 });
  bob.send({ type: 'channels', channels: ['jail'] });
  t.same((await bob.changed(1)).channels, [1]);
  bob.send({ type: 'channels', channels: ['jail', 'yard'] });
  t.match(await bob.message('failed'), { code: 'channel-not-allowed' });
  mod.send({ type: 'moderate', steamId: idOf(99), action: 'move', channels: [] });
  t.match(await mod.message('failed'), { code: 'participant-unknown' });
});

sentence('who is kicked may come back, who is banned may not until it is over', async (t, den) => {
  const mod = await den.join(1, { moderator: true });
  const kicked = await den.join(2);
  mod.send({ type: 'moderate', steamId: idOf(2), action: 'kick' });
  await refusedWith(t, kicked, 'kicked');
  await mod.message('left', { slot: 1 });
  await refusedWith(t, await den.resume(kicked), 'resume-refused', 'their place is not kept');
  const back = await den.join(2);
  mod.send({ type: 'moderate', steamId: idOf(2), action: 'ban' });
  await refusedWith(t, back, 'banned');
  await mod.message('left');
  await refusedWith(t, await den.hello(2), 'banned', 'nor do they come in again');
  await refusedWith(t, await den.resume(back), 'resume-refused');
  mod.send({ type: 'moderate', steamId: idOf(2), action: 'unban' });
  await settle(mod);
  const forgiven = await den.join(2);
  mod.send({ type: 'moderate', steamId: idOf(77), action: 'kick' });
  t.match(await mod.message('failed'), { code: 'participant-unknown' });
  forgiven.send({ type: 'moderate', steamId: idOf(1), action: 'ban', seconds: 60 });
  t.match(await forgiven.message('failed'), { code: 'not-moderator' });
});

sentence('a name changes for all, and what changes nothing is not told', async (t, den) => {
  const ada = await den.join(1, { channels: ['red'] });
  const bob = await den.join(2);
  ada.send({ type: 'rename', name: 'Ada' });
  t.equal((await ada.changed(0)).name, 'Ada');
  t.equal((await bob.changed(0)).name, 'Ada');
  const mark = bob.events.length;
  ada.send({ type: 'rename', name: 'Ada' });
  ada.send({ type: 'channels', channels: [] });
  await settle(ada, bob);
  t.same(bob.kinds(mark), ['changed']);
});

sentence('priority comes with a token or from a moderator', async (t, den) => {
  const mod = await den.join(1, { moderator: true });
  const born = await den.join(2, { priority: true });
  const made = await den.join(3);
  t.equal(personOf(born).priority, true);
  mod.send({ type: 'moderate', steamId: idOf(3), action: 'prioritize' });
  t.equal((await made.changed(2)).priority, true);
  await born.changed(2);
  mod.send({ type: 'moderate', steamId: idOf(3), action: 'unprioritize' });
  t.notOk((await born.changed(2)).priority);
});

sentence('who may not speak is not heard, who may not listen does not hear', async (t, den) => {
  const ada = await den.join(1);
  const mute = await den.join(2, { speak: false });
  const deaf = await den.join(3, { listen: false });
  t.match(mute.events[0], { message: { speak: false, you: { spectator: true } } });
  t.equal(ada.participants.get(1)!.spectator, true);
  t.match(deaf.events[0], { message: { listen: false } });
  const before = await dropsOf();
  mute.say();
  await settle(mute, ada);
  t.equal(voices(ada), 0);
  t.equal((await dropsOf())['not-allowed'], (before['not-allowed'] ?? 0) + 1);
  ada.say();
  await mute.voice();
  await settle(ada, deaf);
  t.equal(voices(deaf), 0);
});

sentence(
  'who may not listen may speak all the same',
  async (t, den) => {
    const ada = await den.join(1);
    const announcer = await den.join(2, { listen: false });
    announcer.say();
    await settle(announcer, ada);
    t.equal(voices(ada), 1);
  },
  'the relay tells that they speak, and sends nobody the frame',
);

sentence('who resumes has all of it back, and the others saw them away', async (t, den) => {
  const mod = await den.join(1, { moderator: true, channels: ['red'] });
  const bob = await den.join(2, { channels: ['red'] });
  const cyd = await den.join(3);
  bob.send({ type: 'channels', channels: ['red'] });
  bob.send({ type: 'whisper', slots: [2] });
  bob.say();
  bob.say();
  await cyd.message('speaking', { slot: 1, speaking: true });
  mod.send({ type: 'moderate', steamId: idOf(2), action: 'mute' });
  await cyd.changed(1);
  mod.send({ type: 'moderate', steamId: idOf(2), action: 'unmute' });
  await bob.message('changed', { participant: { ...personOf(bob), muted: true } }).catch(() => undefined);
  const mark = cyd.events.length;
  bob.socket.terminate();
  await cyd.message('changed', {
    participant: { slot: 1, steamId: idOf(2), name: 'person 2', channels: [1], away: true },
  });
  mod.send({ type: 'moderate', steamId: idOf(2), action: 'mute' });
  t.match(await cyd.changed(1), { away: true, muted: true });
  mod.send({ type: 'rename', name: 'moderator' });
  await cyd.changed(0);

  const back = await den.resume(bob);
  const welcome = await back.message('welcome');
  t.match(welcome, { slot: 1, lobby: den.lobby, resume: { withinMs: 30_000 } });
  t.strictSame(welcome.you, {
    slot: 1,
    steamId: idOf(2),
    name: 'person 2',
    channels: [1],
    muted: true,
  });
  t.equal(back.participants.get(0)!.name, 'moderator', 'the whole state, with what happened meanwhile');
  t.not(back.resumeToken, bob.resumeToken, 'a new token');
  const returned = await cyd.changed(1);
  t.notOk(returned.away);
  t.equal(returned.muted, true, 'the mute survived');
  back.say();
  await settle(back, cyd);
  t.equal(voices(cyd, mark), 0, 'and holds');
  mod.send({ type: 'moderate', steamId: idOf(2), action: 'unmute' });
  await back.message('changed');
  back.speech.target = null;
  const sent = back.say({ target: 255 });
  const whispered = await cyd.voice();
  t.same(withoutRelayFields(whispered.bytes), sent, 'their whispers go where they went');
  t.match(whispered, { slot: 1, marker: true });
  t.equal(whispered.sequence, (65_530 + 3) % 0x10000, 'the sequence goes on');
  back.say({ target: 1, terminator: true });
  await settle(back, cyd);
  const kinds = cyd.kinds(mark);
  t.notOk(kinds.includes('left') || kinds.includes('joined'), `neither left nor joined in ${kinds}`);

  await refusedWith(t, await den.resume(bob), 'resume-refused', 'the old token is no good');
  t.equal(await back.ping('still in'), 'still in');
});

sentence('a connection that closes in whatever way is away, if it did not leave', async (t, den) => {
  const ada = await den.join(1);
  let bob = await den.join(2);
  for (const code of [1000, 1001, 3000, 4999]) {
    bob.socket.close(code);
    t.equal((await ada.changed(1)).away, true, `closed with ${code}`);
    bob = await den.resume(bob, { versions: [2, 1], unheardOf: true });
    t.equal((await bob.message('welcome')).version, 1);
    t.notOk((await ada.changed(1)).away);
  }
  bob.send({ type: 'leave' });
  t.match(await bob.ended(), { code: 1000, refused: undefined });
  await ada.message('left', { slot: 1 });
  await refusedWith(t, await den.resume(bob), 'resume-refused', 'who left has no place');
});

sentence(
  'a resume while the old connection lives replaces it, and the others see nothing',
  async (t, den) => {
    const ada = await den.join(1);
    const bob = await den.join(2);
    const mark = ada.events.length;
    const again = await den.resume(bob);
    t.equal((await again.message('welcome')).slot, 1);
    await refusedWith(t, bob, 'replaced');
    await settle(again, ada);
    t.same(ada.kinds(mark), ['changed'], 'but for the name that they took later');
    again.say();
    t.match(await ada.voice(), { slot: 1 });
  },
);

sentence(
  'a second hello of one person takes the place, and the others see left and joined',
  async (t, den) => {
    const ada = await den.join(1);
    const bob = await den.join(2);
    const mark = ada.events.length;
    const again = await den.hello(2);
    t.equal((await again.message('welcome')).slot, 2, 'the old slot rests');
    await refusedWith(t, bob, 'replaced');
    await ada.message('joined');
    t.same(ada.kinds(mark), ['left', 'joined']);
    again.socket.terminate();
    await ada.changed(2);
    const third = await den.hello(2);
    await third.message('welcome');
    await ada.message('left', { slot: 2 });
    await ada.message('joined');
    await refusedWith(t, await den.resume(again), 'resume-refused', 'who is away is replaced, too');
  },
);

sentence('a client of another version is told so, one that speaks 1 as well is welcome', async (t, den) => {
  for (const versions of [[0], [2], [3, 2]]) {
    const refused = await refusedWith(
      t,
      await den.hello(1, {}, { versions }),
      'version-unsupported',
      `[${versions}]`,
    );
    t.match(refused.message, /\b1\b/, 'the message lists what it speaks');
  }
  for (const versions of [
    [2, 1],
    [1, 0],
    [9, 2, 1],
  ]) {
    const client = await den.hello(1, {}, { versions });
    t.equal((await client.message('welcome')).version, 1, `[${versions}]`);
    client.send({ type: 'leave' });
    await client.ended();
  }
  const later = await den.connect();
  later.send({ type: 'resume', versions: [2], token: 'ab'.repeat(16) });
  await refusedWith(t, later, 'version-unsupported', 'so is one that resumes');
});

sentence(
  'a hello of a later version is told of the version, whatever else is in it',
  async (t, den) => {
    const later = await den.connect();
    later.send({ type: 'hello', versions: [2], world: 'den' });
    await refusedWith(t, later, 'version-unsupported');
  },
  'the relay holds it to the form of version 1 first',
);

sentence('fields that the relay does not know are passed over', async (t, den) => {
  const ada = await den.hello(1, {}, { colour: 'green', versions: [2, 1], deep: { er: [1] } });
  await ada.message('welcome');
  ada.send({ type: 'rename', name: 'Ada', colour: 'blue', name2: 7 });
  t.equal((await ada.changed(0)).name, 'Ada');
});

sentence('a hello that is not right is refused for what is wrong', async (t, den) => {
  const token = await den.token(1);
  const cases: readonly [word: string, changed: object, message?: RegExp][] = [
    ['message-malformed', { versions: [] }],
    ['message-malformed', { versions: new Array(17).fill(1) }],
    ['message-malformed', { versions: [1.5] }],
    ['message-malformed', { versions: undefined }],
    ['message-malformed', { lobby: 'a'.repeat(65) }],
    ['message-malformed', { lobby: undefined }],
    ['message-malformed', { name: '' }],
    ['message-malformed', { name: 'a\u0085' }],
    ['message-malformed', { steamId: 1 }],
    ['message-malformed', { steamId: '0' }],
    ['message-malformed', { steamId: `0${idOf(1)}` }],
    ['message-malformed', { steamId: '18446744073709551616' }],
    ['message-malformed', { token: `${token}${'A'.repeat(4097 - token.length)}` }],
    ['message-malformed', { token: undefined, ticket: 'abc' }],
    ['message-malformed', { token: undefined, ticket: 'ab'.repeat(2561) }],
    ['token-refused', { steamId: idOf(2) }, /other-steam-id/],
    ['token-refused', { lobby: 'another' }, /other-lobby/],
    ['token-refused', { token: `${token.slice(0, -6)}AAAAAA` }, /forged/],
    ['token-refused', { token: await den.token(1, {}, -60) }, /expired/],
    [
      'token-refused',
      { token: await (await startBackend('another')).mint(idOf(1), { lobby: den.lobby }) },
      /key-unknown/,
    ],
    ['token-refused', { token: await (await startBackend()).mint(idOf(1), { lobby: den.lobby }) }, /forged/],
    ['ticket-refused', { token: undefined, ticket: 'ab'.repeat(100) }],
    ['ticket-refused', { token: undefined, appTicket: 'ab'.repeat(100) }],
    ['credential-expected', { token: undefined }],
    ['credential-expected', { token: undefined, steamId: undefined }],
  ];
  for (const [word, changed, message = /./] of cases) {
    const refused = await refusedWith(
      t,
      await den.hello(1, {}, { token, ...changed }),
      word,
      JSON.stringify(changed),
    );
    t.match(refused.message, message);
    t.notMatch(refused.message, token.slice(0, 20), 'a credential is in no message');
  }
  const first = await den.hello(1, {}, { ticket: 'ab', appTicket: 'request' });
  await first.message('welcome');
});

sentence('what comes before the welcome is refused', async (t, den) => {
  for (const early of [{ type: 'rename', name: 'x' }, { type: 'leave' }, 'voice'] as const) {
    const client = await den.connect();
    if (early === 'voice') client.say();
    else client.send(early);
    await refusedWith(t, client, 'hello-expected', JSON.stringify(early));
  }
  const hasty = await den.hello(1);
  hasty.send({ type: 'rename', name: 'x' });
  await refusedWith(t, hasty, 'hello-expected', 'while the token is judged, too');
  const doubled = await den.join(2);
  doubled.send({ type: 'hello', versions: [1], lobby: den.lobby, name: 'x', token: await den.token(2) });
  await refusedWith(t, doubled, 'already-joined');
  const resuming = await den.join(3);
  resuming.send({ type: 'resume', versions: [1], token: resuming.resumeToken });
  await refusedWith(t, resuming, 'already-joined', 'a resume is a hello');
});

sentence('a message of no known form is refused', async (t, den) => {
  const labels = Array.from({ length: 17 }, (_, index) => `channel ${index}`);
  const bad: readonly (object | string)[] = [
    '{',
    '[]',
    'null',
    { type: 'wat' },
    { type: 'welcome' },
    {},
    { type: 'rename' },
    { type: 'rename', name: 7 },
    { type: 'channels', channels: ['a', 'a'] },
    { type: 'channels', channels: labels },
    { type: 'whisper', slots: [65_536] },
    { type: 'whisper', slots: Array.from({ length: 17 }, (_, index) => index) },
    { type: 'moderate', steamId: idOf(2), action: 'wat' },
    { type: 'moderate', steamId: idOf(2), action: 'move' },
    { type: 'moderate', steamId: idOf(2), action: 'mute', seconds: 0 },
    { type: 'moderate', steamId: idOf(2), action: 'mute', seconds: 315_360_001 },
    { type: 'moderate', steamId: '7x', action: 'kick' },
    `"${'a'.repeat(8191)}"`,
  ];
  for (const message of bad) {
    const client = await den.join(1);
    client.send(message);
    await refusedWith(t, client, 'message-malformed', JSON.stringify(message).slice(0, 80));
  }
});

sentence('what is too long for any message, or is no UTF-8, cuts the connection', async (t, den) => {
  for (const bytes of [Buffer.alloc(8209, 0x20), Buffer.from('{"type":"\xff"}', 'latin1')]) {
    const client = await den.connect();
    client.socket.send(bytes, { binary: false });
    const { code } = await client.ended();
    t.ok(code === 1006 || code === closeCodeOf('message-malformed'), `${code}`);
  }
  const most = await den.hello(1, {}, { padding: 'a'.repeat(7000) });
  await most.message('welcome');
});

sentence('a bad voice frame is dropped in silence, and counted under its reason', async (t, den) => {
  const ada = await den.join(1);
  const bob = await den.join(2);
  const packetOf = (...ops: Buffer[]) => writePacket(idOf(1), ...ops);
  const frameOf = (packet: Buffer, changed = {}) =>
    writeFrame({
      version: 1,
      marker: true,
      terminator: false,
      target: 0,
      sequence: 0,
      timestamp: 0,
      packet,
      ...changed,
    });
  const badCrc = Buffer.from(ada.packet);
  badCrc[badCrc.length - 1]! ^= 1;
  const cases: readonly [reason: string, frame: Buffer][] = [
    ['frame-too-short', frameOf(ada.packet).subarray(0, 30)],
    ['frame-version-unknown', frameOf(ada.packet, { version: 0 })],
    ['frame-version-unknown', frameOf(ada.packet, { version: 2 })],
    ['packet-bad-crc', frameOf(badCrc)],
    ['packet-op-truncated', frameOf(packetOf(Buffer.from([0x06, 10, 0, 1])))],
    ['packet-op-unknown', frameOf(packetOf(Buffer.from([0x07, 0, 0])))],
    ['packet-rate-unknown', frameOf(packetOf(rateOp(44_100)))],
    ['packet-frame-truncated', frameOf(packetOf(Buffer.from([0x06, 3, 0, 1, 0, 0])))],
    // A TOC of code 2 wants two frames, and has none.
    ['packet-frame-framing', frameOf(packetOf(opusOp([Buffer.from([0x6a])])))],
    ['packet-op-foreign', frameOf(packetOf(Buffer.from([0x04, 1, 0, 9])))],
    ['packet-frame-empty', frameOf(packetOf(opusOp([Buffer.alloc(0)])))],
    ['steam-id-mismatch', frameOf(soundOf(2))],
    ['steam-id-mismatch', frameOf(writePacket(String(BigInt(idOf(1)) + (1n << 32n)), rateOp()))],
    ['target-unknown', frameOf(ada.packet, { target: 1 })],
    ['target-unknown', frameOf(ada.packet, { target: 128 })],
    ['target-unknown', frameOf(ada.packet, { target: 255 })],
  ];
  for (const [reason, frame] of cases) {
    const before = await dropsOf();
    ada.sendBytes(frame);
    await settle(ada, bob);
    t.equal((await dropsOf())[reason], (before[reason] ?? 0) + 1, reason);
  }
  t.equal(voices(bob), 0);
  t.notOk(bob.kinds().includes('speaking'));
  const good = ada.say();
  t.same(withoutRelayFields((await bob.voice()).bytes), good, 'the connection is as good as before');
});

sentence('the largest frame and the smallest pass', async (t, den) => {
  const ada = await den.join(1);
  const bob = await den.join(2);
  // 8192 bytes: SteamID and CRC take 12, each op 3 and each frame's header 4.
  const ops = Array.from({ length: 6 }, (_, index) => opusOp([noiseFrame(index, 1276)], index));
  const left = 8192 - 12 - 6 * 1283;
  const largest = ada.say({ packet: writePacket(idOf(1), ...ops, opusOp([noiseFrame(6, left - 7)], 6)) });
  t.equal(largest.length, 8208);
  const smallest = ada.say({ packet: writePacket(idOf(1), rateOp()) });
  t.equal(smallest.length, 31);
  for (const sent of [largest, smallest]) t.same(withoutRelayFields((await bob.voice()).bytes), sent);
});

sentence('too much voice is dropped, too many messages are refused', async (t, den) => {
  const ear = await den.join(9);
  const quota = async (person: number, frames: number, packet: Buffer, reason: string) => {
    const client = await den.join(person);
    const before = await dropsOf();
    const mark = ear.events.length;
    const at = performance.now();
    for (let frame = 0; frame < frames; frame += 1) client.say({ packet });
    await settle(client, ear);
    const heard = voices(ear, mark);
    t.equal((await dropsOf())[reason]! - (before[reason] ?? 0), frames - heard, `the others were ${reason}`);
    return { heard, refillSeconds: (performance.now() - at) / 1000 };
  };
  const many = await quota(1, 350, soundOf(1), 'rate-frames');
  t.ok(
    many.heard >= 200 && many.heard <= 200 + 100 * many.refillSeconds + 1,
    `${many.heard} frames, of 200 at once`,
  );
  const eightKiB = writePacket(
    idOf(2),
    ...Array.from({ length: 6 }, (_, index) => opusOp([noiseFrame(index, 1276)])),
  );
  const big = await quota(2, 40, eightKiB, 'rate-bytes');
  const frameBytes = eightKiB.length + 16;
  t.ok(
    big.heard >= Math.floor(131_072 / frameBytes) &&
      big.heard <= (131_072 + 65_536 * big.refillSeconds) / frameBytes + 1,
    `${big.heard} frames of ${frameBytes} bytes, of 131072 bytes at once`,
  );
  const twoSeconds = writePacket(idOf(3), rateOp(8000), silenceOp(16_000));
  const long = await quota(3, 12, twoSeconds, 'rate-sound');
  t.ok(
    long.heard >= 5 && long.heard <= 5 + long.refillSeconds + 1,
    `${long.heard} frames of 2 s, of 10 s at once`,
  );

  const hasty = await den.join(4);
  for (let message = 0; message < 60; message += 1) hasty.send({ type: 'rename', name: `name ${message}` });
  await refusedWith(t, hasty, 'rate-exceeded');
  const changes = hasty.kinds().filter((kind) => kind === 'changed').length;
  // The hello was the first of the 20.
  t.ok(changes >= 19 && changes < 60, `${changes} passed`);
});

sentence('a lobby takes 64, and the next is refused', async (t, den) => {
  for (let person = 1; person <= 64; person += 1) await (await den.hello(person)).message('welcome');
  await refusedWith(t, await den.hello(65), 'lobby-full');
  const again = await den.hello(64);
  await again.message('welcome');
  t.equal(again.participants.size, 63, 'who takes their own place needs no other');
  again.socket.terminate();
  await den.clients[0]!.changed(64);
  await refusedWith(t, await den.hello(65), 'lobby-full', 'who is away has a place');
});

sentence('a lobby has room for 32 channels', async (t, den) => {
  const labels = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => `channel ${from + index}`);
  const ada = await den.join(1, { channels: labels(0, 32) });
  const bob = await den.join(2, { channels: labels(0, 32) });
  ada.send({ type: 'channels', channels: labels(0, 16) });
  bob.send({ type: 'channels', channels: labels(16, 16) });
  await bob.changed(1);
  t.equal(bob.channels.size, 32);
  const cyd = await den.join(3, { channels: ['one more', 'channel 3'] });
  t.equal(cyd.channels.size, 32);
  cyd.send({ type: 'channels', channels: ['channel 3', 'one more'] });
  t.match(await cyd.message('failed'), { code: 'channels-full' });
  cyd.send({ type: 'channels', channels: ['channel 3'] });
  t.same((await cyd.changed(2)).channels, [4], 'nothing was done of what failed');
});

sentence('who says no hello, and who outlives their token, is refused in time', async (t, den) => {
  const silent = await den.connect();
  const halfWay = await den.connect();
  halfWay.send({ type: 'hello', versions: [1], lobby: den.lobby, name: 'x', appTicket: 'request' });
  const since = performance.now();
  await halfWay.message('challenge');
  const brief = await den.hello(1, {}, { token: await den.token(1, {}, 1) });
  await brief.message('welcome');
  const gone = await den.hello(2, {}, { token: await den.token(2, {}, 1) });
  await gone.message('welcome');
  gone.socket.terminate();
  await Promise.all([
    refusedWith(t, silent, 'hello-late'),
    refusedWith(t, halfWay, 'hello-late', 'a challenge does not lengthen it'),
    refusedWith(t, brief, 'token-expired'),
  ]);
  const tookMs = performance.now() - since;
  t.ok(tookMs > 4900 && tookMs < 9000, `${Math.round(tookMs)} ms`);
  await refusedWith(t, await den.resume(brief), 'resume-refused', 'who was refused has no place');
});

sentence('before there is a WebSocket, HTTP answers', async (t, den) => {
  const http = relay.url.replace(/^ws/, 'http');
  const health = await fetch(new URL('/healthz', http));
  t.match({ status: health.status, text: await health.text() }, { status: 200, text: /^ok\s*$/ });
  t.equal((await fetch(new URL('/other', http))).status, 404);
  await t.rejects(Client.connect(new URL('/other', relay.url).href), { message: 'HTTP 404' });
  await t.rejects(Client.connect(relay.url, { origin: 'https://elsewhere.example' }), {
    message: 'HTTP 403',
  });
  t.equal((await den.join(1)).participants.size, 0);
});

sentence('who is away for longer than withinMs has left', async (t, den) => {
  const brief = await startRelay(t, ...keys, '--limit', 'resumeWithinMs=500');
  const join = async (person: number) => {
    const client = await den.connect(person, brief.url);
    const token = await den.token(person);
    client.send({ type: 'hello', versions: [1], lobby: den.lobby, name: `person ${person}`, token });
    return [client, await client.message('welcome')] as const;
  };
  const [ada] = await join(1);
  const [bob, welcome] = await join(2);
  t.equal(welcome.resume.withinMs, 500);
  bob.socket.terminate();
  t.match(await ada.changed(1), { away: true });
  await ada.message('left', { slot: 1 });
  const late = await den.connect(2, brief.url);
  late.send({ type: 'resume', versions: [1], token: bob.resumeToken });
  await refusedWith(t, late, 'resume-refused');
});

sentence('an operator may let guests in, and refuse whom the relay has no room for', async (t, den) => {
  const open = await startRelay(
    t,
    ...keys,
    ...['--guests', 'speak', '--second-join', 'refuse'],
    ...['--limit', 'connections=4', '--limit', 'participants=3', '--limit', 'lobbies=2'],
    ...['--limit', 'sanctions=1'],
  );
  const hello = async (lobby: string, more: object = {}) => {
    const client = await den.connect(1, open.url);
    client.send({ type: 'hello', versions: [1], lobby, name: 'x', ...more });
    return client;
  };
  const mod = await hello(den.lobby, { token: await den.token(1, { moderator: true }) });
  await mod.message('welcome');
  await refusedWith(t, await hello(den.lobby, { token: await den.token(1) }), 'steam-id-in-use');
  await refusedWith(t, await hello(den.lobby, { steamId: idOf(5) }), 'credential-expected');

  const guest = await hello(den.lobby);
  const { you } = await guest.message('welcome');
  t.equal(you.guest, true);
  t.equal(BigInt(you.steamId) >> 32n, 0x04a00001n, 'no account has this SteamID');
  guest.say({ packet: writePacket(you.steamId, rateOp(), opusOp([noiseFrame(1)])) });
  t.match(await mod.voice(), { slot: 1 });
  guest.send({ type: 'channels', channels: ['any'] });
  t.match(await guest.message('failed'), { code: 'channel-not-allowed' });
  mod.send({ type: 'moderate', steamId: you.steamId, action: 'move', channels: ['any'] });
  t.same((await guest.changed(1)).channels, [1]);

  mod.send({ type: 'moderate', steamId: idOf(8), action: 'mute' });
  mod.send({ type: 'moderate', steamId: idOf(9), action: 'mute' });
  t.match(await mod.message('failed'), { code: 'sanctions-full' });

  const third = await hello('elsewhere');
  await third.message('welcome');
  await refusedWith(t, await hello(den.lobby), 'relay-full', 'no room for a participant');
  third.send({ type: 'leave' });
  await third.ended();
  const silent = await den.connect(1, open.url);
  const another = await den.connect(1, open.url);
  const tooMany = await den.connect(1, open.url);
  await refusedWith(t, tooMany, 'relay-full', 'no room for a connection');
  for (const client of [silent, another]) client.socket.terminate();
});

sentence('an operator may bound addresses, and make all lobbies', async (t, den) => {
  const strict = await startRelay(
    t,
    ...keys,
    ...['--lobbies', 'by-admin', '--guests', 'listen', '--address-limit', 'connections=1'],
    ...['--address-limit', 'credentialBurst=1', '--address-limit', 'credentialsPerSecond=1'],
  );
  const stranger = await den.connect(1, strict.url);
  const second: unknown = await Client.connect(strict.url).catch((error: unknown) => error);
  t.match(second, { message: 'HTTP 429', response: { headers: { 'retry-after': /^\d+$/ } } });
  const hello = { type: 'hello', versions: [1], lobby: den.lobby, name: 'x', token: await den.token(1) };
  stranger.send(hello);
  await refusedWith(t, stranger, 'lobby-unknown');
  const hasty = await den.connect(1, strict.url);
  hasty.send(hello);
  await refusedWith(t, hasty, 'admission-unavailable', 'too many credentials from one address');
});

sentence('a relay that stops says 1001, and one that drains takes nobody more', async (t, den) => {
  const stopping = await startRelay(t, ...keys, '--drain', '1', '--drain-go-to', 'wss://other.example/');
  const client = await den.connect(1, stopping.url);
  client.send({ type: 'hello', versions: [1], lobby: den.lobby, name: 'x', token: await den.token(1) });
  await client.message('welcome');
  stopping.child.kill('SIGTERM');
  t.match(await client.message('draining'), { withinMs: 1000, goTo: 'wss://other.example/' });
  const late: unknown = await Client.connect(stopping.url).catch((error: unknown) => error);
  t.match(late, { message: 'HTTP 503', response: { headers: { 'retry-after': /^\d+$/ } } });
  t.match(await client.ended(), { code: 1001, refused: undefined });
  t.equal((await stopping.ended).code, 0);
});

sentence('a relay for development takes anybody at their word, but nobody twice', async (t, den) => {
  const dev = await startRelay(t, '--dev');
  const hello = async (person: number, more = {}) => {
    const client = await den.connect(person, dev.url);
    client.send({ type: 'hello', versions: [1], lobby: 'den', steamId: idOf(person), name: 'x', ...more });
    return client;
  };
  const ada = await hello(1);
  await ada.message('welcome');
  const bob = await hello(2);
  await bob.message('welcome');
  await refusedWith(t, await hello(2), 'steam-id-in-use');
  bob.say();
  t.match(await ada.voice(), { slot: 1 });
  bob.send({ type: 'channels', channels: ['any'] });
  t.same((await ada.changed(1)).channels, [1]);
  bob.send({ type: 'moderate', steamId: idOf(1), action: 'kick' });
  t.match(await bob.message('failed'), { code: 'not-moderator' });
  bob.socket.terminate();
  t.match(await ada.changed(1), { away: true });
  const again = await hello(2);
  t.equal((await again.message('welcome')).slot, 2, 'who is away is replaced all the same');
  t.match(await refusedWith(t, await hello(3, { token: 'a.b.c' }), 'token-refused'), {
    message: /not-judged-here|malformed/,
  });
  await refusedWith(t, await hello(3, { ticket: 'abcd' }), 'ticket-refused');

  const ticket = webTicket(idOf(4));
  t.equal((await (await hello(4, { ticket })).message('welcome')).you.steamId, idOf(4));
  t.match(await refusedWith(t, await hello(4, { ticket }), 'ticket-refused'), { message: /used/ });
  t.match(await refusedWith(t, await hello(4, { ticket: webTicket(idOf(5)) }), 'ticket-refused'), {
    message: /other-steam-id/,
  });
  const challenged = await hello(6, { appTicket: 'request' });
  const { nonce } = await challenged.message('challenge');
  const proof = {
    type: 'hello',
    versions: [1],
    lobby: 'den',
    name: 'x',
    appTicket: appTicket(idOf(6), Buffer.from(nonce, 'hex')),
  };
  challenged.send(proof);
  t.equal((await challenged.message('welcome')).you.steamId, idOf(6));
  const thief = await hello(6, { appTicket: 'request' });
  await thief.message('challenge');
  thief.send(proof);
  t.match(await refusedWith(t, thief, 'ticket-refused'), { message: /other-nonce|used/ });

  await t.rejects(Client.connect(dev.url, { headers: { 'x-forwarded-anything': '' } }), {
    message: 'HTTP 403',
  });
  await t.rejects(Client.connect(dev.url, { origin: 'https://elsewhere.example' }), { message: 'HTTP 403' });
  (await Client.connect(dev.url, { origin: 'http://localhost:3000' })).socket.terminate();
});
