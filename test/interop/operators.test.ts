/** What docs/protocol.md leaves to the operator, and what it says about how a relay stops. */

import { randomBytes } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { join as pathOf } from 'node:path';
import { Client } from './client.js';
import { idOf, keys, refusedWith, scenario } from './den.js';
import { startRelay } from './operator.js';
import { appTicket, webTicket } from './tickets.js';
import { noiseFrame, opusOp, rateOp, writePacket } from './voice.js';

scenario('a participant away for longer than withinMs has left', async (t, den) => {
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
  late.send({ type: 'resume', versions: [1], secret: bob.resumeSecret });
  await refusedWith(t, late, 'resume-refused');
});

scenario('an operator may admit guests, and the relay refuses players when it is full', async (t, den) => {
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

scenario('an operator may limit addresses, and reserve the creation of lobbies', async (t, den) => {
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

scenario('a relay that stops closes with 1001, and a draining one admits nobody', async (t, den) => {
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

scenario('a development relay believes any SteamID, but admits each only once', async (t, den) => {
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
  t.equal((await again.message('welcome')).slot, 2, 'an away participant is replaced as well');
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

scenario('a lobby that the operator made stays until the operator closes it', async (t, den) => {
  const secret = randomBytes(32).toString('hex');
  const dir = t.testdir({ token: secret });
  chmodSync(pathOf(dir, 'token'), 0o600);
  const kept = await startRelay(
    t,
    ...keys,
    ...['--lobbies', 'by-admin', '--admin-port', '0', '--admin-token-file', pathOf(dir, 'token')],
  );
  const [, admin] = await kept.printed(/Admin at (http:\/\/127\.0\.0\.1:\d+\/)\. /);
  const ask = async (method: string, body?: object) => {
    const { status } = await fetch(new URL(`/v1/lobbies/${encodeURIComponent(den.lobby)}`, admin), {
      method,
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    return status;
  };
  const hello = async (person: number) => {
    const client = await den.connect(person, kept.url);
    const token = await den.token(person, { channels: ['hall'] });
    client.send({ type: 'hello', versions: [1], lobby: den.lobby, name: 'x', token });
    return client;
  };
  t.equal(await ask('PUT', { capacity: 1, channels: ['hall'] }), 201);
  const ada = await hello(1);
  t.same((await ada.message('welcome')).channels, [{ number: 1, name: 'hall' }]);
  await refusedWith(t, await hello(2), 'lobby-full');
  ada.send({ type: 'channels', channels: ['hall'] });
  await ada.changed(0);
  ada.send({ type: 'channels', channels: [] });
  await ada.changed(0);
  t.same([...ada.channels], [[1, 'hall']], 'so do its channels');
  const updates = await fetch(new URL('/v1/updates', admin), {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/x-ndjson' },
    body: [
      { operation: 'mute', lobby: den.lobby, steamId: idOf(1), body: { seconds: 60 } },
      { operation: 'kick', lobby: den.lobby, steamId: idOf(2) },
      { operation: 'unmute', lobby: den.lobby, steamId: idOf(1) },
    ]
      .map((line) => `${JSON.stringify(line)}\n`)
      .join(''),
  });
  const answers = (await updates.text()).trim().split('\n');
  t.match(
    answers.map((line) => JSON.parse(line)),
    [
      { number: 1, status: 204 },
      { number: 2, status: 404, code: 'participant-unknown' },
      { number: 3, status: 204 },
      { end: 'complete', lines: 3 },
    ],
  );
  t.equal((await ada.changed(0)).muted, true);
  t.notOk((await ada.changed(0)).muted);
  t.equal(await ask('DELETE'), 204);
  await refusedWith(t, ada, 'lobby-ended');
  await refusedWith(t, await hello(1), 'lobby-unknown');
});

scenario(
  'a large lobby is welcomed in pages, and an audience beyond its share is a number',
  async (t, den) => {
    const places = ['--limit', 'participantsPerLobby=100', '--limit', 'listenerPlacesPercent=1'];
    const wide = ['connections', 'connectionBurst', 'connectionsPerSecond', 'credentialBurst'].flatMap(
      (name) => ['--address-limit', `${name}=1000`],
    );
    const large = await startRelay(t, ...keys, ...places, ...wide);
    const enter = async (
      person: number,
      grant: { speak?: false; moderator?: true; channels?: string[] } = {},
    ) => {
      const client = await den.connect(person, large.url);
      const token = await den.token(person, grant);
      // No character takes more bytes in UTF-8.
      client.send({ type: 'hello', versions: [1], lobby: den.lobby, name: '𝕏'.repeat(64), token });
      await client.next(
        (event): event is typeof event => client.you !== null && client.more === 0,
        'whole state',
      );
      return client;
    };
    const ada = await enter(1, { moderator: true, channels: ['red'] });
    for (let person = 2; person <= 98; person += 1) await enter(person);
    const last = await enter(99);
    t.equal(last.participants.size, 98);
    t.same(last.kinds().slice(0, 2), ['welcome', 'participants']);

    const first = await enter(100, { speak: false });
    t.notOk(first.you!.unlisted, 'one listener in a hundred places is listed');
    const listener = await enter(101, { speak: false, channels: ['red', 'blue'] });
    t.match(listener.you, { unlisted: true, spectator: true });
    t.equal(listener.unlisted, 1);
    t.equal(listener.participants.size, 100);
    t.match(await ada.message('unlisted'), { count: 1 });
    t.same([ada.participants.size, ada.unlisted], [99, 1], 'the others get a number and no name');

    ada.say();
    t.match(await listener.voice(), { slot: 0 });
    t.match(await listener.message('speaking'), { slot: 0, speaking: true });
    listener.send({ type: 'rename', name: 'quiet' });
    t.equal((await listener.changed(listener.you!.slot)).name, 'quiet');
    listener.send({ type: 'channels', channels: ['blue'] });
    t.match(await listener.message('failed'), { request: 'channels', code: 'channel-not-allowed' });
    ada.send({ type: 'channels', channels: ['red'] });
    await listener.message('channel');
    listener.send({ type: 'channels', channels: ['red'] });
    t.same((await listener.changed(listener.you!.slot)).channels, [1]);
    ada.send({ type: 'whisper', slots: [listener.you!.slot] });
    t.match(await ada.message('failed'), { request: 'whisper', code: 'participant-unknown' });
    ada.send({ type: 'moderate', steamId: idOf(101), action: 'deafen' });
    t.equal((await listener.changed(listener.you!.slot)).deafened, true);
    ada.send({ type: 'moderate', steamId: idOf(101), action: 'undeafen' });
    t.notOk((await listener.changed(listener.you!.slot)).deafened);

    const { slot } = listener.you!;
    const { resumeSecret } = listener;
    listener.socket.terminate();
    const again = await den.connect(101, large.url);
    again.send({ type: 'resume', versions: [1], secret: resumeSecret });
    await again.next((event): event is typeof event => again.you !== null && again.more === 0, 'whole state');
    t.match(again.you, { slot, unlisted: true, name: 'quiet', channels: [1] }, 'a resume changes none of it');
    t.equal(ada.participants.has(slot), false);

    again.send({ type: 'recording', recording: true });
    const { participant } = await ada.message('joined');
    t.match(participant, { slot, name: 'quiet', channels: [1], recordingSince: Number });
    t.notOk((await again.changed(slot)).unlisted);
    t.match(await ada.message('unlisted'), { count: 0 });
    again.send({ type: 'leave' });
    await ada.message('left', { slot });
  },
);
