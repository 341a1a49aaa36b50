/** The options of `hotmic talk`, and what they say together. */

import { Command, Option } from 'commander';
import type { TalkMode } from '../../client/talking/talk_key.js';
import type { VoiceInputOptions } from '../../native/embedded/voice_input.js';
import { HotmicError } from '../../voice/error.js';
import { VOICE_RATE_HZ } from '../../voice/units.js';
import type { WavChannel } from '../../voice/wav.js';
import { purpose } from '../help_layout.js';
import { integer, type MemberOptions, number, withMemberOptions } from '../options.js';
import { deviceName, soundToolOption } from '../sound/options.js';
import type { ToolName } from '../sound/tools.js';

export interface TalkOptions extends MemberOptions {
  readonly steam?: number;
  /** A device by its name; true for the default. */
  readonly mic?: string | true;
  readonly soundTool?: ToolName;
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
  /** In dBFS; true for the default. */
  readonly voiceActivation?: number | true;
  readonly muted?: true;
  readonly noiseSuppression?: true;
  readonly autoGain?: true;
}

/** The command without its action. */
export function talkOptions(): Command {
  return withMemberOptions(new Command('talk'), 'talker', 'one')
    .description(
      purpose(
        'Speak in a lobby until the input ends, or until Ctrl-C.',
        'hotmic talk ws://127.0.0.1:7800 --lobby den --mic',
        'hotmic talk ws://127.0.0.1:7800 --lobby den --wav hello.wav',
        'hotmic talk ws://127.0.0.1:7800 --lobby den --steam 480 --push-to-talk',
      ),
    )
    .summary('Speak in a lobby.')
    .addOption(
      new Option('--steam <app-id>', "Speak with Steam's microphone, as the player who is logged on.")
        .argParser(integer(1, 0xffff_ffff))
        .conflicts(['mic', 'wav', 'pcm', 'tone', 'guest']),
    )
    .addOption(
      new Option('--mic [device]', 'Speak with a microphone of this machine: see hotmic devices.')
        .argParser(deviceName)
        .conflicts(['wav', 'pcm', 'tone']),
    )
    .addOption(soundToolOption())
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
    .option('--push-to-talk', 'Speak while the space bar is held; m mutes, q quits.')
    .option('--toggle', 'With --push-to-talk: the space bar switches the microphone on and off.')
    .addOption(
      new Option('--voice-activation [dBFS]', 'Speak while the input is at least so loud, -90 to 0.')
        .argParser(number(-90, 0))
        .preset('-45')
        .conflicts('pushToTalk'),
    )
    .option('--noise-suppression', 'With --mic: remove steady noise. Adds 6 ms.')
    .option('--auto-gain', 'With --mic: bring the voice to the usual loudness.')
    .option('--muted', 'Begin muted; m unmutes.');
}

/** What to record with the embedded Steam; null with a microphone. @throws HotmicError ERR_HOTMIC_USAGE for options that do not fit. */
export function inputOf(options: TalkOptions): VoiceInputOptions | null {
  if (options.loop && options.wav === undefined) throw misfit('--loop', '--wav');
  if (options.live && options.pcm === undefined) throw misfit('--live', '--pcm');
  if (options.rate !== undefined && options.pcm === undefined) throw misfit('--rate', '--pcm');
  if (options.wavChannel !== undefined && options.wav === undefined) throw misfit('--wav-channel', '--wav');
  if (options.soundTool !== undefined && options.mic === undefined) throw misfit('--sound-tool', '--mic');
  if (options.noiseSuppression && options.mic === undefined) throw misfit('--noise-suppression', '--mic');
  if (options.autoGain && options.mic === undefined) throw misfit('--auto-gain', '--mic');
  if (options.toggle && !options.pushToTalk) throw misfit('--toggle', '--push-to-talk');
  if (options.wav !== undefined) {
    const from = options.wav === '-' ? {} : { path: options.wav };
    return { kind: 'wav', ...from, loop: options.loop ?? false, channel: options.wavChannel ?? 'mix' };
  }
  if (options.tone !== undefined) return { kind: 'tone', frequencyHz: options.tone };
  if (options.pcm !== undefined) {
    const from = options.pcm === '-' ? {} : { path: options.pcm };
    return { kind: 'pcm', ...from, sampleRateHz: options.rate ?? VOICE_RATE_HZ, live: options.live ?? false };
  }
  if (options.steam !== undefined || options.mic !== undefined) return null;
  throw new HotmicError(
    'ERR_HOTMIC_USAGE',
    'Cannot talk: no input, expected one of --mic, --steam, --wav, --pcm, --tone',
  );
}

function misfit(option: string, required: string): HotmicError {
  return new HotmicError('ERR_HOTMIC_USAGE', `Cannot use ${option}: it requires ${required}`);
}

/** When the microphone is live, and how the space bar works; `open`: always. */
export type TalkStyle = 'hold' | 'toggle' | 'voice-activation' | 'open';

export function styleOf(options: TalkOptions): TalkStyle {
  if (options.pushToTalk) return options.toggle ? 'toggle' : 'hold';
  return options.voiceActivation === undefined ? 'open' : 'voice-activation';
}

/** The publisher's mode for a style. The keys of a terminal make toggling of pressing. */
export function modeOf(style: TalkStyle): TalkMode {
  return style === 'voice-activation' ? 'voice-activation' : 'push-to-talk';
}
