/** That a subject really did the work it is timed for: what it made is held against ours. */

import { OpusDecoder } from '../../wasm/codec.js';
import { concat, FRAME, SETTINGS } from './subject.js';

/** Of the bit rate, and of the energy of what a packet decodes to. */
const MOST_RATE_OFF = 0.25;
const MOST_LEVEL_OFF_DB = 1;

/** Decoders of all versions of libopus make the same sound, but for the last bits. */
const LEAST_DECODER_SNR_DB = 40;

type Named = { readonly subject: string; readonly form: string };
type Sound = Int16Array | Float32Array;

/** What is wrong with `packets`, made from the speech of which ours made `own`, which decode to `ownPcm`. */
export function encodeFaults(
  { subject, form }: Named,
  packets: readonly Uint8Array[],
  own: readonly Uint8Array[],
  ownPcm: Sound,
): string[] {
  const name = `${subject}, encode, ${form}`;
  if (packets.length !== own.length) return [`${name}: ${packets.length} packets, wants ${own.length}`];
  const faults: string[] = [];
  const bytes = packets.reduce((sum, packet) => sum + packet.length, 0);
  const bitrate = (bytes * 8 * SETTINGS.rateHz) / (packets.length * FRAME);
  if (Math.abs(bitrate / SETTINGS.bitrate - 1) > MOST_RATE_OFF) {
    faults.push(`${name}: ${Math.round(bitrate)} bit/s, wants about ${SETTINGS.bitrate}`);
  }
  const offDb = levelDb(decodeAll(packets)) - levelDb(ownPcm);
  if (!(Math.abs(offDb) <= MOST_LEVEL_OFF_DB)) faults.push(`${name}: ${offDb.toFixed(1)} dB off our level`);
  return faults;
}

/** What is wrong with `pcm`, decoded from the packets from which ours decoded `ownPcm`. */
export function decodeFaults({ subject, form }: Named, pcm: Sound, ownPcm: Sound): string[] {
  const name = `${subject}, decode, ${form}`;
  if (pcm.length !== ownPcm.length) return [`${name}: ${pcm.length} samples, wants ${ownPcm.length}`];
  const [ours, theirs] = [concat([ownPcm]), concat([pcm])];
  let [signal, noise] = [0, 0];
  ours.forEach((sample, i) => {
    signal += sample ** 2;
    noise += (sample - theirs[i]!) ** 2;
  });
  const snrDb = 10 * Math.log10(signal / noise);
  return snrDb > LEAST_DECODER_SNR_DB ? [] : [`${name}: ${snrDb.toFixed(1)} dB from ours`];
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
