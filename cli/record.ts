/** `hotmic record`: records everyone in a lobby, one WAV per speaker and one of the mix. */

import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { monotonicMs } from '../client/clock.js';
import { decodeLobby } from '../client/decode_lobby.js';
import { type RecordedSession, SessionRecorder } from '../record/session_recorder.js';
import { HotmicError } from '../voice/error.js';
import { printable } from '../voice/printable.js';
import { msOfSamples } from '../voice/units.js';
import { dropSummary, lobbyDrops } from './drop_summary.js';
import { memberEvents } from './greeting.js';
import { purpose } from './help_layout.js';
import { LineBudget } from './line_budget.js';
import { type MemberOptions, number, withMemberOptions } from './options.js';
import { SpeakerLine } from './speaker_line.js';
import { endingText, RECORDING, stopped, untilStopped } from './stop_signal.js';

interface RecordOptions extends MemberOptions {
  readonly out: string;
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
    .option('--seconds <seconds>', 'Exit after this time.', number(0.1, 86_400))
    .addHelpText('after', endingText(RECORDING))
    .action((url: string, options: RecordOptions) =>
      untilStopped((stop) => record(url, options, stop), RECORDING),
    );
}

async function record(url: string, options: RecordOptions, stop: AbortSignal): Promise<void> {
  const startedAt = monotonicMs();
  const lines = new LineBudget(monotonicMs);
  const line = new SpeakerLine(process.stderr, () => monotonicMs() - startedAt, lines);
  const recorder = await SessionRecorder.create(options.out, {
    onTrackError: (track, error) =>
      console.error(`${printable(track.name)}: ${error.message} [${error.code}]`),
  });
  const member = memberEvents(options, lines);
  const { lobby, receiver, ended } = await decodeLobby({
    ...options,
    url,
    signal: stop,
    onDecoded: (participant, voice, target) => {
      const { name, steamId } = participant;
      line.heard(participant, target);
      recorder.take({ ...voice, name, steamId });
    },
    events: {
      ...member,
      ...line.events,
      onWelcome: (lobby) => {
        recorder.begin(lobby.joinedRelayTimeMs);
        lobby.announceRecording(true);
        member.onWelcome(lobby);
        line.events.onWelcome(lobby);
      },
    },
  });
  const joinedAt = monotonicMs();
  const flushing = setInterval(() => void recorder.flush(), FLUSH_MS);
  const stopping = stopped(stop, options.seconds).then(() => null);
  const error = await Promise.race([ended, stopping]);
  clearInterval(flushing);
  line.end();
  const elapsedMs = Math.round(monotonicMs() - joinedAt);
  if (!error) await lobby.leave();
  const session = await recorder.finish((lobby.joinedRelayTimeMs + elapsedMs) >>> 0);
  printSession(session);
  const dropped = dropSummary({
    ...lobbyDrops(lobby.counts(), lines),
    'voice frames (more sound than real time)': receiver.refusedFrames,
    'decoders (too many speakers)': receiver.evictedSpeakers,
    'voice frames (beyond the speakers that get a track)': session.refusedFrames,
    'voice frames (ahead of real time)': session.aheadFrames,
    'relay times (ahead of real time)': session.disbelievedTimes,
  });
  if (dropped) console.error(dropped);
  if (error) throw error;
  throwFailure(session);
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
