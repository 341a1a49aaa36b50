/** `hotmic talk`: speaks in a lobby, from Steam's microphone, a WAV file, raw PCM or a tone, through the capture worker. */

import { Command, Option } from 'commander';
import { joinLobby } from '../../client/lobby/join.js';
import type { Lobby } from '../../client/lobby/lobby.js';
import type { Member } from '../../client/session/lobby_state.js';
import { Publisher } from '../../client/talking/publisher.js';
import { type Capture, embeddedSteam, startCapture } from '../../native/capture/capture.js';
import type { VoiceInputOptions } from '../../native/embedded/voice_input.js';
import { openSteam } from '../../native/open_steam.js';
import { deferred } from '../../voice/deferred.js';
import { HotmicError } from '../../voice/error.js';
import { VOICE_RATE_HZ } from '../../voice/units.js';
import type { WavChannel } from '../../voice/wav.js';
import { counted, memberEvents } from '../greeting.js';
import { purpose } from '../help_layout.js';
import { integer, type MemberOptions, number, withMemberOptions } from '../options.js';
import { endingText, MEMBER, untilStopped } from '../stop_signal.js';
import { openTalkKeys } from './keys.js';
import { releaseWhileSuspended } from './suspension.js';

interface TalkOptions extends MemberOptions {
  readonly steam?: number;
  readonly wav?: string;
  readonly wavChannel?: WavChannel;
  readonly pcm?: string;
  readonly rate?: number;
  readonly live?: true;
  readonly tone?: number;
  readonly hangover?: number;
  readonly loop?: true;
  readonly seconds?: number;
  readonly pushToTalk?: true;
  readonly toggle?: true;
}

export function talkCommand(): Command {
  return withMemberOptions(new Command('talk'), 'talker', 'one')
    .description(
      purpose(
        'Speak in a lobby until the input ends, or until Ctrl-C.',
        'hotmic talk ws://127.0.0.1:7800 --lobby den --wav hello.wav',
        'hotmic talk ws://127.0.0.1:7800 --lobby den --steam 480 --push-to-talk',
      ),
    )
    .summary('Speak in a lobby.')
    .addOption(
      new Option('--steam <app-id>', "Speak with Steam's microphone, as the player who is logged on.")
        .argParser(integer(1, 0xffff_ffff))
        .conflicts(['wav', 'pcm', 'tone', 'guest']),
    )
    .addOption(
      new Option('--wav <file>', 'Speak a WAV file of any rate; - is standard input.').conflicts([
        'pcm',
        'tone',
      ]),
    )
    .addOption(
      new Option('--wav-channel <side>', 'Which channel of a stereo WAV to speak.')
        .choices(['left', 'right', 'mix'])
        .default(undefined, 'mix'),
    )
    .addOption(
      new Option('--pcm <file>', 'Speak raw PCM, mono s16 little-endian; - is standard input.').conflicts([
        'wav',
        'tone',
      ]),
    )
    .addOption(
      new Option('--tone <hz>', 'Speak a tone of 20 to 11000 Hz that rises and falls like speech.')
        .argParser(number(20, 11_000))
        .conflicts(['wav', 'pcm']),
    )
    .addOption(
      new Option('--hangover <ms>', 'How long to keep speaking after the key is released, 0 to 2000.')
        .argParser(number(0, 2000))
        .default(undefined, '200')
        .conflicts('steam'),
    )
    .addOption(
      new Option('--rate <hz>', 'Rate of --pcm, 4000 to 192000.')
        .argParser(integer(4000, 192_000))
        .default(undefined, '24000'),
    )
    .option('--live', 'Treat --pcm as a microphone: drop its sound while the key is up.')
    .option('--loop', 'Repeat --wav.')
    .option('--seconds <seconds>', 'Stop speaking after this time.', number(0.1, 86_400))
    .option('--push-to-talk', 'Speak while the space bar is held; q quits.')
    .option('--toggle', 'With --push-to-talk: the space bar switches the microphone on and off.')
    .addHelpText('after', endingText(MEMBER))
    .action((url: string, options: TalkOptions) => untilStopped((stop) => talk(url, options, stop), MEMBER));
}

async function talk(url: string, options: TalkOptions, stop: AbortSignal): Promise<void> {
  const input = inputOf(options);
  const { hangover } = options;
  if (options.pushToTalk && !process.stdin.isTTY) {
    const message =
      'Cannot use --push-to-talk: standard input is not a terminal. To speak from a pipe, use --pcm <(arecord …)';
    throw new HotmicError('ERR_HOTMIC_USAGE', message);
  }
  if (options.toggle && !options.pushToTalk) throw misfit('--toggle', '--push-to-talk');
  let sayEnd: (error: HotmicError | null) => void = () => undefined;
  const ended = new Promise<HotmicError | null>((resolve) => {
    sayEnd = resolve;
  });
  stop.addEventListener('abort', () => sayEnd(null));
  let lostWith: HotmicError | null = null;
  const onEnded = (error: HotmicError | null) => {
    lostWith = error;
    sayEnd(error);
  };

  using steam = options.steam === undefined ? null : openSteam({ embedded: 'never', appId: options.steam });
  const capturing = (steamId: bigint) =>
    startCapture({
      steam:
        steam?.capture ??
        embeddedSteam({ steamId, input, ...(hangover !== undefined && { hangoverMs: hangover }) }),
      onInputEnded: () => sayEnd(null),
      onFailed: (error) => sayEnd(error),
    });
  const ownId = steam?.user.getSteamID() ?? options.steamId;
  let capture: Capture | null = null;
  let lobby: Lobby | null = null;
  try {
    // With a known SteamID, the input is opened before joining, so that a missing one is reported first.
    if (ownId !== undefined) capture = await capturing(ownId);
    const member = memberEvents(options);
    const entered = deferredEntry(options);
    const { steamId: _, ...others } = options;
    lobby = await joinLobby({
      url,
      ...others,
      ...(ownId === undefined ? {} : { steamId: ownId }),
      signal: stop,
      events: {
        ...member,
        onYouChanged: entered.onYouChanged,
        onFailed: entered.onFailed,
        onEnded: (error) => {
          onEnded(error);
          entered.onEnded();
        },
      },
    });
    capture ??= await capturing(lobby.you.steamId);
    await Promise.race([entered.done, ended]);
    const [channel] = options.channel;
    const target = channel === undefined ? 'lobby' : { channel };
    const publisher = new Publisher({ capture, publish: lobby.publish, target });
    if (options.seconds !== undefined) setTimeout(() => sayEnd(null), options.seconds * 1000).unref();

    const closeKeys = options.pushToTalk
      ? openTalkKeys(publisher, options.toggle ? 'toggle' : 'hold', () => sayEnd(null))
      : releaseWhileSuspended(publisher);
    if (!options.pushToTalk) publisher.press();
    const error = await ended;
    closeKeys();
    if (error) throw error;
    await publisher.release();
    // The connection may also break during the tail.
    if (lostWith) throw lostWith;
    const { packets, talkspurts, refused, discarded, unsent } = publisher.counts();
    const sent = `${counted(packets - unsent, 'voice packet')} in ${counted(talkspurts, 'talkspurt')}`;
    console.error(`Sent ${sent}; ${refused + discarded + unsent} dropped as too late.`);
  } finally {
    await capture?.close().catch(() => undefined);
    await lobby?.leave();
  }
}

/** Resolves when we are in the channel to speak to, if there is one. */
function deferredEntry({ channel: [channel] }: TalkOptions) {
  const { promise: done, resolve, reject } = deferred<void>();
  // If we do not get that far, `ended` reports why.
  done.catch(() => undefined);
  if (channel === undefined) resolve();
  return {
    done,
    onYouChanged: ({ channels }: Member) => {
      if (channel !== undefined && channels.includes(channel)) resolve();
    },
    onFailed: (code: string, message: string) =>
      reject(new HotmicError('ERR_HOTMIC_REFUSED', `Cannot enter the channel (${code}): ${message}`)),
    onEnded: () => resolve(),
  };
}

function inputOf(options: TalkOptions): VoiceInputOptions {
  if (options.loop && options.wav === undefined) throw misfit('--loop', '--wav');
  if (options.live && options.pcm === undefined) throw misfit('--live', '--pcm');
  if (options.rate !== undefined && options.pcm === undefined) throw misfit('--rate', '--pcm');
  if (options.wavChannel !== undefined && options.wav === undefined) throw misfit('--wav-channel', '--wav');
  if (options.wav !== undefined) {
    const from = options.wav === '-' ? {} : { path: options.wav };
    return { kind: 'wav', ...from, loop: options.loop ?? false, channel: options.wavChannel ?? 'mix' };
  }
  if (options.tone !== undefined) return { kind: 'tone', frequencyHz: options.tone };
  if (options.pcm !== undefined) {
    const from = options.pcm === '-' ? {} : { path: options.pcm };
    return { kind: 'pcm', ...from, sampleRateHz: options.rate ?? VOICE_RATE_HZ, live: options.live ?? false };
  }
  // Steam has a microphone.
  if (options.steam !== undefined) return { kind: 'silence' };
  throw new HotmicError(
    'ERR_HOTMIC_USAGE',
    'Cannot talk: no input, expected one of --steam, --wav, --pcm, --tone',
  );
}

function misfit(option: string, required: string): HotmicError {
  return new HotmicError('ERR_HOTMIC_USAGE', `Cannot use ${option}: it requires ${required}`);
}
