/** `hotmic listen`: shows who is in a lobby and who speaks, and plays it, or writes the mix as raw PCM. */

import { once } from 'node:events';
import { Command, Option } from 'commander';
import { monotonicMs } from '../client/clock.js';
import type { LobbyPlayoutOptions } from '../client/playout/lobby_playout.js';
import { joinWithSink, type VoiceSink } from '../client/voice_sink.js';
import { HotmicError } from '../voice/error.js';
import { FRAME_SAMPLES, msOfSamples, type Samples, samplesOfMs } from '../voice/units.js';
import { lobbyDrops } from './drop_summary.js';
import { type Hearing, hearLobby } from './hearing.js';
import { purpose } from './help_layout.js';
import { LineBudget } from './line_budget.js';
import { type MemberOptions, number, withMemberOptions } from './options.js';
import { chooseSound } from './sound/choose.js';
import { deviceName, soundToolOption, wantedDevice } from './sound/options.js';
import { DeviceSpeaker } from './sound/speaker.js';
import type { ToolName } from './sound/tools.js';
import { endingText, MEMBER, stopped, untilStopped } from './stop_signal.js';
import { chooseView } from './view/choose_view.js';
import type { LobbyView } from './view/view.js';

interface ListenOptions extends MemberOptions {
  readonly pcm?: true;
  /** A device by its name; true for the default. */
  readonly play?: string | true;
  readonly soundTool?: ToolName;
  readonly minDelay?: number;
  readonly json?: true;
  readonly seconds?: number;
}

/** The most sound that is written at once, after this process was held up. */
const MAX_CATCH_UP_MS = 100;

/** Sound is made in steps of this length: long pulls cost delay. */
const PULL_MS = 5;
const PULL: Samples = samplesOfMs(PULL_MS);

/** Where nobody hears the sound, and only its level is shown. */
const METER_PULL_MS = 20;

export function listenCommand(): Command {
  return withMemberOptions(new Command('listen'), 'listener', 'several')
    .description(
      purpose(
        'Show who is in a lobby and who speaks. With --play, hear them.',
        'hotmic listen ws://127.0.0.1:7800 --lobby den --play',
        'hotmic listen ws://127.0.0.1:7800 --lobby den --pcm |\n    aplay -t raw -f S16_LE -r 24000',
      ),
    )
    .summary('Listen to a lobby, and show who speaks.')
    .addOption(
      new Option('--play [device]', 'Play it on this machine: see hotmic devices.')
        .argParser(deviceName)
        .conflicts('pcm'),
    )
    .addOption(soundToolOption())
    .option('--pcm', 'Write the mix to standard output: mono s16 little-endian, 24000 Hz, including silence.')
    .addOption(new Option('--json', 'Print one JSON object per event to standard output.').conflicts('pcm'))
    .addOption(
      new Option('--min-delay <ms>', 'Never play with less delay, 0 to 400: for a bad network.')
        .argParser(number(0, 400))
        .default(undefined, 'as little as the network allows'),
    )
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
      'Cannot write PCM to a terminal: use --play, or pipe it to a player, such as aplay',
    );
  }
  if (options.soundTool !== undefined && options.play === undefined)
    throw new HotmicError('ERR_HOTMIC_USAGE', 'Cannot use --sound-tool: it requires --play');
  const lines = new LineBudget(monotonicMs);
  // Before joining, so that a missing device is reported first.
  const chosen =
    options.play === undefined
      ? null
      : await chooseSound('play', wantedDevice(options.play), options.soundTool ?? null);
  const { view, measures } = chooseView(
    { member: options, doing: 'listening', now: monotonicMs, lines },
    options.json ?? false,
  );
  let player: Player | null = null;
  try {
    const joining = {
      ...options,
      url,
      signal: stop,
      events: { ...view.events, onVoice: heardBy(view) },
    };
    const isDecoded = options.pcm || chosen !== null || measures === 'shown';
    // Without a player nothing would pull the sound, so it is not decoded.
    const hearing = isDecoded ? await hearLobby({ ...joining, playout: playoutOf(options) }) : null;
    const { lobby, ended } = hearing ?? (await joinWithSink(joining, NO_SOUND));
    if (hearing && chosen) {
      const device = chosen.label;
      const speaker = await DeviceSpeaker.open(chosen, {
        pull: (pcm, at) => hearing.playout.pull(pcm, at),
        onLost: (reason) => view.sound({ kind: 'lost', device, reason }),
        onBack: () => view.sound({ kind: 'back', device }),
      }).catch(async (thrown: unknown) => {
        await lobby.leave();
        throw thrown;
      });
      player = speakerPlayer(speaker);
      view.sound({ kind: 'playing', device });
    } else if (hearing) player = options.pcm ? playTo(process.stdout, hearing) : playToNobody(hearing);
    if (hearing) view.measure(measuresOf(hearing, () => player?.aheadMs() ?? 0));
    const stopping = stopped(stop, options.seconds).then(() => lobby.leave());
    const error = await Promise.race([ended, player?.closed ?? ended, stopping.then(() => null)]);
    player?.stop();
    view.end();
    view.dropped({
      ...lobbyDrops(lobby.counts(), lines),
      'decoders (too many speakers)': hearing?.playout.evictedSpeakers ?? 0,
      'ms of sound (too late to be played)': Math.ceil(msOfSamples(player?.lateSamples() ?? 0)),
    });
    if (error) throw error;
    await lobby.leave();
  } finally {
    player?.stop();
    view.end();
  }
}

/** How much the delay may grow beyond --min-delay. */
const ROOM_MS = 400;

function playoutOf({ minDelay }: ListenOptions): LobbyPlayoutOptions {
  // Room above it: what comes later than the longest delay is not played.
  return minDelay === undefined ? {} : { minDelayMs: minDelay, maxDelayMs: minDelay + ROOM_MS };
}

const NO_SOUND: VoiceSink = { take() {}, forget() {}, retire() {}, close() {} };

type OnVoice = VoiceSink['take'];

function heardBy(view: LobbyView): OnVoice {
  return (participant, _header, _packet, target) => view.heard(participant, target);
}

/** What pulls the sound. */
interface Player {
  stop(): void;
  /** Sound that was due and was not played. */
  lateSamples(): Samples;
  /** What waits in the player, in ms, as far as is known. */
  aheadMs(): number;
  /** Resolves when it was closed by whoever reads it, which is not a failure. */
  readonly closed?: Promise<null>;
}

function measuresOf({ playout }: Hearing, aheadMs: () => number) {
  return {
    levelDb: (slot: number) => (playout.counts(slot) ? playout.level(slot).rmsDb : null),
    delayMs: (slot: number) => {
      const counts = playout.counts(slot);
      return counts && counts.delayMs + aheadMs();
    },
    lossShare: (slot: number) => {
      const counts = playout.counts(slot);
      if (!counts) return null;
      const said = counts.decodedFrames * FRAME_SAMPLES + counts.lostSamples;
      return said === 0 ? 0 : counts.lostSamples / said;
    },
    sizeBytes: () => null,
  };
}

function speakerPlayer(speaker: DeviceSpeaker): Player {
  return {
    stop: () => speaker.close(),
    lateSamples: () => speaker.leftOut,
    aheadMs: () => speaker.aheadMs,
  };
}

/** Keeps the playout going, for levels and delays. */
function playToNobody({ pull }: Hearing): Player {
  const pace = playAtClock(METER_PULL_MS, (pcm) => {
    pull(pcm);
    return 'played';
  });
  return { ...pace, lateSamples: () => 0, aheadMs: () => 0 };
}

/** Writes the mix at the pace of the clock; a player that falls behind loses sound, not memory. */
function playTo(output: NodeJS.WriteStream, { pull }: Hearing): Player {
  const pace = playAtClock(PULL_MS, (pcm) => {
    pull(pcm);
    if (output.writableNeedDrain) return 'late';
    output.write(new Uint8Array(pcm.buffer));
    return 'played';
  });
  return { ...pace, aheadMs: () => 0, closed: once(output, 'error').then(() => null) };
}

function playAtClock(
  everyMs: number,
  play: (pcm: Int16Array) => 'played' | 'late',
): { stop(): void; lateSamples(): Samples } {
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
    if (play(pcm) === 'late') late += pcm.length;
  }, everyMs);
  return { stop: () => clearInterval(timer), lateSamples: () => late };
}
