/**
 * The last three packets of a real recording, byte for byte, with the SteamID replaced by account 1 and the CRC computed
 * anew. They hold no voice: DTX frames, the end-of-recording marker and a count of silence.
 */

import { bytesOfHex } from './hex.js';

/** Two groups: one DTX frame, then three. */
export const TWO_GROUPS_OF_DTX = bytesOfHex(`
  01000000 01001001
  0bc05d 060500 010082 0168
  0bc05d 060f00 010083 0168 010084 0168 010085 0168
  8243666d`);

/** Two groups: two DTX frames, then four and the marker. */
export const END_OF_RECORDING_PACKET = bytesOfHex(`
  01000000 01001001
  0bc05d 060a00 010086 0168 010087 0168
  0bc05d 061600 010088 0168 010089 0168 01008a 0168 01008b 0168 ffff
  bf9dc744`);

/** The last one: 750 samples of silence. */
export const SILENCE_PACKET = bytesOfHex(`
  01000000 01001001
  0bc05d 00ee02
  39b9fced`);

/** All three by name, in the order in which they were sent. */
export const goldenPackets: Readonly<Record<string, Uint8Array>> = {
  two_groups_of_dtx: TWO_GROUPS_OF_DTX,
  end_of_recording: END_OF_RECORDING_PACKET,
  silence: SILENCE_PACKET,
};
