/** Compresses a tone to Steam Voice packets and back, without Steam: node dist/examples/packets_to_wav.js tone.wav */

import { writeFileSync } from 'node:fs';
import { personSteamId, readPacket, VoiceResult } from 'hotmic';
import { loadCodec, VoiceDecoder, VoiceEncoder } from 'hotmic/codec';
import { exportWav } from 'hotmic/record';

const [path = 'tone.wav'] = process.argv.slice(2);
loadCodec();
const encoder = new VoiceEncoder(personSteamId(1));
const decoder = new VoiceDecoder(24_000);
const packet = new Uint8Array(8192);
const pcm = new Int16Array(2 * 24_000);
let samples = 0;

encoder.write(
  Int16Array.from({ length: 24_000 }, (_, i) => 8000 * Math.sin((2 * Math.PI * 440 * i) / 24_000)),
);
encoder.end();
for (let bytes = encoder.read(packet); bytes > 0; bytes = encoder.read(packet)) {
  const voice = packet.subarray(0, bytes);
  console.log(`${bytes} bytes, ${readPacket(voice).ops.length} ops`);
  const decoded = decoder.decompress(voice, pcm, samples);
  if (decoded.result !== VoiceResult.VOICE_RESULT_OK) throw new Error(`VoiceResult ${decoded.result}`);
  samples += decoded.samples;
}
writeFileSync(path, exportWav(pcm.subarray(0, samples), 24_000));
console.log(`${path}: ${samples / 24_000} s`);
encoder.free();
decoder.free();
