/** What a lobby's voice measures about itself, in ms and counts. */

import { type Milliseconds, msOfSamples } from '../../voice/units.js';
import type { PlayoutCounts } from '../playout/speaker_playout.js';
import type { SteamDecoderCounts } from '../playout/steam_decoder.js';
import type { LobbyCounts } from '../session/counter.js';
import type { PublisherCounts } from '../talking/publisher.js';

/** How we hear somebody who has spoken. Totals since they were first heard. */
export interface SpeakerStatistics {
  readonly steamId: bigint;
  /** Of the playout now, against the fastest of their recent packets: what the network and the sound output make necessary. */
  readonly delayMs: Milliseconds;
  /** What the delay should be. */
  readonly targetDelayMs: Milliseconds;
  /** How much the delay of packets differs from one to the next: the interarrival jitter of RFC 3550. */
  readonly jitterMs: Milliseconds;
  readonly packets: number;
  /** Packets that came when their time was over. */
  readonly latePackets: number;
  /** Sound that never came in time. */
  readonly lostMs: Milliseconds;
  /** Sound that was made up for what had not come. */
  readonly concealedMs: Milliseconds;
  /** Added and removed by time-scale modification, to follow the wanted delay. */
  readonly stretchedMs: Milliseconds;
  readonly shortenedMs: Milliseconds;
  /** Sound that came and was left out, to catch up. */
  readonly skippedMs: Milliseconds;
  /** How often sound was due and nothing was there. */
  readonly underruns: number;
}

/** Everything that a lobby's voice counts. */
export interface VoiceStatistics {
  /** How often we reconnected. */
  readonly reconnects: number;
  /** People who were heard and are here, in no order. */
  readonly speakers: readonly SpeakerStatistics[];
  /** Voice frames of this connection: sent, received, missed, dropped. */
  readonly lobby: LobbyCounts;
  /** Of all microphones that were used. */
  readonly microphone: PublisherCounts;
  /** How often a speaker lost their decoder to another one: see `LobbyPlayoutOptions.maxSpeakers`. */
  readonly evictedSpeakers: number;
  /** Sound that the limiter lowered, because all together were louder than -3 dBFS. */
  readonly limitedMs: Milliseconds;
  /** Null without `VoiceOptions.decoder`. */
  readonly steamDecoder: SteamDecoderCounts | null;
}

export function speakerStatistics(steamId: bigint, counts: PlayoutCounts): SpeakerStatistics {
  const { delayMs, targetDelayMs, jitterMs, packets, latePackets, underruns } = counts;
  return {
    ...{ steamId, delayMs, targetDelayMs, jitterMs, packets, latePackets, underruns },
    lostMs: msOfSamples(counts.lostSamples),
    concealedMs: msOfSamples(counts.concealedSamples),
    stretchedMs: msOfSamples(counts.stretchedSamples),
    shortenedMs: msOfSamples(counts.shortenedSamples),
    skippedMs: msOfSamples(counts.skippedSamples),
  };
}
