/** `hotmic listen`: shows who speaks in a lobby, and writes the mix as raw PCM for a player. */

import { once } from 'node:events';
import { Command } from 'commander';
import { monotonicMs } from '../client/clock.js';
import type { Participant } from '../client/lobby_state.js';
import { joinVoice } from '../client/voice.js';
import { HotmicError } from '../voice/error.js';
import { Mixer } from '../voice/mixer.js';
import { FRAME_MS, msOfSamples, samplesOfMs } from '../voice/units.js';
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
  // Without a player nothing would pull from it.
  const mixer = options.pcm ? new Mixer() : null;
  const member = memberEvents(options, lines);
  const show = (participant: Participant) => {
    mixer?.setPriority(participant.slot, participant.priority ? 'priority' : 'none');
    line.show(participant);
  };
  const { lobby, receiver, ended } = await joinVoice({
    ...options,
    url,
    signal: stop,
    onDecoded: (participant, voice, target) => {
      line.heard(participant, target);
      mixer?.push(voice.slot, voice.pcm, voice.terminator ? 'last' : 'within');
    },
    events: {
      ...member,
      onWelcome: (lobby) => {
        member.onWelcome(lobby);
        for (const participant of lobby.participants) show(participant);
      },
      onJoined: show,
      onChanged: show,
      onSpeaking: (participant) => line.show(participant),
      onLeft: (participant) => {
        line.remove(participant);
        mixer?.forget(participant.slot);
      },
    },
  });
  const sink = mixer ? playTo(process.stdout, mixer) : null;
  const stopping = stopped(stop, options.seconds).then(() => lobby.leave());
  const error = await Promise.race([ended, sink?.closed ?? ended, stopping.then(() => null)]);
  sink?.stop();
  line.end();
  const dropped = dropSummary({
    ...lobbyDrops(lobby.counts(), receiver, lines),
    'ms of sound (queue full)': Math.ceil(msOfSamples(mixer?.droppedSamples ?? 0)),
    'queues (too many speakers)': mixer?.evictedSpeakers ?? 0,
  });
  if (dropped) console.error(dropped);
  if (error) throw error;
  await lobby.leave();
}

/** Writes the mix at the pace of the clock; a player that falls behind loses sound, not memory. */
function playTo(output: NodeJS.WriteStream, mixer: Mixer): { stop(): void; closed: Promise<null> } {
  const startedAt = monotonicMs();
  let played = 0;
  const timer = setInterval(() => {
    const due = samplesOfMs(monotonicMs() - startedAt) - played;
    played += due;
    // After a stall, playing continues; sound that it missed is not played late.
    const pcm = new Int16Array(Math.min(due, samplesOfMs(MAX_CATCH_UP_MS)));
    mixer.pull(pcm);
    if (!output.writableNeedDrain) output.write(new Uint8Array(pcm.buffer));
  }, FRAME_MS);
  // The player was closed, which is not a failure.
  const closed = once(output, 'error').then(() => null);
  return { stop: () => clearInterval(timer), closed };
}
