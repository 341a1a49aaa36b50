/** Steam's decoder in playout: it plays what arrives, ours plays the rest. */

import t from 'tap';
import { SpeakerPlayout } from '../../../client/playout/speaker_playout.js';
import { SteamDecoders, type SteamVoiceDecoder } from '../../../client/playout/steam_decoder.js';
import { VoiceResult } from '../../../voice/voice_result.js';
import { VoiceDecompressor } from '../../../wasm/index.js';
import { loadCodec } from '../../../wasm/load.js';
import { codecLiveBytes } from '../../../wasm/module.js';
import { type Arrival, overNetwork, talk } from '../../kit/playout/run.js';
import { tonePcm } from '../../kit/tone.js';

loadCodec();

const TONE = overNetwork(talk(tonePcm(1), { dtx: false }), () => 30);

/** What is heard in 1.5 s, in pulls of 20 ms. */
function play(arrivals: readonly Arrival[], steam: SteamVoiceDecoder | null) {
  const decoders = steam && new SteamDecoders(steam);
  const playout = new SpeakerPlayout(
    { minDelayMs: 60 },
    decoders ? () => decoders.make(1, 0x01100001) : undefined,
  );
  const pcm = new Int16Array(75 * 480);
  let next = 0;
  for (let pull = 0; pull < 75; pull++) {
    const now = 20 * pull;
    for (; next < arrivals.length && arrivals[next]!.at <= now; next++)
      playout.push(arrivals[next]!.header, arrivals[next]!.packet, arrivals[next]!.at);
    playout.pull(pcm.subarray(480 * pull, 480 * (pull + 1)), now);
  }
  const counts = playout.counts();
  playout.close();
  return { pcm, counts, steam: decoders?.counts() };
}

/** A Steam whose every sample is the same. */
const answering = (result: number, samples: number, value = 5000): SteamVoiceDecoder => ({
  decompressVoice: () => ({
    result,
    uncompressed: new Uint8Array(new Int16Array(samples).fill(value).buffer),
  }),
});

t.test('a Steam that decodes as we do sounds the same, to the sample', async (t) => {
  const steam = new VoiceDecompressor({ clock: () => 0 });
  const ours = play(TONE, null);
  const theirs = play(TONE, steam);
  t.same(theirs.pcm, ours.pcm);
  t.same(theirs.counts, ours.counts);
  t.same(theirs.steam, { decodedFrames: 50, refusedFrames: 0 });
  steam.free();
});

t.test("what is heard is Steam's, except for what is missing", async (t) => {
  const lossy = TONE.filter((_, at) => at !== 20);
  const { pcm, counts, steam } = play(lossy, answering(VoiceResult.VOICE_RESULT_OK, 480));
  const steady = pcm.filter((sample) => sample === 5000).length;
  t.ok(steady > 45 * 480, `${steady} samples are Steam's`);
  t.equal(counts.concealedSamples, 480);
  t.same(steam, { decodedFrames: 49, refusedFrames: 0 });
});

t.test('a Steam that refuses, or makes another length, leaves the frame to ours', async (t) => {
  const ours = play(TONE, null);
  for (const steam of [
    answering(VoiceResult.VOICE_RESULT_DATA_CORRUPTED, 480),
    answering(VoiceResult.VOICE_RESULT_OK, 0),
    answering(VoiceResult.VOICE_RESULT_OK, 481),
  ]) {
    const got = play(TONE, steam);
    t.same(got.pcm, ours.pcm);
    t.same(got.steam, { decodedFrames: 0, refusedFrames: 50 });
  }
});

t.test('nothing is left in the codec', async (t) => {
  const before = codecLiveBytes();
  play(TONE, answering(VoiceResult.VOICE_RESULT_OK, 480));
  t.equal(codecLiveBytes(), before);
});
