/** Channels, whispers, names and moderation through a lobby, over a real relay on loopback. */

import t, { type Test } from 'tap';
import { joinLobby } from '../../../client/lobby/join.js';
import type { Lobby, LobbyEvents } from '../../../client/lobby/lobby.js';
import type { VoiceTarget } from '../../../client/session/voice_target.js';
import { EmbeddedSteam } from '../../../native/embedded/steam.js';
import { type RelayOptions, startRelay } from '../../../relay/index.js';
import { writeMessage } from '../../../voice/control.js';
import { GUEST_HIGH, personSteamId, steamIdHigh } from '../../../voice/steam_id.js';
import type { NumberedPacket } from '../../../voice/talkspurt.js';
import { packetBy } from '../../relay/kit.js';
import { RESUME, scriptedTransport, welcomeOf } from '../scripted_transport.js';
import { toldWords } from '../told.js';

/** A lobby, its events so far, and a way to wait for more. */
async function memberOf(t: Test, url: string, account: number | null, name: string) {
  const { told, tell, until } = toldWords();
  const textOf = (target: VoiceTarget) => (typeof target === 'string' ? target : target.channel);
  const events: LobbyEvents = {
    onJoined: (participant) => tell(`joined ${participant.name}`),
    onChanged: ({ name: now, channels }) => tell(`changed ${now} ${channels.join()}`),
    onYouChanged: ({ name: now, channels }) => tell(`you ${now} ${channels.join()}`),
    onChannels: (channels) => tell(`channels ${channels.join()}`),
    onSpeaking: (participant) => tell(`${participant.name} ${participant.speaking ? 'speaks' : 'is silent'}`),
    onVoice: (participant, { sequence, marker }, _, target) =>
      tell(`${participant.name} ${sequence}${marker ? 'M' : ''} to ${textOf(target)}`),
    onFailed: (code) => tell(`failed ${code}`),
    onEnded: (error) => tell(`ended ${error?.message ?? null}`),
  };
  const who = account === null ? {} : { steamId: personSteamId(account) };
  const lobby = await joinLobby({ url, lobby: 'den', ...who, name, events });
  t.teardown(() => lobby.leave());
  return { lobby, told, until };
}

async function relayFor(t: Test, options: Partial<RelayOptions> = {}) {
  const relay = await startRelay({ dev: true, ...options });
  t.teardown(() => relay.close());
  return relay;
}

function numbered({ you }: Lobby, sequence: number): NumberedPacket {
  const packet = packetBy(you.steamId, sequence);
  return {
    packet,
    capturedAt: 0,
    marker: sequence === 0,
    terminator: false,
    sequence,
    timestamp: 480 * sequence,
  };
}

t.test('voice to a channel is heard only there, with the channel as its target', async (t) => {
  const { url } = await relayFor(t);
  const ben = await memberOf(t, url, 2, 'Ben');
  const cleo = await memberOf(t, url, 3, 'Cleo');
  const ada = await memberOf(t, url, 1, 'Ada');
  ben.lobby.enter(['red', 'blue']);
  ada.lobby.enter(['red']);
  t.equal(ada.lobby.publish(numbered(ada.lobby, 0), { channel: 'red' }), false, 'to be in it takes a moment');
  await ada.until('you Ada red');
  await ada.until('changed Ben red,blue');
  t.same(ada.lobby.channels, ['red', 'blue']);
  t.equal(ada.lobby.publish(numbered(ada.lobby, 1), { channel: 'blue' }), false, 'someone else is in it');
  t.equal(ada.lobby.publish(numbered(ada.lobby, 2), { channel: 'green' }), false, 'no one is in it');

  t.equal(ada.lobby.publish(numbered(ada.lobby, 3), { channel: 'red' }), true);
  t.equal(ada.lobby.publish(numbered(ada.lobby, 4)), true);
  await cleo.until('Ada 4M to lobby');
  await ben.until('Ada 4M to lobby');
  t.same(
    ben.told.filter((what) => / to /.test(what)),
    ['Ada 3 to red', 'Ada 4M to lobby'],
    'and the first frame to another target has the marker',
  );
  t.notOk(cleo.told.some((what) => what.includes('red') && what.startsWith('Ada 3')));
  t.match(ada.lobby.counts(), { framesSent: 2, framesRefused: 3 });

  ada.lobby.enter([]);
  await ada.until('you Ada ');
  t.equal(ada.lobby.publish(numbered(ada.lobby, 5), { channel: 'red' }), false);
});

t.test('a whisper is heard by those it names', async (t) => {
  const { url } = await relayFor(t);
  const ben = await memberOf(t, url, 2, 'Ben');
  const cleo = await memberOf(t, url, 3, 'Cleo');
  const ada = await memberOf(t, url, 1, 'Ada');
  ada.lobby.whisper([ben.lobby.slot]);
  ada.lobby.publish(numbered(ada.lobby, 0), 'whisper');
  ada.lobby.publish(numbered(ada.lobby, 1));
  await cleo.until('Ada 1M to lobby');
  await ben.until('Ada 1M to lobby');
  t.ok(ben.told.includes('Ada 0M to whisper'));
  t.notOk(cleo.told.includes('Ada 0M to whisper'));
  ada.lobby.whisper([99]);
  await ada.until('failed participant-unknown');
});

t.test('a name can be changed, and a moderation that is not allowed is reported as failed', async (t) => {
  const { url } = await relayFor(t);
  const ben = await memberOf(t, url, 2, 'Ben');
  const ada = await memberOf(t, url, 1, 'Ada');
  t.equal(ada.lobby.rename('Ada II'), true);
  await ben.until('changed Ada II ');
  await ada.until('you Ada II ');
  t.equal(ada.lobby.you.name, 'Ada II');
  ada.lobby.moderate({ action: 'mute', steamId: personSteamId(2), seconds: 60 });
  await ada.until('failed not-moderator');
  t.equal(ada.lobby.state, 'joined');
});

t.test('a guest learns its SteamID with the welcome, and is heard under it', async (t) => {
  const { url } = await relayFor(t, { guests: 'speak' });
  const ben = await memberOf(t, url, 2, 'Ben');
  const gus = await memberOf(t, url, null, 'Gus');
  t.equal(gus.lobby.you.guest, true);
  t.equal(steamIdHigh(gus.lobby.you.steamId), GUEST_HIGH);
  gus.lobby.publish(numbered(gus.lobby, 0));
  await ben.until('Gus 0M to lobby');
  t.equal(ben.lobby.participants[0]?.steamId, gus.lobby.you.steamId);
});

t.test("an encrypted app ticket is requested with the relay's nonce", async (t) => {
  const { url } = await relayFor(t);
  const steam = new EmbeddedSteam({ steamId: personSteamId(4) });
  t.teardown(() => steam.close());
  const nonces: Uint8Array[] = [];
  const appTicket = async (nonce: Uint8Array): Promise<Uint8Array> => {
    nonces.push(nonce);
    steam.requestEncryptedAppTicket(nonce);
    steam.runCallbacks();
    const ticket = steam.getEncryptedAppTicket();
    if (!ticket) throw new Error('Steam gave none');
    return ticket;
  };
  const lobby = await joinLobby({ url, lobby: 'den', name: 'Ada', appTicket });
  t.equal(lobby.you.steamId, personSteamId(4), 'the ticket says who we are');
  t.equal(nonces[0]?.length, 16);
  await lobby.leave();
  await t.rejects(joinLobby({ url, lobby: 'den', name: 'Ada', appTicket: async () => Uint8Array.of(1) }), {
    code: 'ERR_HOTMIC_REFUSED',
    message: /ticket-refused/,
  });
  await t.rejects(joinLobby({ url, lobby: 'den', name: 'Ada', appTicket: async () => new Uint8Array(0) }), {
    name: 'RangeError',
    message: 'Cannot join: appTicket has 0 bytes, expected 1 to 2560',
  });
});

t.test('an invalid request throws at once and is not sent', async (t) => {
  const { open, say, sent } = scriptedTransport();
  const joining = joinLobby({
    url: 'ws://relay',
    lobby: 'den',
    name: 'Ada',
    transport: open,
    reconnect: 'never',
  });
  say().onOpen();
  say().onText(writeMessage(welcomeOf({ resume: RESUME })));
  const lobby = await joining;
  const before = sent.length;
  const steamId = personSteamId(2);
  const many = Array.from({ length: 17 }, (_, at) => at);
  for (const [what, wanted] of [
    [() => lobby.enter(many.map(String)), 'Cannot enter: 17 channels, expected at most 16'],
    [() => lobby.enter(['a', 'a']), 'Cannot enter: channels are a, a, expected each only once'],
    [() => lobby.enter(['']), /^Cannot enter: channel is "", expected 1 to 64/],
    [() => lobby.whisper(many), 'Cannot whisper: 17 slots, expected at most 16'],
    [() => lobby.whisper([-1]), 'Cannot whisper: slot is -1, expected 0 to 65535'],
    [() => lobby.rename('\n'), /^Cannot rename: name is "\\n"/],
    [() => lobby.moderate({ action: 'ban', steamId: 0n }), /steamId is 0, expected 1 to/],
    [
      () => lobby.moderate({ action: 'ban', steamId, seconds: 0.5 }),
      /seconds is 0.5, expected 1 to 315360000/,
    ],
    [
      () => lobby.moderate({ action: 'move', steamId, channels: ['a', 'a'] }),
      /Cannot move: .* each only once/,
    ],
  ] as const) {
    t.throws(what, { name: 'RangeError', message: wanted });
  }
  t.throws(() => lobby.moderate({ action: 'praise' as 'kick', steamId }), { name: 'TypeError' });
  t.throws(() => lobby.moderate({ action: 'kick', steamId: '1' as never }), { name: 'TypeError' });
  t.throws(() => lobby.publish(numbered(lobby, 0), 'all' as never), { name: 'TypeError' });
  t.equal(sent.length, before);
  lobby.moderate({ action: 'move', steamId, channels: ['red'] });
  t.equal(sent.at(-1), `{"type":"moderate","steamId":"${steamId}","action":"move","channels":["red"]}`);
  say().onClose(1006, '', null);
  t.equal(lobby.enter(['red']), false, 'and nothing is requested after the end');
});
