/** Where the voice of `hotmic talk` comes from: a capture of Steam or of the embedded one, or a microphone of this machine. */

import { PcmMicrophone } from '../../client/talking/pcm_microphone.js';
import type { CaptureHandle } from '../../client/talking/publisher.js';
import { embeddedSteam, startCapture } from '../../native/capture/capture.js';
import type { Steam } from '../../native/steam.js';
import type { HotmicError } from '../../voice/error.js';
import { compileProcessing, loadCodec } from '../../wasm/load.js';
import { MicrophoneProcessor } from '../../wasm/processing.js';
import { chooseSound, RATE_HZ } from '../sound/choose.js';
import { DeviceMicrophone, type SoundNotices } from '../sound/microphone.js';
import { wantedDevice } from '../sound/options.js';
import { inputOf, type TalkOptions } from './options.js';

/** What a publisher reads from. */
export interface TalkSource extends CaptureHandle {
  close(): unknown;
}

/** A microphone of this machine that is open, before it is known whose voice it is. */
export interface OpenMicrophone {
  readonly label: string;
  readonly device: DeviceMicrophone;
  /** Encodes as this player. */
  encode(steamId: bigint): TalkSource;
}

/** Opens the device of `--mic`. @throws HotmicError ERR_HOTMIC_SOUND_TOOL or ERR_HOTMIC_SOUND. */
export async function openMicrophone(options: TalkOptions, notices: SoundNotices): Promise<OpenMicrophone> {
  const chosen = await chooseSound('capture', wantedDevice(options.mic!), options.soundTool ?? null);
  loadCodec();
  const { noiseSuppression = false, autoGain: gainControl = false } = options;
  const processor =
    noiseSuppression || gainControl
      ? new MicrophoneProcessor(compileProcessing(), { sampleRateHz: RATE_HZ, noiseSuppression, gainControl })
      : undefined;
  let encoder: PcmMicrophone | null = null;
  const device = await DeviceMicrophone.open(chosen, {
    onSound: (pcm) => encoder?.write(pcm),
    ...notices,
  });
  return {
    label: chosen.label,
    device,
    encode: (steamId) => {
      const { hangover } = options;
      encoder = new PcmMicrophone({
        steamId,
        sampleRateHz: RATE_HZ,
        ...(processor && { processor }),
        ...(hangover !== undefined && { hangoverMs: hangover }),
      });
      return encoder;
    },
  };
}

/** Captures Steam, or a file, a pipe or a tone by the embedded one. */
export function openCapture(
  options: TalkOptions,
  steam: Pick<Steam, 'capture'> | null,
  steamId: bigint,
  onEnd: (error: HotmicError | null) => void,
) {
  const { hangover } = options;
  const input = inputOf(options) ?? { kind: 'silence' };
  return startCapture({
    steam:
      steam?.capture ??
      embeddedSteam({ steamId, input, ...(hangover !== undefined && { hangoverMs: hangover }) }),
    onInputEnded: () => onEnd(null),
    onFailed: onEnd,
  });
}
