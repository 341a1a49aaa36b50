/** What RealSteam makes of the addon's answers: voice buffers, callbacks, what a library cannot do. The addon is scripted. */

import t from 'tap';
import type { SteamAddon, SteamMessage } from '../../../native/real/addon.js';
import { RealSteam } from '../../../native/real/steam.js';
import { VoiceResult } from '../../../voice/voice_result.js';

const OK = VoiceResult.VOICE_RESULT_OK;
const TOO_SMALL = VoiceResult.VOICE_RESULT_BUFFER_TOO_SMALL;
const NO_DATA = VoiceResult.VOICE_RESULT_NO_DATA;
const CLOSED = VoiceResult.VOICE_RESULT_NOT_INITIALIZED;

const packed = (result: number, bytes: number) => result * 2 ** 32 + bytes;

/** A RealSteam over functions of the test; one that is not given must not be called. */
function steamOf(functions: Partial<SteamAddon>): RealSteam {
  return new RealSteam({ close: () => undefined, ...functions } as SteamAddon);
}

/** A microphone that has `voice` waiting, and says it has `available` bytes. Notes the room of each call. */
function recorder(voice: Uint8Array, available: number) {
  const rooms: number[] = [];
  const steam = steamOf({
    getAvailableVoice: () => packed(available > 0 ? OK : NO_DATA, available),
    getVoice: (target) => {
      rooms.push(target.length);
      if (target.length < voice.length) return packed(TOO_SMALL, voice.length);
      target.set(voice);
      return packed(OK, voice.length);
    },
  });
  return { steam, rooms };
}

const PACKET = Uint8Array.from({ length: 700 }, (_, at) => at);

t.test('getVoice takes as much room as there is voice, and its copy is cut to it', async (t) => {
  const { steam, rooms } = recorder(PACKET, 720);
  const voice = steam.getVoice();
  t.same(voice, { result: OK, written: 700, buffer: PACKET });
  t.equal(voice.buffer.buffer.byteLength, 700);
  t.same(rooms, [720]);
});

t.test("two packets of getVoice do not share memory: each is the caller's own", async (t) => {
  const { steam } = recorder(PACKET, 700);
  const first = steam.getVoice().buffer;
  const second = steam.getVoice().buffer;
  first.fill(0);
  t.same(second, PACKET);
});

t.test('when nothing is available yet getVoice asks with room for a packet all the same', async (t) => {
  const { steam, rooms } = recorder(PACKET, 0);
  t.same(steam.getVoice(), { result: OK, written: 700, buffer: PACKET });
  t.same(rooms, [8192]);
});

t.test(
  'when more was recorded meanwhile getVoice asks once more, with the room that is wanted',
  async (t) => {
    const { steam, rooms } = recorder(PACKET, 400);
    t.same(steam.getVoice(), { result: OK, written: 700, buffer: PACKET });
    t.same(rooms, [400, 700]);
  },
);

t.test('a Steam that always asks for more is called twice', async (t) => {
  let calls = 0;
  const steam = steamOf({
    getAvailableVoice: () => packed(OK, 10),
    getVoice: (target) => {
      calls += 1;
      return packed(TOO_SMALL, target.length + 1);
    },
  });
  t.same(steam.getVoice(), { result: TOO_SMALL, written: 12, buffer: new Uint8Array(0) });
  t.equal(calls, 2);
});

t.test('with an override too small getVoice says what is wanted, and asks no second time', async (t) => {
  const { steam, rooms } = recorder(PACKET, 700);
  t.same(steam.getVoice(100), { result: TOO_SMALL, written: 700, buffer: new Uint8Array(0) });
  t.same(rooms, [100]);
});

t.test('an override above any packet is bounded, and an invalid one is ignored', async (t) => {
  const { steam, rooms } = recorder(PACKET, 700);
  t.same(steam.getVoice(2 ** 40).buffer, PACKET);
  t.same(steam.getVoice(Number.NaN).buffer, PACKET);
  t.same(steam.getVoice(-5).buffer, PACKET);
  t.same(rooms, [2 ** 24, 700, 700]);
});

t.test('getVoiceInto gives the bytes written, or the result with its sign turned', async (t) => {
  const answers = [packed(OK, 700), packed(NO_DATA, 0), packed(TOO_SMALL, 9000), packed(OK, 0)];
  const steam = steamOf({ getVoice: () => answers.shift() ?? 0 });
  const target = new Uint8Array(8192);
  t.same(
    [1, 2, 3, 4].map(() => steam.getVoiceInto(target)),
    [700, -NO_DATA, -TOO_SMALL, -NO_DATA],
  );
});

t.test('getVoiceInto hands over the memory itself', async (t) => {
  const target = new Uint8Array(new SharedArrayBuffer(64), 8, 32);
  let given: Uint8Array | null = null;
  const steam = steamOf({
    getVoice: (to) => {
      given = to;
      return packed(NO_DATA, 0);
    },
  });
  steam.getVoiceInto(target);
  t.equal(given, target);
});

/** decompressVoice that gives `bytes` of ones. */
function decoder(bytes: number) {
  const rooms: number[] = [];
  const steam = steamOf({
    decompressVoice: (_voice, target) => {
      rooms.push(target.length);
      if (target.length < bytes) return packed(TOO_SMALL, bytes);
      target.fill(1, 0, bytes);
      return packed(OK, bytes);
    },
  });
  return { steam, rooms };
}

t.test('decompressVoice cuts the PCM to what was written', async (t) => {
  const { steam, rooms } = decoder(960);
  const pcm = steam.decompressVoice(PACKET, 24_000);
  t.same(pcm, { result: OK, size: 960, uncompressed: new Uint8Array(960).fill(1) });
  t.equal(pcm.uncompressed.byteOffset, 0);
  t.equal(pcm.uncompressed.buffer.byteLength, 960);
  t.same(rooms, [20_480]);
});

t.test('decompressVoice without enough room says the bytes that are wanted', async (t) => {
  const { steam, rooms } = decoder(100_000);
  t.same(steam.decompressVoice(PACKET, 48_000), {
    result: TOO_SMALL,
    size: 100_000,
    uncompressed: new Uint8Array(0),
  });
  t.equal(steam.decompressVoice(PACKET, 48_000, 100_000).uncompressed.length, 100_000);
  t.equal(steam.decompressVoice(PACKET, 48_000, Number.NaN).result, TOO_SMALL);
  t.same(rooms, [20_480, 100_000, 0]);
});

t.test('of a packet that is corrupted no PCM and no size is given', async (t) => {
  const steam = steamOf({ decompressVoice: () => packed(VoiceResult.VOICE_RESULT_DATA_CORRUPTED, 77) });
  t.same(steam.decompressVoice(PACKET, 24_000), {
    result: VoiceResult.VOICE_RESULT_DATA_CORRUPTED,
    size: 0,
    uncompressed: new Uint8Array(0),
  });
});

t.test(
  'a rate out of range, and a voice that is no Uint8Array, throw as in the embedded Steam',
  async (t) => {
    const { steam } = decoder(960);
    for (const rate of [11_024, 48_001, 24_000.5, Number.NaN]) {
      t.throws(() => steam.decompressVoice(PACKET, rate), { code: 'ERR_HOTMIC_SAMPLE_RATE' }, `${rate}`);
    }
    t.throws(() => steam.decompressVoice([1, 2] as unknown as Uint8Array, 24_000), TypeError);
  },
);

t.test(
  'callbacks come as signals in their order; unreadable ones are counted, and other calls’ results are left out',
  async (t) => {
    const message = (id: number, payload: number[] | null, call = 0n): SteamMessage => ({
      id,
      call,
      payload: payload === null ? null : Uint8Array.from(payload),
    });
    const steam = steamOf({
      runCallbacks: () => [
        message(101, [0]),
        message(199, [1, 2, 3]),
        message(103, [3, 0]),
        message(103, [3, 0, 0, 0]),
        message(154, [1, 0, 0, 0], 7n),
        message(165, null, 8n),
        message(154, [1, 0, 0, 0], 9n),
      ],
      requestEncryptedAppTicket: () => 7n,
      requestStoreAuthURL: () => 8n,
    });
    steam.requestEncryptedAppTicket(new Uint8Array(0));
    steam.requestStoreAuthURL('https://shop.example');
    t.same(steam.runCallbacks(), [
      { signal: 'steam_server_connected', keys: {}, call: 0n },
      { signal: 'steam_server_disconnected', keys: { result: 3 }, call: 0n },
      { signal: 'encrypted_app_ticket_response', keys: { result: 1 }, call: 7n },
      { signal: 'store_auth_url_response', keys: null, call: 8n },
    ]);
    t.equal(steam.unreadCallbacks, 2);
  },
);

t.test('a thread that does not get the callbacks has no signals', async (t) => {
  t.same(steamOf({ runCallbacks: () => null }).runCallbacks(), []);
});

t.test('what the library cannot do throws, and is not faked', async (t) => {
  const old = steamOf({ getAuthSessionTicket: () => null, getAuthTicketForWebApi: () => null });
  const unsupported = { code: 'ERR_HOTMIC_STEAM_UNSUPPORTED' };
  t.throws(() => old.getAuthSessionTicket(76561198000000001n), unsupported);
  t.throws(() => old.getAuthTicketForWebApi('service'), unsupported);
});

t.test('after close() voice is not initialized, all else throws, and the addon is let go once', async (t) => {
  let closes = 0;
  const steam = steamOf({
    close: () => {
      closes += 1;
    },
  });
  steam.close();
  steam.close();
  t.equal(closes, 1);
  const empty = new Uint8Array(0);
  t.same(steam.getAvailableVoice(), { result: CLOSED, buffer: 0 });
  t.same(steam.getVoice(), { result: CLOSED, written: 0, buffer: empty });
  t.equal(steam.getVoiceInto(new Uint8Array(8)), -CLOSED);
  t.same(steam.decompressVoice(PACKET, 24_000), { result: CLOSED, size: 0, uncompressed: empty });
  const closed = { code: 'ERR_HOTMIC_STEAM_CLOSED' };
  t.throws(() => steam.getSteamID(), closed);
  t.throws(() => steam.runCallbacks(), closed);
  t.doesNotThrow(() => steam.startVoiceRecording(), 'nothing starts');
  t.doesNotThrow(() => steam.stopVoiceRecording());
  t.throws(() => steam.getVoiceOptimalSampleRate(), closed);
});
