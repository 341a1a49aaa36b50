/** Tokens on a real socket: who has one speaks and is heard; who has none, or another's, never gets in. */

import t from 'tap';
import { joinLobby } from '../../../client/lobby/join.js';
import { mintToken, newKey, startRelay } from '../../../relay/index.js';
import { personSteamId } from '../../../voice/steam_id.js';
import { packetBy } from '../kit.js';

const seconds = Math.floor(Date.now() / 1000);
const { privateKey, keySet } = await newKey('EdDSA', 'k1');

function tokenOf(account: number, changed: { lobby?: string; maySpeak?: boolean; audience?: string } = {}) {
  const { audience = 'hotmic', ...grant } = changed;
  const steamId = String(personSteamId(account));
  return mintToken({
    key: privateKey,
    lobby: 'den',
    steamId,
    audience,
    expiresAt: seconds + 600,
    now: seconds,
    ...grant,
  });
}

t.test('a relay without --dev admits only by tokens, and passes on what they grant', async (t) => {
  const relay = await startRelay({ tokens: { keys: keySet } });
  t.teardown(() => relay.close());
  let hear: (steamId: bigint) => void = () => undefined;
  const heard = new Promise<bigint>((resolve) => {
    hear = resolve;
  });
  const join = async (account: number, token: string | null, events = {}) =>
    await joinLobby({
      url: relay.url,
      lobby: 'den',
      steamId: personSteamId(account),
      name: `player ${account}`,
      ...(token === null ? {} : { token }),
      events,
    });
  const ear = await join(1, await tokenOf(1), {
    onVoice: ({ steamId }: { steamId: bigint }) => hear(steamId),
  });
  t.same([ear.maySpeak, ear.mayListen], [true, true]);
  const mouth = await join(2, await tokenOf(2));
  const mute = await join(3, await tokenOf(3, { maySpeak: false }));
  t.same([mute.maySpeak, mute.mayListen], [false, true]);

  const frame = { marker: true, terminator: false, sequence: 0, timestamp: 0, capturedAt: 0 };
  mute.publish({ ...frame, packet: packetBy(personSteamId(3)) });
  mouth.publish({ ...frame, packet: packetBy(personSteamId(2)) });
  t.equal(await heard, personSteamId(2), 'and nothing of the mute one before');

  const refused = (message: RegExp) => ({ code: 'ERR_HOTMIC_REFUSED', message });
  await t.rejects(join(4, null), refused(/credential-expected/));
  await t.rejects(join(4, await tokenOf(5)), refused(/other-steam-id/));
  await t.rejects(join(4, await tokenOf(4, { lobby: 'attic' })), refused(/other-lobby/));
  await t.rejects(join(4, await tokenOf(4, { audience: 'shop' })), refused(/audience/));
  const stolen = await tokenOf(4);
  await t.rejects(join(4, `${stolen.slice(0, -4)}AAAA`), refused(/forged/));
  t.match(relay.counts(), {
    participants: 3,
    publishedFrames: 1,
    drops: { 'not-allowed': 1 },
    refusals: { 'token-refused': 4, 'credential-expected': 1 },
  });
  for (const lobby of [ear, mouth, mute]) await lobby.leave();
});

t.test('the operator sets how far the clocks may differ', async (t) => {
  const started = {
    key: privateKey,
    lobby: 'den',
    audience: 'hotmic',
    now: seconds - 600,
    expiresAt: seconds - 30,
  };
  const token = await mintToken({ ...started, steamId: String(personSteamId(1)) });
  const player = { lobby: 'den', steamId: personSteamId(1), name: 'Ada', token };
  for (const clockToleranceS of [5, 300]) {
    const relay = await startRelay({ tokens: { keys: keySet, clockToleranceS } });
    t.teardown(() => relay.close());
    const joining = joinLobby({ ...player, url: relay.url });
    if (clockToleranceS === 5) await t.rejects(joining, { code: 'ERR_HOTMIC_REFUSED', message: /expired/ });
    else await (await joining).leave();
  }
  const tooMuch = { tokens: { keys: keySet, clockToleranceS: 301 } };
  await t.rejects(startRelay(tooMuch), { name: 'RangeError', message: /clockToleranceS is 301/ });
});
