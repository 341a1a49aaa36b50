/** Checks that a subject really did the work it is timed for: its output is compared with ours. */

import { OpusDecoder } from '../../wasm/codec.js';
import { concat, FRAME, SETTINGS } from './subject.js';

/** The largest deviation of the bit rate, as a share, and of the decoded level. */
const MAX_RATE_DEVIATION = 0.25;
const MAX_LEVEL_DEVIATION_DB = 1;

/** Decoders of all versions of libopus produce the same sound, apart from the last bits. */
const MIN_DECODER_SNR_DB = 40;

type Named = { readonly subject: string; readonly form: string };
type Sound = Int16Array | Float32Array;

/** What is wrong with `packets`. From the same speech, our encoder made `own`, which decode to `ownPcm`. */
export function encodeFaults(
  { subject, form }: Named,
  packets: readonly Uint8Array[],
  own: readonly Uint8Array[],
  ownPcm: Sound,
): string[] {
  const name = `${subject}, encode, ${form}`;
  if (packets.length !== own.length) return [`${name}: ${packets.length} packets, expected ${own.length}`];
  const faults: string[] = [];
  const bytes = packets.reduce((sum, packet) => sum + packet.length, 0);
  const bitrate = (bytes * 8 * SETTINGS.rateHz) / (packets.length * FRAME);
  if (Math.abs(bitrate / SETTINGS.bitrate - 1) > MAX_RATE_DEVIATION) {
    faults.push(`${name}: ${Math.round(bitrate)} bit/s, expected about ${SETTINGS.bitrate}`);
  }
  const offDb = levelDb(decodeAll(packets)) - levelDb(ownPcm);
  if (!(Math.abs(offDb) <= MAX_LEVEL_DEVIATION_DB))
    faults.push(`${name}: ${offDb.toFixed(1)} dB from our level`);
  return faults;
}

/** What is wrong with `pcm`. From the same packets, our decoder made `ownPcm`. */
export function decodeFaults({ subject, form }: Named, pcm: Sound, ownPcm: Sound): string[] {
  const name = `${subject}, decode, ${form}`;
  if (pcm.length !== ownPcm.length) return [`${name}: ${pcm.length} samples, expected ${ownPcm.length}`];
  const [ours, theirs] = [concat([ownPcm]), concat([pcm])];
  let [signal, noise] = [0, 0];
  ours.forEach((sample, i) => {
    signal += sample ** 2;
    noise += (sample - theirs[i]!) ** 2;
  });
  const snrDb = 10 * Math.log10(signal / noise);
  return snrDb > MIN_DECODER_SNR_DB ? [] : [`${name}: ${snrDb.toFixed(1)} dB from ours`];
}

function decodeAll(packets: readonly Uint8Array[]): Int16Array {
  const decoder = new OpusDecoder(SETTINGS.rateHz);
  const pcm = new Int16Array(packets.length * FRAME);
  packets.forEach((packet, i) => {
    decoder.decode(packet, 0, packet.length, pcm, i * FRAME);
  });
  decoder.free();
  return pcm;
}

function levelDb(sound: Sound): number {
  const energy = concat([sound]).reduce((sum, sample) => sum + sample ** 2, 0);
  return 10 * Math.log10(energy / sound.length);
}
