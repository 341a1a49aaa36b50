/** A microphone that is given PCM: what is sent is what was said while the key was down, and the tail. */

import t from 'tap';
import { PcmMicrophone, type PcmMicrophoneOptions } from '../../../client/talking/pcm_microphone.js';
import { CaptureTag, captureKind, endRequest } from '../../../voice/capture_tag.js';
import { packetSamples, readPacket } from '../../../voice/packet.js';
import { personSteamId } from '../../../voice/steam_id.js';
import { VoiceDecoder } from '../../../wasm/decompress.js';
import { compileProcessing, loadCodec } from '../../../wasm/load.js';
import { codecLiveBytes } from '../../../wasm/module.js';
import { MicrophoneProcessor } from '../../../wasm/processing.js';
import { compareSpeech, pcmOfWav } from '../../kit/speech.js';
import { tonePcm } from '../../kit/tone.js';
import { simulatedIo } from '../simulated_io.js';

loadCodec();

const ADA = personSteamId(1);

function microphone(options: Partial<PcmMicrophoneOptions> = {}) {
  const { io, tick } = simulatedIo();
  return { tick, microphone: new PcmMicrophone({ steamId: ADA, sampleRateHz: 24_000, ...options }, io) };
}

/** All that waits: the kind of each entry, and the sound. */
function readAll({ ring }: PcmMicrophone) {
  const kinds: string[] = [];
  const decoder = new VoiceDecoder(24_000);
  const pcm: number[] = [];
  let samples = 0;
  let request = -1;
  for (let entry = ring.read(); entry; entry = ring.read()) {
    const kind = captureKind(entry.tag);
    kinds.push(kind === CaptureTag.end ? 'end' : kind === CaptureTag.draining ? 'tail' : 'voice');
    if (kind === CaptureTag.end) request = endRequest(entry.tag);
    else {
      const read = readPacket(entry.bytes);
      if (read.kind === 'packet') samples += packetSamples(read);
      pcm.push(...decoder.decompressPcm(entry.bytes).pcm);
    }
    ring.release();
  }
  decoder.free();
  return { kinds, request, samples, pcm: Int16Array.from(pcm) };
}

t.test('nothing from before key-down is recorded, and nothing after the tail', async (t) => {
  const { microphone: mic } = microphone({ hangoverMs: 100 });
  mic.write(tonePcm(1));
  t.same(readAll(mic).kinds, []);
  const request = mic.startVoiceRecording();
  mic.write(tonePcm(0.2));
  mic.stopVoiceRecording();
  mic.write(tonePcm(1));
  mic.write(tonePcm(1));
  const { kinds, samples, request: ended } = readAll(mic);
  t.equal(kinds[0], 'voice');
  t.ok(kinds.includes('tail'));
  t.equal(kinds.at(-1), 'end');
  t.equal(ended, request);
  // Of the packets' own silence after the end, only that there is some.
  t.ok(samples >= 0.3 * 24_000 && samples < 0.4 * 24_000, `${samples} samples of 7200 and the end`);
  mic.close();
});

t.test('what was said is what comes out, at any rate, from integers and floats', async (t) => {
  const speech = pcmOfWav('examples/speech/ada.wav').subarray(0, 72_000);
  const { microphone: mic } = microphone({ hangoverMs: 0 });
  mic.startVoiceRecording();
  for (let at = 0; at < speech.length; at += 240)
    mic.write(Float32Array.from(speech.subarray(at, at + 240), (sample) => sample / 32_767));
  mic.stopVoiceRecording();
  t.equal(compareSpeech(speech, readAll(mic).pcm).verdict, 'same');
  mic.close();
});

t.test('floats beyond full scale are clipped, and what is no number is silence', async (t) => {
  const { microphone: mic } = microphone({ hangoverMs: 0 });
  mic.startVoiceRecording();
  mic.write(Float32Array.from({ length: 480 }, (_, at) => (at % 2 === 0 ? 9 : Number.NaN)));
  mic.stopVoiceRecording();
  t.same(readAll(mic).kinds.at(-1), 'end');
  mic.close();
});

t.test('key-down in the tail goes on with the recording', async (t) => {
  const { microphone: mic } = microphone();
  mic.startVoiceRecording();
  mic.write(tonePcm(0.1));
  mic.stopVoiceRecording();
  mic.write(tonePcm(0.1));
  const second = mic.startVoiceRecording();
  mic.write(tonePcm(0.1));
  t.notOk(readAll(mic).kinds.includes('end'));
  mic.stopVoiceRecording();
  mic.write(tonePcm(0.2));
  const { kinds, request } = readAll(mic);
  t.equal(kinds.filter((kind) => kind === 'end').length, 1);
  t.equal(request, second);
  mic.close();
});

t.test('the recording also ends when no PCM comes any more', async (t) => {
  const { tick, microphone: mic } = microphone({ hangoverMs: 200 });
  mic.startVoiceRecording();
  mic.write(tonePcm(0.1));
  mic.stopVoiceRecording();
  tick(699);
  t.notOk(readAll(mic).kinds.includes('end'));
  tick(2);
  t.equal(readAll(mic).kinds.at(-1), 'end');
  mic.close();
});

t.test('close ends what is recorded, once, and frees the encoder', async (t) => {
  const before = codecLiveBytes();
  const { microphone: mic } = microphone();
  mic.startVoiceRecording();
  mic.write(tonePcm(0.1));
  mic.close();
  mic.close();
  mic.write(tonePcm(0.1));
  mic.startVoiceRecording();
  mic.stopVoiceRecording();
  const { kinds } = readAll(mic);
  t.equal(kinds.at(-1), 'end');
  t.equal(mic.ring.closed, true);
  t.equal(codecLiveBytes(), before);
});

t.test('a processor works before, and still nothing from before key-down is recorded', async (t) => {
  const processor = new MicrophoneProcessor(compileProcessing(), {
    sampleRateHz: 24_000,
    noiseSuppression: true,
    echoCancellation: true,
  });
  const { microphone: mic } = microphone({ hangoverMs: 0, processor });
  // Not in steps of the processor's 10 ms.
  const write = (pcm: Int16Array) => {
    for (let at = 0; at < pcm.length; at += 250) mic.write(pcm.subarray(at, at + 250));
  };
  write(tonePcm(1, 1000));
  mic.write(tonePcm(0.003, 1000));
  mic.startVoiceRecording();
  write(new Int16Array(12_000));
  mic.stopVoiceRecording();
  write(new Int16Array(2400));
  const { kinds, pcm } = readAll(mic);
  t.equal(kinds.at(-1), 'end');
  const loudest = pcm.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  t.ok(loudest < 300, `${loudest}: the tone had 11,000`);
  mic.close();
});

t.test('with a processor the last word is whole, and its rate is that of the PCM', async (t) => {
  const processor = new MicrophoneProcessor(compileProcessing(), {
    sampleRateHz: 24_000,
    noiseSuppression: true,
  });
  const { microphone: mic } = microphone({ hangoverMs: 0, processor });
  mic.startVoiceRecording();
  mic.write(tonePcm(0.5));
  mic.stopVoiceRecording();
  mic.write(new Int16Array(2400));
  const { kinds, samples } = readAll(mic);
  t.equal(kinds.at(-1), 'end');
  t.ok(samples >= 12_000, `${samples} of 12,000, and the end`);
  t.throws(() => microphone({ sampleRateHz: 48_000, processor }), RangeError);
  mic.close();
});

t.test('options out of their range are refused', async (t) => {
  for (const options of [
    { hangoverMs: -1 },
    { hangoverMs: 2001 },
    { sampleRateHz: 7999 },
    { steamId: 1 as never },
  ])
    t.throws(() => microphone(options));
});
