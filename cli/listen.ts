/** `hotmic listen`: shows who speaks in a lobby, and writes the mix as raw PCM for a player. */

import { once } from 'node:events';
import { Command } from 'commander';
import { monotonicMs } from '../client/clock.js';
import { type Hearing, hearLobby } from '../client/hear.js';
import type { Lobby } from '../client/lobby/lobby.js';
import type { Participant } from '../client/session/lobby_state.js';
import type { VoiceTarget } from '../client/session/voice_target.js';
import { joinWithSink, type VoiceSink } from '../client/voice_sink.js';
import { HotmicError } from '../voice/error.js';
import { msOfSamples, type Samples, samplesOfMs } from '../voice/units.js';
import type { VoiceHeader } from '../voice/wire.js';
import { dropSummary, lobbyDrops } from './drop_summary.js';
import { memberEvents } from './greeting.js';
import { purpose } from './help_layout.js';
import { LineBudget } from './line_budget.js';
import { type MemberOptions, number, withMemberOptions } from './options.js';
import { SpeakerLine } from './speaker_line.js';
import { endingText, MEMBER, stopped, untilStopped } from './stop_signal.js';

interface ListenOptions extends MemberOptions {
  readonly pcm?: true;
  readonly seconds?: number;
}

/** The most sound that is written at once, after this process was held up. */
const MAX_CATCH_UP_MS = 100;

/** Sound is made in steps of this length: long pulls cost delay. */
const PULL_MS = 5;
const PULL: Samples = samplesOfMs(PULL_MS);

export function listenCommand(): Command {
  return withMemberOptions(new Command('listen'), 'listener', 'several')
    .description(
      purpose(
        'Listen to a lobby and show who speaks. With --pcm, pipe the mix to a player:',
        'hotmic listen ws://127.0.0.1:7800 --lobby den',
        'hotmic listen ws://127.0.0.1:7800 --lobby den --pcm |\n    aplay -t raw -f S16_LE -r 24000',
      ),
    )
    .summary('Listen to a lobby and show who speaks.')
    .option('--pcm', 'Write the mix to standard output: mono s16 little-endian, 24000 Hz, including silence.')
    .option('--seconds <seconds>', 'Exit after this time.', number(0.1, 86_400))
    .addHelpText('after', endingText(MEMBER))
    .action((url: string, options: ListenOptions) =>
      untilStopped((stop) => listen(url, options, stop), MEMBER),
    );
}

async function listen(url: string, options: ListenOptions, stop: AbortSignal): Promise<void> {
  if (options.pcm && process.stdout.isTTY) {
    throw new HotmicError(
      'ERR_HOTMIC_USAGE',
      'Cannot write PCM to a terminal: pipe it to a player, such as aplay',
    );
  }
  const startedAt = monotonicMs();
  const lines = new LineBudget(monotonicMs);
  const line = new SpeakerLine(process.stderr, () => monotonicMs() - startedAt, lines);
  const member = memberEvents(options, lines);
  const joining = {
    ...options,
    url,
    signal: stop,
    events: {
      ...member,
      ...line.events,
      onWelcome: (lobby: Lobby) => {
        member.onWelcome(lobby);
        line.events.onWelcome(lobby);
      },
      onVoice: (participant: Participant, _header: VoiceHeader, _packet: Uint8Array, target: VoiceTarget) =>
        line.heard(participant, target),
    },
  };
  // Without a player nothing would pull the sound, so it is not decoded.
  const hearing = options.pcm ? await hearLobby(joining) : null;
  const { lobby, ended } = hearing ?? (await joinWithSink(joining, NO_SOUND));
  const sink = hearing ? playTo(process.stdout, hearing) : null;
  const stopping = stopped(stop, options.seconds).then(() => lobby.leave());
  const error = await Promise.race([ended, sink?.closed ?? ended, stopping.then(() => null)]);
  sink?.stop();
  line.end();
  const dropped = dropSummary({
    ...lobbyDrops(lobby.counts(), lines),
    'decoders (too many speakers)': hearing?.playout.evictedSpeakers ?? 0,
    'ms of sound (too late to be played)': Math.ceil(msOfSamples(sink?.lateSamples() ?? 0)),
  });
  if (dropped) console.error(dropped);
  if (error) throw error;
  await lobby.leave();
}

const NO_SOUND: VoiceSink = { take() {}, forget() {}, retire() {}, close() {} };

/** Writes the mix at the pace of the clock; a player that falls behind loses sound, not memory. */
function playTo(
  output: NodeJS.WriteStream,
  { pull }: Hearing,
): { stop(): void; lateSamples(): Samples; closed: Promise<null> } {
  const startedAt = monotonicMs();
  let played: Samples = 0;
  let late: Samples = 0;
  const timer = setInterval(() => {
    const due = Math.floor((samplesOfMs(monotonicMs() - startedAt) - played) / PULL) * PULL;
    if (due <= 0) return;
    played += due;
    // After a stall, playing continues; sound that it missed is not played late.
    const pcm = new Int16Array(Math.min(due, samplesOfMs(MAX_CATCH_UP_MS)));
    late += due - pcm.length;
    pull(pcm);
    if (output.writableNeedDrain) late += pcm.length;
    else output.write(new Uint8Array(pcm.buffer));
  }, PULL_MS);
  // The player was closed, which is not a failure.
  const closed = once(output, 'error').then(() => null);
  return { stop: () => clearInterval(timer), lateSamples: () => late, closed };
}
