/** What a jitter buffer says to play. */

import type { Samples } from '../units.js';
import type { QueuedEntry } from './frame_queue.js';

/** What to play next. The buffer reuses the objects: valid until the next call. */
export interface Popped {
  /**
   * `frame`: decode `frame`. `conceal`: make `samples` of missing sound. `silence`: play `samples` of silence. `feed`: decode `frame` for the
   * decoder's state, and play nothing.
   */
  kind: 'frame' | 'feed' | 'conceal' | 'silence';
  /** Whether what is played, or was last played before missing sound, is DTX: `silence` is. */
  sound: 'speech' | 'dtx';
  /** Of a frame, the Opus packet and what it decodes to; for `conceal`, the frame after the gap, if its in-band FEC is that of the gap. */
  frame: QueuedEntry | null;
  /** Media position of the first sample to be played; null outside a talkspurt. `position >>> 0` is its timestamp. */
  position: Samples | null;
  /** To be played, at least 1. Of a frame these are the last ones. */
  samples: Samples;
  /** The media time that they stand for: differs for a silence that was made longer or shorter. */
  mediaSamples: Samples;
  /** The decoder has to be reset before this frame. */
  decoder: 'continues' | 'resets';
  /** Whether this continues what was played before it. */
  seam: 'none' | 'jump';
  /** Concealed sound in a row before this, not counting it. */
  concealedBefore: Samples;
  /** Above 0: remove up to this much of the sound, which has too much delay. Below 0: add up to so much. */
  excess: Samples;
}

export function newPopped(): Popped {
  return fillPopped({} as Popped, 'silence', null, null, 0);
}

/** Sets what is played, and all else as for sound that continues what was before it. */
export function fillPopped(
  popped: Popped,
  kind: Popped['kind'],
  frame: QueuedEntry | null,
  position: Samples | null,
  samples: Samples,
): Popped {
  popped.kind = kind;
  popped.sound = 'dtx';
  popped.frame = frame;
  popped.position = position;
  popped.samples = samples;
  popped.mediaSamples = samples;
  popped.decoder = 'continues';
  popped.seam = 'none';
  popped.concealedBefore = 0;
  popped.excess = 0;
  return popped;
}
