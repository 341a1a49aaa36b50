/**
 * The numbers that Steam Voice fixes, and the units they are in.
 *
 * A number has its unit in its name, or one of these aliases as its type.
 */

/** A span or an instant in milliseconds. Instants are on one monotonic clock, given by the caller. */
export type Milliseconds = number;

/** A count of mono samples. */
export type Samples = number;

/** Samples per second of everything that Steam records, and of the media clock on the wire. */
export const VOICE_RATE_HZ = 24_000;

/** Length of one of Steam's Opus frames. */
export const FRAME_MS = 20;

/** Samples of one of Steam's Opus frames, at `VOICE_RATE_HZ`. */
export const FRAME_SAMPLES: Samples = (VOICE_RATE_HZ * FRAME_MS) / 1000;

/** The largest Steam Voice packet that our getVoice makes and our relay passes. */
export const MAX_PACKET_BYTES = 8192;

/** Bytes of one sample of PCM: signed 16 bit, little-endian. */
export const BYTES_PER_SAMPLE = 2;

/** Samples at `VOICE_RATE_HZ` that take `ms`, to the nearest whole one. */
export function samplesOfMs(ms: Milliseconds): Samples {
  return Math.round((ms * VOICE_RATE_HZ) / 1000);
}

/** How long `samples` at `VOICE_RATE_HZ` take. */
export function msOfSamples(samples: Samples): Milliseconds {
  return (samples * 1000) / VOICE_RATE_HZ;
}
