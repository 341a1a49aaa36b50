/** Microphones and sound outputs, as the tools of this machine name them. */

/** `capture`: microphones. `play`: outputs. */
export type Direction = 'capture' | 'play';

export interface SoundDevice {
  /** What the tool calls it, to be passed to it. */
  readonly id: string;
  /** What people call it. */
  readonly label: string;
  readonly isDefault: boolean;
  /** `monitor`: not a microphone, but what an output plays. */
  readonly kind: 'device' | 'monitor';
}

/** A program that ran to its end. */
export interface ToolRun {
  /** Null: it was killed, or did not end in time. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a tool says about the devices of this machine, or why it cannot be used. */
export type Listing =
  | { readonly kind: 'devices'; readonly devices: readonly SoundDevice[] }
  /** It plays and records, but cannot list. */
  | { readonly kind: 'unlisted' }
  | { readonly kind: 'unusable'; readonly reason: string };

/** The device that a person asked for. */
export type DeviceMatch =
  | { readonly kind: 'found'; readonly device: SoundDevice }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'ambiguous'; readonly devices: readonly SoundDevice[] };

/** Finds `wanted`: an exact id, or else any part of one id or label. */
export function findDevice(devices: readonly SoundDevice[], wanted: string): DeviceMatch {
  const exact = devices.find(({ id, label }) => id === wanted || label === wanted);
  if (exact) return { kind: 'found', device: exact };
  const part = wanted.toLowerCase();
  const near = devices.filter(({ id, label }) =>
    [id, label].some((text) => text.toLowerCase().includes(part)),
  );
  // A part of a name means a microphone rather than what an output plays.
  const proper = near.filter(({ kind }) => kind === 'device');
  const matches = proper.length > 0 ? proper : near;
  if (matches.length === 1) return { kind: 'found', device: matches[0]! };
  return matches.length === 0 ? { kind: 'unknown' } : { kind: 'ambiguous', devices: matches };
}
