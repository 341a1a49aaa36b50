/**
 * Records a session live: one WAV per speaker, all on one sample clock and of one length, and a mix of them at the end.
 *
 * It gets decoded PCM together with the fields of its voice frame's header. A speaker is a SteamID: a player who leaves and reconnects
 * continues in the same track. If one track fails, the others go on.
 *
 * Bounds: `maxTracks` tracks, each at most 10 s and 0.1 % longer than the recording has really lasted. So all files together grow by
 * 48 kB per second and track, and the mix by another 48 kB per second.
 */

import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, HotmicError } from '../voice/error.js';
import { furthestMs, RecordingClock } from '../voice/recording/recording_clock.js';
import { SpeakerTimeline } from '../voice/recording/timeline.js';
import { timestampDelta } from '../voice/sequence.js';
import { type Milliseconds, type Samples, samplesOfMs, VOICE_RATE_HZ } from '../voice/units.js';
import { makeFolder } from './make_folder.js';
import { mixTracks } from './mix.js';
import { claimFileName, foldedName, trackFileName } from './track_name.js';
import { fileError, type OpenWavFile } from './wav_file.js';
import { MAX_WAV_SAMPLES, WavWriter } from './wav_writer.js';

/** Bounds of a recording, and who hears of errors. */
export interface SessionRecorderOptions {
  /** The relay's time when the recording begins: ms, 32 bit. It is sample 0 of every track. Default: see `begin`. */
  readonly originRelayTimeMs?: number;
  /** What to do if a file of that name exists: number the new one, or replace the old one. Default `number`. */
  readonly existing?: 'number' | 'replace';
  /** The most speakers that get a track, 1 to 256. Default 64. */
  readonly maxTracks?: number;
  /** The most PCM per track that waits for the disk, in bytes, 1 or more. Default 4 MiB. */
  readonly maxPendingBytes?: number;
  /** Called once per track that fails; the others go on. Must not throw. */
  readonly onTrackError?: (
    track: { readonly name: string; readonly steamId: bigint },
    error: HotmicError,
  ) => void;
  /**
   * Real time in ms, which bounds the relay's time and the speakers'. To record faster than real time, from stored packets, return the
   * time at which each packet came. Default CLOCK_MONOTONIC.
   */
  readonly clock?: () => Milliseconds;
  /** Replaces the file system for the tracks. The mix still reads and writes files. */
  readonly openFile?: OpenWavFile;
}

/** The PCM of one voice frame, and its speaker. */
export interface RecordedFrame {
  /** The speaker's number in the lobby. A new number means that the speaker has joined again. */
  readonly slot: number;
  /** The participant's name. The first one names the track. */
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

/** The recording of one speaker. */
export interface RecordedTrack {
  readonly name: string;
  readonly steamId: bigint;
  readonly path: string;
  /** Length of the file: the session's, or less if the file failed. */
  readonly samples: Samples;
  /** Samples that are not in the file because it failed. */
  readonly refusedSamples: Samples;
  /** Why the track is incomplete, or null. */
  readonly error: HotmicError | null;
}

/** A recording that has ended. */
export interface RecordedSession {
  /** In the order in which the speakers were first heard. */
  readonly tracks: readonly RecordedTrack[];
  /** Length of every track that did not fail. */
  readonly samples: Samples;
  /** Path of the mix; null if nobody spoke, or for the reason in `mixError`. */
  readonly mixPath: string | null;
  /** Samples of the mix that were clipped to 16 bit. */
  readonly clippedSamples: Samples;
  readonly mixError: HotmicError | null;
  /** Speakers beyond `maxTracks`, counted up to 1024, and their frames. */
  readonly refusedSpeakers: number;
  readonly refusedFrames: number;
  /** Frames that were left out because their speaker sent more sound than time passed. */
  readonly aheadFrames: number;
  /** Frames whose relay time was too far ahead of real time, and which were placed by real time instead. */
  readonly disbelievedTimes: number;
}

/** The most speakers without a track that are remembered. */
const MAX_REFUSED_SPEAKERS = 1024;

interface Track {
  readonly name: string;
  readonly writer: WavWriter;
  readonly timeline: SpeakerTimeline;
  slot: number;
}

/** Records everyone in a lobby, one WAV per speaker, all on one sample clock. */
export class SessionRecorder {
  /** The folder of the tracks. */
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
   * Begins a recording in `folder`, which is created if it is missing.
   *
   * @throws HotmicError ERR_HOTMIC_FILE if the folder cannot be created, read or written to; RangeError if an option is out of range.
   */
  static async create(folder: string, options: SessionRecorderOptions): Promise<SessionRecorder> {
    try {
      await makeFolder(folder);
      // Fail now rather than when somebody speaks.
      const probe = join(folder, `.hotmic-${process.pid}`);
      await (await open(probe, 'w')).close();
      await rm(probe);
      const taken = options.existing === 'replace' ? [] : await readdir(folder);
      return new SessionRecorder(folder, options, new Set(taken.map(foldedName)));
    } catch (thrown) {
      if (thrown instanceof RangeError) throw thrown;
      if (codeOf(thrown) !== 'EEXIST') throw fileError('record a session in', folder, thrown);
      const message = `Cannot record a session in ${folder}: it exists and is not a folder (EEXIST)`;
      throw new HotmicError('ERR_HOTMIC_FILE', message, { cause: thrown });
    }
  }

  /** The files that are written now, one per speaker. */
  get paths(): readonly string[] {
    return this.#writers().map(({ path }) => path);
  }

  /** Speakers that were refused a track, counted up to 1024. */
  get refusedSpeakers(): number {
    return this.#refusedSpeakers.size;
  }

  /**
   * Sets the relay's time at which the recording began, for callers that learn it after creating the recorder. Call it before the first
   * `take`, which otherwise begins the recording.
   */
  begin(originRelayTimeMs: number): void {
    this.#clock ??= new RecordingClock(originRelayTimeMs, this.#now());
  }

  /**
   * Records the PCM of one voice frame. A speaker's frames must come in the order in which they were spoken.
   *
   * @returns Whether it will be written: not if the track has failed, if there are `maxTracks` others, if more sound came than time
   * passed, or after `finish()`.
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
    // A speaker who joined again has a new media clock, whether or not the frame with the marker arrived.
    const marker = frame.marker || frame.slot !== track.slot;
    track.slot = frame.slot;
    const now = this.#now();
    const relayTimeMs = clock.believed(frame.relayTimeMs, now);
    const { timestamp, pcm } = frame;
    const latestEnd = samplesOfMs(furthestMs(clock.elapsedMs(now)));
    const position = track.timeline.place({ timestamp, relayTimeMs, marker, samples: pcm.length }, latestEnd);
    return position !== null && track.writer.writeAt(position, pcm);
  }

  /** Writes the queued PCM to the disk. Call it about every quarter of a second. Never rejects: a failed track is reported elsewhere. */
  async flush(): Promise<void> {
    await Promise.allSettled(this.#writers().map((writer) => writer.flush()));
  }

  /**
   * Closes all tracks at one length and mixes them. A second call returns the same promise. Never rejects: failures are in the result.
   *
   * @param endRelayTimeMs The relay's time when the recording ended: silence is added up to there, but not beyond where sound may be.
   * Default: the last sample.
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
