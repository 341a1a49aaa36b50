/** A speaker's decoder over a scripted decompressVoice: the buffer it makes and keeps, the PCM it returns, what it refuses. */

import fc from 'fast-check';
import t from 'tap';
import { SpeakerDecoder } from '../../native/speaker_decoder.js';
import type { VoiceResult } from '../../voice/voice_result.js';
import { NO_BYTES, openScripted, ScriptedUser } from './scripted_user.js';

const PACKET = Uint8Array.of(1, 2, 3);
const MAX_ROOM_BYTES = 4 * 1024 * 1024;

/** A Steam whose packets need so many bytes of PCM, one after another. */
function wanting(...sizes: number[]): ScriptedUser {
  const under = new ScriptedUser();
  under.answers.decompressVoice = (_voice, _rate, room = 0) => {
    const size = sizes[0] ?? 0;
    if (size > room) return { result: 4, size, uncompressed: NO_BYTES };
    sizes.shift();
    return { result: 0, size, uncompressed: new Uint8Array(size).fill(7) };
  };
  return under;
}

const rooms = (under: ScriptedUser) => under.argumentsOf('decompressVoice').map(([, , room]) => room);

t.test('its rate is Steam’s optimal one unless another is given, 11025 to 48000', async (t) => {
  const { steam, under } = openScripted();
  under.answers.getVoiceOptimalSampleRate = () => 22_050;
  t.equal(steam.createSpeakerDecoder().sampleRateHz, 22_050);
  for (const sampleRateHz of [11_025, 48_000]) {
    t.equal(steam.createSpeakerDecoder({ sampleRateHz }).sampleRateHz, sampleRateHz);
  }
  for (const sampleRateHz of [0, 11_024, 48_001, 24_000.5, Number.NaN, '24000' as never]) {
    t.throws(() => steam.createSpeakerDecoder({ sampleRateHz }), /expected 11025 to 48000/);
  }
});

t.test('a packet is decoded at its rate into 20480 bytes of room', async (t) => {
  const under = wanting(4);
  const decoder = new SpeakerDecoder(under, { sampleRateHz: 48_000 });
  t.equal(decoder.roomBytes, 20_480);
  t.strictSame(decoder.decode(PACKET), {
    kind: 'pcm',
    pcm: Int16Array.of(0x0707, 0x0707),
    sampleRateHz: 48_000,
  });
  t.strictSame(under.argumentsOf('decompressVoice'), [[PACKET, 48_000, 20_480]]);
});

t.test('a packet that needs more gets it with a second call, and the buffer stays that large', async (t) => {
  const under = wanting(20_482, 20_482, 10, 65_536);
  const decoder = new SpeakerDecoder(under, { sampleRateHz: 24_000 });
  const samples = [1, 2, 3, 4].map(() => {
    const decoded = decoder.decode(PACKET);
    return decoded.kind === 'pcm' ? decoded.pcm.length : -1;
  });
  t.strictSame(samples, [10_241, 10_241, 5, 32_768]);
  t.strictSame(rooms(under), [20_480, 20_482, 20_482, 20_482, 20_482, 65_536]);
  t.equal(decoder.roomBytes, 65_536);
});

t.test('more than 4 MiB is refused, and no room is made for it', async (t) => {
  const under = wanting(MAX_ROOM_BYTES + 2);
  const decoder = new SpeakerDecoder(under, { sampleRateHz: 24_000 });
  t.strictSame(decoder.decode(PACKET), { kind: 'refused', result: 4 });
  t.strictSame(rooms(under), [20_480]);
  t.equal(decoder.roomBytes, 20_480);
  const most = new SpeakerDecoder(wanting(MAX_ROOM_BYTES), { sampleRateHz: 24_000 });
  t.equal(most.decode(PACKET).kind, 'pcm');
});

t.test('whatever size Steam asks for, a packet costs two calls at most', async (t) => {
  const size = fc.oneof(fc.nat(100_000), fc.constantFrom(0, 20_480, 2 ** 32 - 1, -1, Number.NaN));
  fc.assert(
    fc.property(fc.array(size, { minLength: 1, maxLength: 6 }), (sizes) => {
      const under = new ScriptedUser();
      let call = 0;
      under.answers.decompressVoice = () => ({
        result: 4,
        size: sizes[call++ % sizes.length] ?? 0,
        uncompressed: NO_BYTES,
      });
      const decoder = new SpeakerDecoder(under, { sampleRateHz: 24_000 });
      const decoded = decoder.decode(PACKET);
      return decoded.kind === 'refused' && decoded.result === 4 && call <= 2;
    }),
  );
  t.pass();
});

t.test('a Steam that asks for no more than it had is not called again', async (t) => {
  const under = new ScriptedUser();
  under.answers.decompressVoice = () => ({ result: 4, size: 20_480, uncompressed: NO_BYTES });
  const decoder = new SpeakerDecoder(under, { sampleRateHz: 24_000 });
  t.strictSame(decoder.decode(PACKET), { kind: 'refused', result: 4 });
  t.strictSame(rooms(under), [20_480]);
});

t.test('room is kept only for a packet that was sound', async (t) => {
  const under = new ScriptedUser();
  const answers = [
    { result: 4 as VoiceResult, size: MAX_ROOM_BYTES, uncompressed: NO_BYTES },
    { result: 5 as VoiceResult, size: 0, uncompressed: NO_BYTES },
  ];
  under.answers.decompressVoice = () => answers.shift() ?? { result: 0, size: 0, uncompressed: NO_BYTES };
  const decoder = new SpeakerDecoder(under, { sampleRateHz: 24_000 });
  t.strictSame(decoder.decode(PACKET), { kind: 'refused', result: 5 });
  t.equal(decoder.roomBytes, 20_480, 'a packet that lies does not cost memory for ever');
});

t.test('what Steam refuses comes back as its result, and is never thrown', async (t) => {
  for (const result of [1, 5, 6, 7, 8, 9, 77] as VoiceResult[]) {
    const under = new ScriptedUser();
    under.answers.decompressVoice = () => ({ result, size: 0, uncompressed: NO_BYTES });
    const decoder = new SpeakerDecoder(under, { sampleRateHz: 24_000 });
    t.strictSame(decoder.decode(PACKET), { kind: 'refused', result });
  }
});

t.test('PCM has the samples of the bytes, wherever in memory they lie', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -32_768, max: 32_767 })), fc.nat(3), (samples, before) => {
      const memory = new Uint8Array(before + samples.length * 2);
      const view = new DataView(memory.buffer);
      for (const [index, sample] of samples.entries()) view.setInt16(before + index * 2, sample, true);
      const under = new ScriptedUser();
      const uncompressed = memory.subarray(before);
      under.answers.decompressVoice = () => ({ result: 0, size: uncompressed.length, uncompressed });
      const decoded = new SpeakerDecoder(under, { sampleRateHz: 24_000 }).decode(PACKET);
      return decoded.kind === 'pcm' && JSON.stringify([...decoded.pcm]) === JSON.stringify(samples);
    }),
  );
  t.pass();
});

t.test('a closed Steam’s decoder refuses with NOT_INITIALIZED', async (t) => {
  const { steam } = openScripted();
  const decoder = steam.createSpeakerDecoder();
  steam.close();
  t.strictSame(decoder.decode(PACKET), { kind: 'refused', result: 1 });
});
