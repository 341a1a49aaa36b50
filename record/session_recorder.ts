/**
 * Records a session live: one WAV a speaker, all on one sample clock and of one length, and a mix of them when it is over.
 *
 * Takes decoded PCM with what its voice frame's header said. A speaker is a SteamID: who leaves and comes back goes on in the
 * same track. One track's failure is that track's: the others go on.
 *
 * Bounds: `maxTracks` tracks, each at most 10 s and 0.1 % longer than the recording has really gone on. So all files together grow by 48 kB
 * per second and track, and once more by 48 kB per second for the mix.
 */

import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HotmicError } from '../voice/error.js';
import { furthestMs, RecordingClock } from '../voice/recording_clock.js';
import { timestampDelta } from '../voice/sequence.js';
import { SpeakerTimeline } from '../voice/timeline.js';
import { type Milliseconds, type Samples, samplesOfMs, VOICE_RATE_HZ } from '../voice/units.js';
import { makeFolder } from './make_folder.js';
import { mixTracks } from './mix.js';
import { claimFileName, foldedName, trackFileName } from './track_name.js';
import { fileError, type OpenWavFile } from './wav_file.js';
import { MAX_WAV_SAMPLES, WavWriter } from './wav_writer.js';

export interface SessionRecorderOptions {
  /** The relay's time when the recording begins: ms, 32 bit. Sample 0 of every track. Default: see `begin`. */
  readonly originRelayTimeMs?: number;
  /** What to do where a file of that name is there already: number the new one, or replace it. Default `number`. */
  readonly existing?: 'number' | 'replace';
  /** Speakers that get a track, 1 to 256. Default 64. */
  readonly maxTracks?: number;
  /** PCM of one track that waits for the disk, in bytes, 1 or more. Default 4 MiB. */
  readonly maxPendingBytes?: number;
  /** Told once a track, when it fails and the others go on. Must not throw. */
  readonly onTrackError?: (
    track: { readonly name: string; readonly steamId: bigint },
    error: HotmicError,
  ) => void;
  /**
   * How time really goes by, in ms: the relay's time and the speakers' are held to it. Whoever records faster than it was spoken, from packets
   * that were kept, gives the time at which each came. Default CLOCK_MONOTONIC.
   */
  readonly clock?: () => Milliseconds;
  /** In place of the file system, for the tracks. The mix reads and writes files. */
  readonly openFile?: OpenWavFile;
}

/** The PCM of one voice frame, and of whom. */
export interface RecordedFrame {
  /** The speaker's number in the lobby. Another one than before tells that the speaker came anew. */
  readonly slot: number;
  /** As the participant calls itself. The first one names the track. */
  readonly name: string;
  readonly steamId: bigint;
  readonly marker: boolean;
  /** Media clock of the first sample: 24 kHz, 32 bit. */
  readonly timestamp: number;
  /** The relay's clock: ms, 32 bit. */
  readonly relayTimeMs: number;
  /** At 24 kHz. Copied. */
  readonly pcm: Int16Array;
}

export interface RecordedTrack {
  readonly name: string;
  readonly steamId: bigint;
  readonly path: string;
  /** Length of the file: the session's, or less where the file failed. */
  readonly samples: Samples;
  /** Samples that did not get into the file, because it failed. */
  readonly refusedSamples: Samples;
  /** Why the track is not whole, or null. */
  readonly error: HotmicError | null;
}

export interface RecordedSession {
  /** In the order in which the speakers were first heard. */
  readonly tracks: readonly RecordedTrack[];
  /** Length of every track that did not fail. */
  readonly samples: Samples;
  /** Path of the mix; null where nobody spoke, or where `mixError` says why. */
  readonly mixPath: string | null;
  /** Samples of the mix that were held at the limit of 16 bit. */
  readonly clippedSamples: Samples;
  readonly mixError: HotmicError | null;
  /** Speakers beyond `maxTracks`, counted up to 1024, and their frames. */
  readonly refusedSpeakers: number;
  readonly refusedFrames: number;
  /** Frames that were left out because their speaker sent more sound than time went by. */
  readonly aheadFrames: number;
  /** Frames whose relay time lay too far ahead of the time that really went by, and were placed by that instead. */
  readonly disbelievedTimes: number;
}

/** Bound of what is remembered about speakers who get no track. */
const MAX_REFUSED_SPEAKERS = 1024;

interface Track {
  readonly name: string;
  readonly writer: WavWriter;
  readonly timeline: SpeakerTimeline;
  slot: number;
}

export class SessionRecorder {
  /** Where the tracks lie. */
  readonly folder: string;
  /** Frames of speakers beyond `maxTracks`, and those that came after `finish()`. */
  refusedFrames = 0;

  readonly #options: SessionRecorderOptions;
  readonly #maxTracks: number;
  readonly #takenNames: Set<string>;
  readonly #tracks = new Map<bigint, Track>();
  readonly #refusedSpeakers = new Set<bigint>();
  readonly #now: () => Milliseconds;
  #clock: RecordingClock | null = null;
  #finishing: Promise<RecordedSession> | null = null;

  private constructor(folder: string, options: SessionRecorderOptions, takenNames: Set<string>) {
    this.folder = folder;
    this.#options = options;
    this.#now = options.clock ?? (() => performance.now());
    if (options.originRelayTimeMs !== undefined) this.begin(options.originRelayTimeMs);
    this.#takenNames = takenNames;
    this.#maxTracks = options.maxTracks ?? 64;
    if (!Number.isInteger(this.#maxTracks) || this.#maxTracks < 1 || this.#maxTracks > 256) {
      throw new RangeError(`Cannot record a session: maxTracks is ${this.#maxTracks}, expected 1 to 256`);
    }
    const { maxPendingBytes = 1 } = options;
    if (!Number.isSafeInteger(maxPendingBytes) || maxPendingBytes < 1) {
      throw new RangeError(
        `Cannot record a session: maxPendingBytes is ${maxPendingBytes}, expected 1 or more`,
      );
    }
  }

  /**
   * Begins a recording in `folder`, which is made where it is missing.
   *
   * @throws HotmicError ERR_HOTMIC_FILE where the folder cannot be made, read or written to; RangeError where an option is out of its range.
   */
  static async create(folder: string, options: SessionRecorderOptions): Promise<SessionRecorder> {
    try {
      await makeFolder(folder);
      // Better now than when somebody speaks.
      const probe = join(folder, `.hotmic-${process.pid}`);
      await (await open(probe, 'w')).close();
      await rm(probe);
      const taken = options.existing === 'replace' ? [] : await readdir(folder);
      return new SessionRecorder(folder, options, new Set(taken.map(foldedName)));
    } catch (thrown) {
      throw thrown instanceof RangeError ? thrown : fileError('record a session in', folder, thrown);
    }
  }

  /** Speakers that were refused a track, counted up to 1024. */
  get refusedSpeakers(): number {
    return this.#refusedSpeakers.size;
  }

  /**
   * Says what the relay's time was when the recording began, for who learns it after the folder is there. Before the first
   * `take`, which otherwise begins the recording.
   */
  begin(originRelayTimeMs: number): void {
    this.#clock ??= new RecordingClock(originRelayTimeMs, this.#now());
  }

  /**
   * Takes the PCM of one voice frame. A speaker's frames come in the order in which they were spoken.
   *
   * @returns whether it is on its way to the disk: not where the track has failed, where there are `maxTracks` others, where more sound came
   * than time went by, or after `finish()`.
   */
  take(frame: RecordedFrame): boolean {
    if (this.#finishing) {
      this.refusedFrames += 1;
      return false;
    }
    this.begin(frame.relayTimeMs);
    const clock = this.#clock!;
    const track = this.#tracks.get(frame.steamId) ?? this.#openTrack(frame, clock);
    if (!track) {
      this.refusedFrames += 1;
      if (this.#refusedSpeakers.size < MAX_REFUSED_SPEAKERS) this.#refusedSpeakers.add(frame.steamId);
      return false;
    }
    // Who came anew has a new media clock, whether or not the frame with the marker got here.
    const marker = frame.marker || frame.slot !== track.slot;
    track.slot = frame.slot;
    const now = this.#now();
    const relayTimeMs = clock.believed(frame.relayTimeMs, now);
    const { timestamp, pcm } = frame;
    const latestEnd = samplesOfMs(furthestMs(clock.elapsedMs(now)));
    const position = track.timeline.place({ timestamp, relayTimeMs, marker, samples: pcm.length }, latestEnd);
    return position !== null && track.writer.writeAt(position, pcm);
  }

  /** Writes what was taken to the disk. Call it every quarter of a second or so. Never rejects: a track's failure is told elsewhere. */
  async flush(): Promise<void> {
    await Promise.allSettled(this.#writers().map((writer) => writer.flush()));
  }

  /**
   * Closes all tracks at one length and mixes them. A second call gives the first one's promise. Never rejects: what failed is in
   * the result.
   *
   * @param endRelayTimeMs The relay's time when the recording ended: silence is added up to there, but no further than sound may lie. Default:
   * the last sample.
   */
  finish(endRelayTimeMs?: number): Promise<RecordedSession> {
    this.#finishing ??= this.#finish(endRelayTimeMs);
    return this.#finishing;
  }

  #openTrack(frame: RecordedFrame, { originRelayTimeMs }: RecordingClock): Track | null {
    if (this.#tracks.size >= this.#maxTracks) return null;
    const { name, steamId, slot } = frame;
    const fileName = claimFileName(trackFileName(name, steamId), this.#takenNames);
    const { maxPendingBytes, onTrackError, openFile } = this.#options;
    const writer = WavWriter.start(join(this.folder, fileName), {
      sampleRateHz: VOICE_RATE_HZ,
      existing: this.#existing,
      onError: (error) => onTrackError?.({ name, steamId }, error),
      ...(maxPendingBytes === undefined ? {} : { maxPendingBytes }),
      ...(openFile === undefined ? {} : { openFile }),
    });
    const track: Track = { name, writer, timeline: new SpeakerTimeline(originRelayTimeMs), slot };
    this.#tracks.set(steamId, track);
    return track;
  }

  async #finish(endRelayTimeMs: number | undefined): Promise<RecordedSession> {
    const samples = this.#sessionSamples(endRelayTimeMs);
    await Promise.allSettled(this.#writers().map((writer) => writer.close(samples)));
    const tracks = [...this.#tracks].map(([steamId, { name, writer }]): RecordedTrack => {
      const { path, refusedSamples, failed } = writer;
      return { name, steamId, path, samples: writer.samples, refusedSamples, error: failed };
    });
    const mixed = await this.#mix(tracks);
    const { refusedSpeakers, refusedFrames } = this;
    const aheadFrames = [...this.#tracks.values()].reduce((sum, { timeline }) => sum + timeline.refused, 0);
    const disbelievedTimes = this.#clock?.disbelieved ?? 0;
    return { tracks, samples, ...mixed, refusedSpeakers, refusedFrames, aheadFrames, disbelievedTimes };
  }

  #sessionSamples(endRelayTimeMs: number | undefined): Samples {
    const clock = this.#clock;
    const wantedMs =
      endRelayTimeMs === undefined || clock === null
        ? 0
        : Math.min(
            timestampDelta(clock.originRelayTimeMs, endRelayTimeMs),
            furthestMs(clock.elapsedMs(this.#now())),
          );
    const longest = Math.max(0, ...this.#writers().map((writer) => writer.samples));
    return Math.max(longest, Math.min(MAX_WAV_SAMPLES, samplesOfMs(wantedMs)));
  }

  async #mix(
    tracks: readonly RecordedTrack[],
  ): Promise<Pick<RecordedSession, 'mixPath' | 'clippedSamples' | 'mixError'>> {
    const playable = tracks.filter((track) => track.samples > 0).map((track) => track.path);
    if (playable.length === 0) return { mixPath: null, clippedSamples: 0, mixError: null };
    const path = join(this.folder, claimFileName('mix.wav', this.#takenNames));
    try {
      const { clippedSamples } = await mixTracks(playable, path, this.#existing);
      return { mixPath: path, clippedSamples, mixError: null };
    } catch (thrown) {
      const mixError = thrown instanceof HotmicError ? thrown : fileError('mix to', path, thrown);
      return { mixPath: null, clippedSamples: 0, mixError };
    }
  }

  get #existing(): 'refuse' | 'replace' {
    return this.#options.existing === 'replace' ? 'replace' : 'refuse';
  }

  #writers(): WavWriter[] {
    return [...this.#tracks.values()].map((track) => track.writer);
  }
}
