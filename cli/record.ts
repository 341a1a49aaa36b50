/** `hotmic record`: records everyone in a lobby, one WAV per speaker and one of the mix. */

import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { monotonicMs } from '../client/clock.js';
import { decodeLobby } from '../client/decode_lobby.js';
import { type RecordedSession, SessionRecorder } from '../record/session_recorder.js';
import { HotmicError } from '../voice/error.js';
import { printable } from '../voice/printable.js';
import { msOfSamples } from '../voice/units.js';
import { lobbyDrops } from './drop_summary.js';
import { purpose } from './help_layout.js';
import { LineBudget } from './line_budget.js';
import { type MemberOptions, number, withMemberOptions } from './options.js';
import { endingText, RECORDING, stopped, untilStopped } from './stop_signal.js';
import { chooseView } from './view/choose_view.js';
import type { JsonView } from './view/json_view.js';
import { RecordingSize, SpeakerMeters } from './view/recording_measures.js';

interface RecordOptions extends MemberOptions {
  readonly out: string;
  readonly json?: true;
  readonly seconds?: number;
}

/** How often the recording is written to disk. */
export const FLUSH_MS = 250;

export function recordCommand(): Command {
  return withMemberOptions(new Command('record'), 'recorder', 'several')
    .description(
      purpose(
        'Record a lobby until Ctrl-C: one WAV per speaker and one of the mix, all of the\nsame length.',
        'hotmic record ws://127.0.0.1:7800 --lobby den --out recording',
      ),
    )
    .summary('Record a lobby: one WAV per speaker and one of the mix.')
    .option('-o, --out <folder>', 'Folder for the WAVs; created if missing.', 'recording')
    .option('--json', 'Print one JSON object per event to standard output.')
    .option('--seconds <seconds>', 'Exit after this time.', number(0.1, 86_400))
    .addHelpText('after', endingText(RECORDING))
    .action((url: string, options: RecordOptions) =>
      untilStopped((stop) => record(url, options, stop), RECORDING),
    );
}

async function record(url: string, options: RecordOptions, stop: AbortSignal): Promise<void> {
  const lines = new LineBudget(monotonicMs);
  const { view, json } = chooseView(
    { member: options, doing: 'recording', now: monotonicMs, lines },
    options.json ?? false,
  );
  const recorder = await SessionRecorder.create(options.out, {
    onTrackError: (track, error) => view.trackFailed(track.name, error.code, error.message),
  });
  const meters = new SpeakerMeters(monotonicMs);
  let flushing: NodeJS.Timeout | undefined;
  try {
    const { lobby, receiver, ended } = await decodeLobby({
      ...options,
      url,
      signal: stop,
      onDecoded: (participant, voice, target) => {
        const { name, steamId } = participant;
        view.heard(participant, target);
        meters.heard(voice.slot, voice.pcm);
        recorder.take({ ...voice, name, steamId });
      },
      events: {
        ...view.events,
        onWelcome: (lobby) => {
          recorder.begin(lobby.joinedRelayTimeMs);
          lobby.announceRecording(true);
          view.events.onWelcome?.(lobby);
        },
      },
    });
    const size = new RecordingSize(() => recorder.paths, monotonicMs);
    view.measure({
      levelDb: (slot) => meters.levelDb(slot),
      delayMs: () => null,
      lossShare: (slot) => {
        const counts = receiver.counts(slot);
        return counts && counts.lost / Math.max(1, counts.packets + counts.lost);
      },
      sizeBytes: () => size.bytes(),
    });
    const joinedAt = monotonicMs();
    flushing = setInterval(() => void recorder.flush(), FLUSH_MS);
    const stopping = stopped(stop, options.seconds).then(() => null);
    const error = await Promise.race([ended, stopping]);
    clearInterval(flushing);
    view.end();
    const elapsedMs = Math.round(monotonicMs() - joinedAt);
    if (!error) await lobby.leave();
    const session = await recorder.finish((lobby.joinedRelayTimeMs + elapsedMs) >>> 0);
    if (json) emitSession(session, json);
    else printSession(session);
    view.dropped({
      ...lobbyDrops(lobby.counts(), lines),
      'voice frames (more sound than real time)': receiver.refusedFrames,
      'decoders (too many speakers)': receiver.evictedSpeakers,
      'voice frames (beyond the speakers that get a track)': session.refusedFrames,
      'voice frames (ahead of real time)': session.aheadFrames,
      'relay times (ahead of real time)': session.disbelievedTimes,
    });
    if (error) throw error;
    throwFailure(session);
  } finally {
    clearInterval(flushing);
    view.end();
  }
}

function emitSession({ tracks, mixPath, samples }: RecordedSession, json: JsonView): void {
  for (const track of tracks) {
    if (track.samples === 0) continue;
    const { path, name, steamId } = track;
    json.emit('recorded', { path, name, steamId: String(steamId), durationMs: msOfSamples(track.samples) });
  }
  if (mixPath)
    json.emit('recorded', { path: mixPath, name: null, steamId: null, durationMs: msOfSamples(samples) });
}

/** Lists the files of a recording. */
export function printSession(session: RecordedSession): void {
  for (const track of session.tracks) {
    if (track.samples > 0 && !existsSync(track.path))
      console.log(`${printable(track.name)}: its file was removed`);
    else if (track.samples > 0) console.log(fileLine(track.path, track.samples));
    else console.log(`${printable(track.name)}: not recorded`);
  }
  if (session.mixPath) console.log(fileLine(session.mixPath, session.samples));
  if (session.tracks.length === 0) console.log('Nobody spoke.');
}

/** Throws if a recording is incomplete. */
export function throwFailure(session: RecordedSession): void {
  const failure = session.tracks.find((track) => track.error)?.error ?? session.mixError;
  if (failure) throw failure;
  if (session.refusedSpeakers > 0) {
    const detail = `${session.refusedSpeakers} speakers beyond the ${session.tracks.length} that get a track`;
    throw new HotmicError('ERR_HOTMIC_FILE', `Cannot record everyone: ${detail}`);
  }
}

function fileLine(path: string, samples: number): string {
  return `${path}  ${(msOfSamples(samples) / 1000).toFixed(2)} s`;
}
