/**
 * docs/protocol.md is enough to write a client: one written only from it joins, speaks, hears, is moderated and resumes
 * on the relay as an operator starts it.
 */

import type { Message } from './client.js';
import { dropsOf, idOf, personOf, refusedWith, scenario, settle, voices } from './den.js';
import { acknowledgement, withoutRelayFields } from './voice.js';

scenario('a hello with a token is answered by the whole state', async (t, den) => {
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
  t.not(first.resumeSecret, second.resumeSecret);
  t.equal(second.socket.protocol, '');
  t.equal(second.socket.extensions, '');
  t.equal(await second.ping('are you there'), 'are you there');
  second.send({ type: 'leave' });
  t.match(await second.ended(), { code: 1000, refused: undefined });
  await first.message('left', { slot: 1 });
});

scenario('without a SteamID in the hello, the token says who the player is', async (t, den) => {
  const client = await den.hello(7, {}, { steamId: undefined });
  await client.message('welcome');
  t.equal(personOf(client).steamId, idOf(7));
});

scenario("two players hear each other byte for byte, apart from the relay's fields", async (t, den) => {
  const ada = await den.join(1);
  const bob = await den.join(2);
  const sent: Buffer[] = [];
  for (let frame = 0; frame < 10; frame += 1) sent.push(ada.say({ terminator: frame === 9 }));
  let lastTime = 0;
  for (const [index, bytes] of sent.entries()) {
    const frame = await bob.voice();
    t.same(withoutRelayFields(frame.bytes), bytes);
    t.match(frame, { slot: 0, relaySequence: index, marker: index === 0, terminator: index === 9 });
    t.ok(frame.relayTimeMs >= lastTime, "the relay's clock continues");
    lastTime = frame.relayTimeMs;
  }
  t.equal(sent[0]!.readUInt16LE(2), 65_530, 'a sequence wraps on the way');
  t.equal(sent[9]!.readUInt16LE(2), 3);
  bob.say();
  t.match(await ada.voice(), { slot: 1, relaySequence: 0, target: 0 }, 'each speaker is counted separately');
  t.equal(voices(ada), 1, 'nobody hears themselves');
});

scenario("what a speaker writes into the relay's fields is overwritten", async (t, den) => {
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

scenario('speaking follows the first and the last frame, and times out', async (t, den) => {
  const ada = await den.join(1);
  const bob = await den.join(2);
  const mark = bob.events.length;
  ada.say();
  ada.say();
  ada.say({ terminator: true });
  await bob.message('speaking', { slot: 0, speaking: false });
  const kinds = bob.kinds(mark);
  t.same([kinds[0], kinds.at(-1)], ['voice', 'speaking'], 'each comes behind its frame');
  t.same([...kinds].sort(), ['speaking', 'speaking', 'voice', 'voice', 'voice']);
  // Measured from before the frame is sent: a busy machine makes this longer, never shorter.
  const at = performance.now();
  ada.say();
  await bob.message('speaking', { slot: 0, speaking: true });
  await bob.message('speaking', { slot: 0, speaking: false });
  const afterMs = performance.now() - at;
  t.ok(afterMs > 300, `the hangover of 400 ms took ${Math.round(afterMs)} ms`);
  t.notOk(ada.kinds().includes('speaking'), 'no one gets events about their own speaking');
});

scenario('a channel is heard by its members, and has its own sequence', async (t, den) => {
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
    'first the channel, then its members',
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
  t.match(await ada.voice(), { target: 1, relaySequence: 0, slot: 1 });
  ada.say({ target: 2, terminator: true });
  await bob.message('speaking', { slot: 0, speaking: false });
  ada.say({ target: 1 });
  t.match(await bob.voice(), { target: 1, relaySequence: 1 });
  await settle(ada, bob, cyd);
  t.equal(voices(cyd), 1, 'a participant in no channel heard the voice to all');
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
  t.same((await ada.changed(0)).channels, [3], 'the number of an ended channel is not reused yet');
});

scenario('a participant who enters or leaves a channel learns who speaks there', async (t, den) => {
  const ada = await den.join(1, { channels: ['red'] });
  const bob = await den.join(2, { channels: ['red'] });
  ada.send({ type: 'channels', channels: ['red'] });
  await bob.changed(0);
  // Keeps speaking, or the hangover would end it: one frame per 100 ms is within it on any machine.
  const talking = setInterval(() => ada.say({ target: 1 }), 100);
  t.teardown(() => clearInterval(talking));
  const entering = bob.events.length;
  bob.send({ type: 'channels', channels: ['red'] });
  await bob.message('speaking', { slot: 0, speaking: true });
  t.same(
    bob.messageTypes(entering).slice(0, 2),
    ['changed', 'speaking'],
    'first that he is in it, then who speaks there',
  );
  t.match(await bob.voice(), { target: 1 });
  const leaving = bob.events.length;
  bob.send({ type: 'channels', channels: [] });
  await bob.changed(1);
  t.equal(bob.messageTypes(leaving).at(-1), 'changed');
  t.equal(bob.participants.get(0)!.speaking, false, 'that she no longer speaks to him came before');
  clearInterval(talking);
  const mark = bob.events.length;
  ada.say({ target: 1 });
  await settle(ada, bob);
  t.equal(voices(bob, mark), 0);
});

scenario(
  'when the last member of a channel is kicked, they leave first and then the channel ends',
  async (t, den) => {
    const mod = await den.join(1, { moderator: true });
    const bob = await den.join(2, { channels: ['red'] });
    bob.send({ type: 'channels', channels: ['red'] });
    await mod.changed(1);
    const mark = mod.events.length;
    mod.send({ type: 'moderate', steamId: idOf(2), action: 'kick' });
    await refusedWith(t, bob, 'kicked');
    await mod.message('channel-ended', { number: 1 });
    t.same(mod.messageTypes(mark), ['left', 'channel-ended']);
  },
);

scenario('a whisper is heard by those it names', async (t, den) => {
  const ada = await den.join(1);
  const bob = await den.join(2);
  const cyd = await den.join(3);
  // The whisperer's own slot is ignored, and one that is named twice counts once.
  ada.send({ type: 'whisper', slots: [0, 1, 1] });
  const sent = ada.say({ target: 255 });
  const heard = await bob.voice();
  t.same(withoutRelayFields(heard.bytes), sent);
  t.match(heard, { target: 255, relaySequence: 0, slot: 0 });
  await bob.message('speaking', { slot: 0, speaking: true });
  t.equal(voices(bob), 1);
  ada.send({ type: 'whisper', slots: [1, 9] });
  t.match(await ada.message('failed'), { code: 'participant-unknown' });
  await bob.message('speaking', { slot: 0, speaking: false });
  const before = await dropsOf();
  ada.say({ target: 255, terminator: true });
  ada.send({ type: 'whisper', slots: [] });
  ada.say({ target: 255 });
  await settle(ada, bob, cyd);
  t.equal(voices(bob), 1, 'a refused list leaves the whisper list empty');
  t.same(
    cyd.kinds().filter((kind) => kind === 'voice' || kind === 'speaking'),
    [],
  );
  t.equal((await dropsOf())['target-unknown'], (before['target-unknown'] ?? 0) + 2);
});

scenario('a hearing set has the last word, and losses stay exact while it changes', async (t, den) => {
  const mod = await den.join(1, { moderator: true, channels: ['red'] });
  const bob = await den.join(2, { channels: ['red'] });
  const cyd = await den.join(3);
  for (const client of [mod, bob]) {
    client.send({ type: 'channels', channels: ['red'] });
    await client.changed(personOf(client).slot);
  }
  mod.say();
  await bob.message('speaking', { slot: 0, speaking: true });
  mod.send({ type: 'hearing', sets: [{ listener: 1, hears: [2, idOf(9)] }] });
  t.match(await bob.message('hears'), { only: true, more: [2], until: [[0, 0, 1]] });
  t.notOk(bob.participants.get(0)!.speaking);
  mod.say();
  mod.say({ target: 1, terminator: true });
  mod.send({ type: 'whisper', slots: [1] });
  mod.say({ target: 255, terminator: true });
  cyd.say();
  t.match(await bob.voice(), { slot: 2, target: 0 }, 'nothing else came');
  const ida = await den.join(9);
  t.match(await bob.message('hears'), { more: [3] }, 'somebody in the set joins');
  ida.say({ terminator: true });
  t.match(await bob.voice(), { slot: 3 });
  mod.say();
  mod.send({ type: 'hearing', sets: [{ listener: idOf(2), hears: null }] });
  t.match(await bob.message('hears'), {
    only: false,
    speaking: [0],
    next: [
      [0, 0, 3],
      [0, 255, 1],
      [0, 1, 1],
    ],
  });
  mod.say({ terminator: true });
  t.match(await bob.voice(), { slot: 0, relaySequence: 3 });
  bob.send({ type: 'hearing', sets: [{ listener: 1, hears: [] }] });
  t.match(await bob.message('failed'), { request: 'hearing', code: 'not-moderator' });
});

scenario('after a changed with muted, nothing from that participant is heard', async (t, den) => {
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
  // He keeps talking to everyone while the mute is on its way.
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

scenario(
  'a mute applies to the person: it survives leaving and joining again, and expires in time',
  async (t, den) => {
    const mod = await den.join(1, { moderator: true });
    // The participant is not there yet.
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
    // The last request counts, and the end of the mute is announced.
    t.notOk((await again.changed(2)).muted);
    again.say();
    t.match(await mod.voice(), { slot: 2 });
  },
);

scenario('a mute of a second lasts a second', async (t, den) => {
  const mod = await den.join(1, { moderator: true });
  let shortestMs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 2; round += 1) {
    // Measured from before the request: a busy machine makes this longer, never shorter.
    const since = performance.now();
    mod.send({ type: 'moderate', steamId: idOf(1), action: 'mute', seconds: 1 });
    await mod.changed(0);
    await mod.changed(0);
    shortestMs = Math.min(shortestMs, performance.now() - since);
  }
  t.ok(shortestMs > 950, `${Math.round(shortestMs)} ms`);
});

scenario('a deafened participant gets no voice', async (t, den) => {
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

scenario('a moderator moves anyone into any channel, and they may stay there', async (t, den) => {
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

scenario('a kicked player may join again; a banned one may not until the ban is over', async (t, den) => {
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

scenario('a new name reaches everyone, and a change of nothing is not announced', async (t, den) => {
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

scenario('a ping is answered by a pong, and the welcome says so', async (t, den) => {
  const ada = await den.join(1);
  const welcome = ada.events.find((event) => event.kind === 'message' && event.message.type === 'welcome');
  t.match(welcome, { message: { capabilities: ['ping', 'recording'] } });
  const mark = ada.events.length;
  ada.send({ type: 'ping' });
  await ada.message('pong');
  t.same(ada.messageTypes(mark), ['pong']);
});

scenario('who records says so, and everyone knows since when, newcomers too', async (t, den) => {
  const ada = await den.join(1);
  const bob = await den.join(2);
  const before = Math.floor(Date.now() / 1000);
  ada.send({ type: 'recording', recording: true });
  const { recordingSince } = await bob.changed(0);
  t.ok(
    recordingSince! >= before - 1 && recordingSince! <= Date.now() / 1000 + 1,
    'the second when it was said',
  );
  t.equal((await ada.changed(0)).recordingSince, recordingSince);
  const cyd = await den.join(3);
  t.equal(cyd.participants.get(0)!.recordingSince, recordingSince);
  const mark = bob.events.length;
  ada.send({ type: 'recording', recording: true });
  ada.send({ type: 'recording', recording: false });
  t.notOk((await cyd.changed(0)).recordingSince);
  t.notOk((await bob.changed(0)).recordingSince);
  t.same(
    bob.messageTypes(mark).filter((type) => type === 'changed'),
    ['changed'],
    'saying it again changes nothing',
  );
});

scenario('priority comes with a token or from a moderator', async (t, den) => {
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

scenario('a player who may not speak is not heard; one who may not listen does not hear', async (t, den) => {
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

scenario('a player who may not listen may still speak', async (t, den) => {
  const ada = await den.join(1);
  const announcer = await den.join(2, { listen: false });
  announcer.say();
  await settle(announcer, ada);
  t.equal(voices(ada), 1);
});

scenario('a resume restores everything, and the others saw the participant away', async (t, den) => {
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
  t.equal(back.participants.get(0)!.name, 'moderator', 'the whole state, including what happened while away');
  t.not(back.resumeSecret, bob.resumeSecret, 'a new secret');
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
  t.same(withoutRelayFields(whispered.bytes), sent, 'their whispers go to the same people as before');
  t.match(whispered, { slot: 1, marker: true });
  t.equal(whispered.sequence, (65_530 + 3) % 0x10000, 'the sequence goes on');
  back.say({ target: 1, terminator: true });
  await settle(back, cyd);
  const kinds = cyd.kinds(mark);
  t.notOk(kinds.includes('left') || kinds.includes('joined'), `neither left nor joined in ${kinds}`);

  await refusedWith(t, await den.resume(bob), 'resume-refused', 'the old secret is no good');
  t.equal(await back.ping('still in'), 'still in');
});

scenario('however a connection closes, its participant is away unless they left', async (t, den) => {
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

scenario(
  'a resume while the old connection is alive replaces it, unnoticed by the others',
  async (t, den) => {
    const ada = await den.join(1);
    const bob = await den.join(2);
    const mark = ada.events.length;
    const again = await den.resume(bob);
    t.equal((await again.message('welcome')).slot, 1);
    await refusedWith(t, bob, 'replaced');
    await settle(again, ada);
    t.same(ada.kinds(mark), ['changed'], 'apart from the name they took later');
    again.say();
    t.match(await ada.voice(), { slot: 1 });
  },
);

scenario(
  'a second hello of the same person replaces the first, and the others see left and joined',
  async (t, den) => {
    const ada = await den.join(1);
    const bob = await den.join(2);
    const mark = ada.events.length;
    const again = await den.hello(2);
    t.equal((await again.message('welcome')).slot, 2, 'the old slot is not reused yet');
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

scenario(
  'who does not acknowledge is parked, hears nothing, and catches up by acknowledging',
  async (t, den) => {
    const ada = await den.join(1);
    const eve = await den.hello(3, {}, { capabilities: ['stale'] });
    t.equal((await eve.message('welcome')).staleAfterMs, 150);
    eve.acknowledges = false;
    const parked = eve.message('parked');
    let isTold = false;
    void parked.then(() => {
      isTold = true;
    });
    while (!isTold) {
      ada.say();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const heard = voices(eve);
    for (let frame = 0; frame < 5; frame += 1) ada.say();
    await settle(ada, eve);
    t.equal(voices(eve), heard, 'control messages come, voice does not');
    eve.acknowledges = true;
    eve.sendBytes(acknowledgement((await parked).relayTimeMs));
    await eve.message('live');
    t.ok(eve.skipped >= 5, `${eve.skipped} frames were skipped`);
    t.equal(eve.missed, 0);
    ada.say();
    await eve.voice();
  },
);
