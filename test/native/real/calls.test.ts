/** Calls into the real Steam and what comes back: on stand-ins for five SDKs, and on the real libsteam_api with our client. */

import t, { type Test } from 'tap';
import type { RealSteam } from '../../../native/real/steam.js';
import { MAX_PACKET_BYTES } from '../../../voice/units.js';
import { VoiceResult } from '../../../voice/voice_result.js';
import { type AddonSteam, type AddonSteams, addonSteams, openSteam } from './addon_steams.js';

const got = await addonSteams();
const skip = typeof got === 'string' ? got : false;
const steams = got as AddonSteams;
t.teardown(() => typeof got !== 'string' && got.remove());

const PLAYER = 76561197960265729n;
/** A game server's: its account type lies in the upper 32 bits, which other bindings lose. */
const GAME_SERVER = 90071992547409921n;

/** Runs `test` on each Steam, from its defaults, and closes it. */
function each(sentence: string, test: (t: Test, steam: RealSteam, under: AddonSteam) => void) {
  t.test(sentence, { skip }, async (t) => {
    for (const under of steams.all) {
      await t.test(under.name, async (t) => {
        under.controls.reset();
        const steam = openSteam(under);
        try {
          test(t, steam, under);
        } finally {
          steam.close();
          under.controls.reset();
        }
      });
    }
  });
}

each('what Steam knows of the player is passed on', (t, steam, { controls }) => {
  controls.setAccount({
    steamLevel: 42,
    badges: [{ series: 1, foil: true, level: 1 }],
    phoneVerified: true,
    phoneRequiringVerification: true,
    behindNat: true,
  });
  t.equal(steam.getSteamID(), PLAYER);
  t.equal(steam.loggedOn(), true);
  t.equal(steam.getPlayerSteamLevel(), 42);
  t.same([steam.getGameBadgeLevel(1, true), steam.getGameBadgeLevel(1, false)], [1, 0]);
  t.same([steam.isPhoneVerified(), steam.isPhoneIdentifying()], [true, false]);
  t.same([steam.isPhoneRequiringVerification(), steam.isTwoFactorEnabled()], [true, false]);
  t.equal(steam.isBehindNAT(), true);
});

each('a ticket is cut to its length', (t, steam, { controls }) => {
  const { id, buffer, size } = steam.getAuthSessionTicket(0n);
  t.same([buffer.length, buffer.buffer.byteLength, size], [234, 234, 234]);
  t.match(controls.state(), { remoteType: 0, ticketsLive: 1 });
  t.same(steam.runCallbacks(), [
    { signal: 'get_auth_session_ticket_response', keys: { auth_ticket: id, result: 1 }, call: 0n },
  ]);
});

each('a ticket longer than 1024 bytes is asked for once more, with room', (t, steam, { controls }) => {
  controls.run('set ticket-bytes 1500');
  const { id, buffer, size } = steam.getAuthSessionTicket(0n);
  t.same([buffer.length, size], [1500, 1500]);
  t.not(id, 0);
  t.equal(controls.state().ticketsLive, 1);
});

each('a ticket for one SteamID binds it, or is refused where the library cannot', (t, steam, under) => {
  if (under.name === 'sdk152') {
    t.throws(() => steam.getAuthSessionTicket(GAME_SERVER), { code: 'ERR_HOTMIC_STEAM_UNSUPPORTED' });
    return;
  }
  steam.getAuthSessionTicket(GAME_SERVER);
  t.match(under.controls.state(), { remoteType: 16, remoteBytes: 8, remoteSteamId: `${GAME_SERVER}` });
});

each('a ticket for an address or a text has the identity that Steam knows', (t, steam, under) => {
  for (const [remote, remoteType, remoteValue] of [
    [{ ip: '203.0.113.7', port: 27_015 }, 1, '00000000000000000000ffffcb0071078769'],
    [{ ip: '2001:db8::7' }, 1, '20010db80000000000000000000000070000'],
    [{ text: 'server 7' }, 2, '7365727665722037' + '00'],
  ] as const) {
    if (under.name === 'sdk152') {
      t.throws(() => steam.getAuthSessionTicket(remote), { code: 'ERR_HOTMIC_STEAM_UNSUPPORTED' });
      continue;
    }
    t.not(steam.getAuthSessionTicket(remote).id, 0);
    t.match(under.controls.state(), { remoteType, remoteBytes: remoteValue.length / 2, remoteValue });
  }
});

each(
  'the user data folder comes from Steam, or the error says that the library has none',
  (t, steam, under) => {
    if (under.name === 'sdk152') {
      t.throws(() => steam.getUserDataFolder(), {
        code: 'ERR_HOTMIC_STEAM_UNSUPPORTED',
        message: /^Cannot get user data folder: this libsteam_api has no such function/,
      });
      return;
    }
    t.equal(steam.getUserDataFolder(), '/home/ada/.steam/userdata/1/480/local');
    under.controls.run('set user-data-folder 0');
    t.equal(steam.getUserDataFolder(), '', 'Steam gave none');
  },
);

each('a web ticket comes by signal, as long as Steam says', (t, steam, under) => {
  if (under.name === 'sdk152' || under.name === 'v022') {
    t.throws(() => steam.getAuthTicketForWebApi('service'), { code: 'ERR_HOTMIC_STEAM_UNSUPPORTED' });
    return;
  }
  under.controls.run('set web-ticket-bytes 300');
  const handle = steam.getAuthTicketForWebApi('service');
  t.match(under.controls.state(), { webIdentity: 'service', webIdentityNull: 0 });
  const [response] = steam.runCallbacks();
  t.match(response, {
    signal: 'get_ticket_for_web_api',
    keys: { auth_ticket: handle, result: 1, ticket_size: 300 },
  });
  t.equal(response?.signal === 'get_ticket_for_web_api' && response.keys.ticket_buffer.length, 300);
  steam.getAuthTicketForWebApi('');
  t.equal(under.controls.state().webIdentityNull, 1, 'an empty identity is passed as null');
});

each('an answer that cannot be read whole settles whoever waits for it, as a failure', (t, steam, under) => {
  const web = (handle: number, result: number, size: number) => {
    const payload = new DataView(new ArrayBuffer(2572));
    payload.setUint32(0, handle, true);
    payload.setInt32(4, result, true);
    payload.setInt32(8, size, true);
    return new Uint8Array(payload.buffer);
  };
  const none = { ticket_size: 0, ticket_buffer: new Uint8Array(0) };
  under.controls.emitRaw(168, web(7, 1, 2561));
  under.controls.emitRaw(168, web(8, 1, -1));
  under.controls.emitRaw(168, web(9, 16, 2561));
  under.controls.emitRaw(168, web(10, 1, 0).subarray(0, 11));
  under.controls.emitRaw(163, Uint8Array.of(11, 0, 0, 0, 1));
  const verdict = new Uint8Array(19);
  new DataView(verdict.buffer).setBigUint64(0, PLAYER, true);
  under.controls.emitRaw(143, verdict);
  under.controls.emitRaw(168, new Uint8Array(3));
  const told = [
    ['get_ticket_for_web_api', { auth_ticket: 7, result: 53, ...none }],
    ['get_ticket_for_web_api', { auth_ticket: 8, result: 53, ...none }],
    ['get_ticket_for_web_api', { auth_ticket: 9, result: 16, ...none }],
    ['get_ticket_for_web_api', { auth_ticket: 10, result: 53, ...none }],
    ['get_auth_session_ticket_response', { auth_ticket: 11, result: 53 }],
    ['validate_auth_ticket_response', { auth_id: PLAYER, response: 8, owner_id: 0n }],
  ];
  t.same(
    steam.runCallbacks(),
    told.map(([signal, keys]) => ({ signal, keys, call: 0n })),
  );
  t.equal(steam.unreadCallbacks, 7, 'each is counted');
});

each('a session of a game server keeps all 64 bits of its SteamID', (t, steam, { controls }) => {
  t.equal(steam.beginAuthSession(controls.ticketOf(GAME_SERVER), GAME_SERVER), 0);
  t.match(steam.runCallbacks(), [
    { signal: 'validate_auth_ticket_response', keys: { auth_id: GAME_SERVER, response: 0 } },
  ]);
  t.equal(steam.beginAuthSession(controls.ticketOf(GAME_SERVER), GAME_SERVER), 2, 'a duplicate');
  t.equal(steam.userHasLicenseForApp(GAME_SERVER, 480), 0);
  t.equal(steam.beginAuthSession(new Uint8Array(0), PLAYER + 1n), 1, 'no ticket at all');
  t.equal(steams.addon.counts().sessions, 1, 'only the one that was begun');
  steam.endAuthSession(GAME_SERVER);
  t.equal(steam.userHasLicenseForApp(GAME_SERVER, 480), 2);
  t.equal(steams.addon.counts().sessions, 0);
});

each('user data goes into an encrypted ticket as it is, with no NUL behind it', (t, steam, { controls }) => {
  t.equal(steam.getEncryptedAppTicket(), null);
  const call = steam.requestEncryptedAppTicket(Uint8Array.of(1, 0, 255));
  t.equal(controls.state().userData, '0100ff');
  t.same(steam.runCallbacks(), [{ signal: 'encrypted_app_ticket_response', keys: { result: 1 }, call }]);
  t.equal(steam.getEncryptedAppTicket()?.length, 8 + 3 + 64);
  steam.requestEncryptedAppTicket(new Uint8Array(0));
  t.equal(controls.state().userData, '');
});

each('an encrypted ticket of more than 1024 bytes is read whole', (t, steam) => {
  steam.requestEncryptedAppTicket(new Uint8Array(20_000));
  steam.runCallbacks();
  t.equal(steam.getEncryptedAppTicket()?.length, 8 + 20_000 + 64);
});

each('each call result comes with the handle of its call', (t, steam, { controls }) => {
  const url = steam.requestStoreAuthURL('https://store/é');
  const market = steam.getMarketEligibility();
  const duration = steam.getDurationControl();
  t.equal(new Set([url, market, duration, 0n]).size, 4);
  t.equal(controls.state().storeUrl, 'https://store/é');
  t.match(steam.runCallbacks(), [
    { signal: 'store_auth_url_response', call: url },
    { signal: 'market_eligibility_response', call: market },
    { signal: 'duration_control', call: duration, keys: { duration: { app_id: 480 } } },
  ]);
  t.same([steam.setDurationControlOnlineState(2), steam.setDurationControlOnlineState(9)], [true, false]);
  t.equal(controls.state().onlineState, 2);
});

each('a call that failed, or whose result is withheld, is reported as failed', (t, steam, { controls }) => {
  controls.answerNext({ kind: 'call-failure' });
  const failed = steam.getMarketEligibility();
  controls.refuseNextCall();
  const refused = steam.getDurationControl();
  t.same(steam.runCallbacks(), [
    { signal: 'market_eligibility_response', keys: null, call: failed },
    { signal: 'duration_control', keys: null, call: refused },
  ]);
});

each(
  'payloads that are too short, foreign or empty are counted; only a call among them is reported, as failed',
  (t, steam, under) => {
    const foreign = steams.addon.counts().foreign;
    under.controls.emitRaw(103, new Uint8Array(3));
    under.controls.emitRaw(143, new Uint8Array(7));
    under.controls.emitRaw(199, new Uint8Array(8));
    under.controls.emitRaw(304, new Uint8Array(16));
    under.controls.emitRaw(125, new Uint8Array(1));
    under.controls.answerNextCallWith(new Uint8Array(4));
    const call = steam.getMarketEligibility();
    t.same(steam.runCallbacks(), [
      { signal: 'licenses_updated', keys: {}, call: 0n },
      { signal: 'market_eligibility_response', keys: null, call },
    ]);
    t.equal(steam.unreadCallbacks, 4);
    t.equal(steams.addon.counts().foreign, foreign + 1);
  },
);

each(
  'what getVoice claims to have written is never more than there was room for',
  (t, steam, { controls }) => {
    const room = new Uint8Array(100);
    controls.claimVoice(0, 4_294_967_295);
    t.equal(steam.getVoiceInto(room), 100);
    controls.claimVoice(0, 4_294_967_295);
    t.match(steam.getVoice(200), { result: 0, written: 200, buffer: { length: 200 } });
  },
);

each('a voice result that no table knows is passed on, and never taken for OK', (t, steam, { controls }) => {
  const room = new Uint8Array(100);
  for (const [result, told] of [
    [11, 11],
    [-1, 65_535],
    [70_000, 65_535],
  ] as const) {
    controls.claimVoice(result, 4_294_967_295);
    t.equal(steam.getVoiceInto(room), -told);
    controls.claimVoice(result, 4_294_967_295);
    t.same(steam.getVoice(200), { result: told, written: 0, buffer: new Uint8Array(0) });
  }
});

each(
  'payloads of more than 64 KiB are counted, and a call with such a payload is reported as failed',
  (t, steam, under) => {
    const refused = steams.addon.counts().refused;
    under.controls.answerNextCallWith(new Uint8Array(65_536));
    const largest = steam.getMarketEligibility();
    under.controls.answerNextCallWith(new Uint8Array(65_537));
    const tooLarge = steam.getMarketEligibility();
    under.controls.emitRaw(125, new Uint8Array(65_537));
    const signals = steam.runCallbacks();
    const signal = 'market_eligibility_response';
    t.match(signals, [
      { signal, call: largest, keys: { is_allowed: false } },
      { signal, call: tooLarge, keys: null },
    ]);
    t.equal(signals.length, 2);
    t.equal(steams.addon.counts().refused, refused + 2);
  },
);

each('more callbacks than 1024 come with the next frames, in their order', (t, steam, { controls }) => {
  for (let at = 0; at < 1500; at++) controls.loseConnection(at);
  const frames = [steam.runCallbacks(), steam.runCallbacks(), steam.runCallbacks()];
  t.same(
    frames.map(({ length }) => length),
    [1024, 476, 0],
  );
  const results = frames
    .flat()
    .map((event) => event.signal === 'steam_server_disconnected' && event.keys.result);
  t.same(
    results,
    Array.from({ length: 1500 }, (_, at) => at),
  );
});

each('the game server advertised and connected to keeps its address', (t, steam, { controls }) => {
  steam.advertiseGame(GAME_SERVER, 0x7f000001, 27_015);
  t.match(controls.state(), {
    advertisedServer: `${GAME_SERVER}`,
    advertisedIp: 0x7f000001,
    advertisedPort: 27_015,
  });
  const blob = steam.initiateGameConnection(GAME_SERVER, 0xc0a80001, 65_535, true);
  t.equal(blob?.length, 206);
  t.equal(new DataView(blob!.buffer).getBigUint64(0, true), GAME_SERVER);
  t.equal(controls.state().gameConnection, `${0xc0a80001}:65535`);
  steam.terminateGameConnection(0xc0a80001, 65_535);
  t.equal(controls.state().gameConnection, '');
});

each('a recording is read until it is over', (t, steam, { controls }) => {
  const { VOICE_RESULT_NOT_RECORDING, VOICE_RESULT_NO_DATA, VOICE_RESULT_OK } = VoiceResult;
  t.equal(steam.getVoice().result, VOICE_RESULT_NOT_RECORDING);
  steam.startVoiceRecording();
  t.equal(steam.getVoice().result, VOICE_RESULT_NO_DATA);
  controls.queueVoice([new Uint8Array(40).fill(7), new Uint8Array(50).fill(8)]);
  controls.lingerVoice(1);
  t.same(steam.getAvailableVoice(), { result: VOICE_RESULT_OK, buffer: 40 });
  t.same(steam.getVoice(), { result: VOICE_RESULT_OK, written: 40, buffer: new Uint8Array(40).fill(7) });
  steam.stopVoiceRecording();
  const target = new Uint8Array(new SharedArrayBuffer(MAX_PACKET_BYTES + 16), 16);
  t.equal(steam.getVoiceInto(target.subarray(0, 49)), -VoiceResult.VOICE_RESULT_BUFFER_TOO_SMALL);
  t.equal(steam.getVoiceInto(new Uint8Array(0)), -VoiceResult.VOICE_RESULT_BUFFER_TOO_SMALL);
  t.equal(steam.getVoiceInto(target), 50);
  t.same(
    Uint8Array.from(target.subarray(0, 51)),
    Uint8Array.from({ length: 51 }, (_, at) => (at < 50 ? 8 : 0)),
  );
  t.same(
    [1, 2].map(() => steam.getVoiceInto(target)),
    [-VOICE_RESULT_NO_DATA, -VOICE_RESULT_NOT_RECORDING],
  );
});

each('a packet is decompressed at the rate asked for', (t, steam, { controls }) => {
  controls.repeatVoice(700);
  steam.startVoiceRecording();
  const { buffer: packet } = steam.getVoice();
  t.equal(packet.length, 700);
  t.equal(steam.getVoiceOptimalSampleRate(), 24_000);
  const at24 = steam.decompressVoice(packet, 24_000);
  t.equal(at24.result, VoiceResult.VOICE_RESULT_OK);
  t.ok(at24.size > 0);
  t.equal(at24.uncompressed.length, at24.size);
  t.equal(steam.decompressVoice(packet, 48_000).size, at24.size * 2);
  const small = steam.decompressVoice(packet, 24_000, at24.size - 2);
  t.match(small, { result: VoiceResult.VOICE_RESULT_BUFFER_TOO_SMALL, size: at24.size });
  t.equal(small.uncompressed.length, 0);
  packet[20]! ^= 1;
  t.equal(steam.decompressVoice(packet, 24_000).result, VoiceResult.VOICE_RESULT_DATA_CORRUPTED);
});
