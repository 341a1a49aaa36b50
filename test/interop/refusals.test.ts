/** The relay refuses, drops and limits what docs/protocol.md says, and answers clients of other versions accordingly. */

import { Client } from './client.js';
import { dropsOf, idOf, refusedWith, relay, scenario, settle, soundOf, voices } from './den.js';
import { closeCodeOf } from './messages.js';
import { startBackend } from './operator.js';
import {
  noiseFrame,
  opusOp,
  rateOp,
  silenceOp,
  withoutRelayFields,
  writeFrame,
  writePacket,
} from './voice.js';

scenario(
  'a client of another version is refused as such; one that also speaks version 1 is admitted',
  async (t, den) => {
    for (const versions of [[-1], [0], [2], [3, 2]]) {
      const refused = await refusedWith(
        t,
        await den.hello(1, {}, { versions }),
        'version-unsupported',
        `[${versions}]`,
      );
      t.match(refused.message, /\b1\b/, 'the message lists the supported versions');
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
    later.send({ type: 'resume', versions: [2], secret: 'ab'.repeat(16) });
    await refusedWith(t, later, 'version-unsupported', 'so is one that resumes');
  },
);

scenario('a hello of a later version is refused for its version, whatever else is in it', async (t, den) => {
  const later = await den.connect();
  later.send({ type: 'hello', versions: [2], world: 'den' });
  await refusedWith(t, later, 'version-unsupported');
});

scenario('unknown fields are ignored', async (t, den) => {
  const ada = await den.hello(1, {}, { colour: 'green', versions: [2, 1], deep: { er: [1] } });
  await ada.message('welcome');
  ada.send({ type: 'rename', name: 'Ada', colour: 'blue', name2: 7 });
  t.equal((await ada.changed(0)).name, 'Ada');
});

scenario('an invalid hello is refused for what is wrong with it', async (t, den) => {
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

scenario('messages before the welcome are refused', async (t, den) => {
  for (const early of [{ type: 'rename', name: 'x' }, { type: 'leave' }, 'voice'] as const) {
    const client = await den.connect();
    if (early === 'voice') client.say();
    else client.send(early);
    await refusedWith(t, client, 'hello-expected', JSON.stringify(early));
  }
  const hasty = await den.connect();
  hasty.sendTogether(
    { type: 'hello', versions: [1], lobby: den.lobby, name: 'x', token: await den.token(1) },
    { type: 'rename', name: 'x' },
  );
  await refusedWith(t, hasty, 'hello-expected', 'while the token is judged, too');
  const doubled = await den.join(2);
  doubled.send({ type: 'hello', versions: [1], lobby: den.lobby, name: 'x', token: await den.token(2) });
  await refusedWith(t, doubled, 'already-joined');
  const resuming = await den.join(3);
  resuming.send({ type: 'resume', versions: [1], secret: resuming.resumeSecret });
  await refusedWith(t, resuming, 'already-joined', 'a resume is a hello');
});

scenario('a message of an unknown form is refused', async (t, den) => {
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

scenario('a control message that is too long is refused, or the connection is cut', async (t, den) => {
  for (const [bytes, code] of [
    [8193, closeCodeOf('message-malformed')],
    [8208, closeCodeOf('message-malformed')],
    [8209, 1006],
  ] as const) {
    const client = await den.connect();
    client.send('{"type":"leave"}'.padEnd(bytes));
    t.equal((await client.ended()).code, code, `${bytes} bytes`);
  }
});

scenario('a message beyond the transport limit, or not in UTF-8, cuts the connection', async (t, den) => {
  for (const bytes of [Buffer.alloc(8209, 0x20), Buffer.from('{"type":"\xff"}', 'latin1')]) {
    const client = await den.connect();
    client.socket.send(bytes, { binary: false });
    const { code } = await client.ended();
    t.ok(code === 1006 || code === closeCodeOf('message-malformed'), `${code}`);
  }
  const most = await den.hello(1, {}, { padding: 'a'.repeat(7000) });
  await most.message('welcome');
});

scenario('a bad voice frame is dropped silently, and counted by reason', async (t, den) => {
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
  const opaque = (frame: Buffer) => {
    frame[0]! |= 0x08;
    return frame;
  };
  const badCrc = Buffer.from(ada.packet);
  badCrc[badCrc.length - 1]! ^= 1;
  const cases: readonly [reason: string, frame: Buffer][] = [
    ['frame-too-short', frameOf(ada.packet).subarray(0, 30)],
    ['frame-version-unknown', frameOf(ada.packet, { version: 0 })],
    ['frame-version-unknown', frameOf(ada.packet, { version: 2 })],
    ['opaque-refused', opaque(frameOf(ada.packet))],
    ['opaque-refused', opaque(frameOf(badCrc))],
    ['packet-bad-crc', frameOf(badCrc)],
    ['packet-op-truncated', frameOf(packetOf(Buffer.from([0x06, 10, 0, 1])))],
    ['packet-op-unknown', frameOf(packetOf(Buffer.from([0x07, 0, 0])))],
    ['packet-rate-unknown', frameOf(packetOf(rateOp(44_100)))],
    ['packet-frame-truncated', frameOf(packetOf(Buffer.from([0x06, 3, 0, 1, 0, 0])))],
    // A TOC with code 2 requires two frames, but has no frame.
    ['packet-frame-framing', frameOf(packetOf(opusOp([Buffer.from([0x6a])])))],
    ['packet-op-foreign', frameOf(packetOf(Buffer.from([0x04, 1, 0, 9])))],
    ['packet-frame-empty', frameOf(packetOf(opusOp([Buffer.alloc(0)])))],
    // The upper of two rows decides; within the row of malformed ops, the first fault in the packet.
    ['packet-op-foreign', frameOf(packetOf(opusOp([Buffer.alloc(0)]), Buffer.from([0x04, 1, 0, 9])))],
    ['packet-rate-unknown', frameOf(packetOf(rateOp(44_100), Buffer.from([0x06, 10, 0, 1])))],
    // Silence counts as sound: this plays 16.4 s, more than is allowed at once.
    ['rate-sound', frameOf(packetOf(rateOp(8000), silenceOp(65_535), silenceOp(65_535)))],
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
  t.same(withoutRelayFields((await bob.voice()).bytes), good, 'the connection still works');
});

scenario('the largest and the smallest frame pass', async (t, den) => {
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

scenario('too much voice is dropped, too many messages are refused', async (t, den) => {
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

scenario('a lobby admits 64 participants and refuses the next', async (t, den) => {
  for (let person = 1; person <= 64; person += 1) await (await den.hello(person)).message('welcome');
  await refusedWith(t, await den.hello(65), 'lobby-full');
  const again = await den.hello(64);
  await again.message('welcome');
  t.equal(again.participants.size, 63, 'a player who replaces themselves needs no further place');
  again.socket.terminate();
  await den.clients[0]!.changed(64);
  await refusedWith(t, await den.hello(65), 'lobby-full', 'who is away has a place');
});

scenario('a lobby can have 32 channels', async (t, den) => {
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
  t.same((await cyd.changed(2)).channels, [4], 'nothing of the failed request was done');
});

scenario('a client that sends no hello, or outlives its token, is refused in time', async (t, den) => {
  const since = performance.now();
  const silent = await den.connect();
  const halfWay = await den.connect();
  halfWay.send({ type: 'hello', versions: [1], lobby: den.lobby, name: 'x', appTicket: 'request' });
  await refusedWith(t, halfWay, 'ticket-refused', 'a relay without the key asks nobody for a ticket');
  const brief = await den.hello(1, {}, { token: await den.token(1, {}, 1) });
  await brief.message('welcome');
  const gone = await den.hello(2, {}, { token: await den.token(2, {}, 1) });
  await gone.message('welcome');
  gone.socket.terminate();
  await Promise.all([refusedWith(t, silent, 'hello-late'), refusedWith(t, brief, 'token-expired')]);
  const tookMs = performance.now() - since;
  t.ok(tookMs > 4900, `not before the 5 s that a hello may take: ${Math.round(tookMs)} ms`);
  await refusedWith(t, await den.resume(brief), 'resume-refused', 'who was refused has no place');
});

scenario('before the WebSocket is open, the relay answers in HTTP', async (t, den) => {
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
