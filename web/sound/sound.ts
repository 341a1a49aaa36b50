/**
 * The page's sound: one AudioContext with the two worklets, a microphone from the browser, and the devices that the player chose. Everything can
 * be lost and come back: a device is unplugged, a call interrupts the sound, the machine sleeps.
 */

import type { MicrophoneOrder } from '../worker/messages.js';
import { makePipe, type PipeEnd } from './pcm_pipe.js';

/** Why there is no microphone. */
export type MicrophoneFault = 'refused' | 'missing' | 'busy' | 'unplugged' | 'insecure';

export interface MicrophoneWishes {
  /** Empty for the system's default. */
  readonly inputId: string;
  readonly echoCancellation: boolean;
  readonly noiseSuppression: boolean;
  readonly autoGainControl: boolean;
  readonly strongNoise: boolean;
}

export interface SoundEvents {
  /** The sound output has another pipe from now on. */
  onOutput(pipe: PipeEnd, rateHz: number): void;
  /** The microphone has another pipe from now on; null: there is no microphone. */
  onMicrophone(order: MicrophoneOrder | null, fault: MicrophoneFault | null): void;
  /** Whether sound waits for a click, or is interrupted. */
  onState(state: 'running' | 'waiting'): void;
  onDevices(): void;
}

export interface Assets {
  readonly worklets: string;
  readonly processing: string;
}

/** `PcmMicrophone` takes no more. */
const MAX_RATE_HZ = 48_000;
const ECHO_S = 1;

type SinkContext = AudioContext & { setSinkId?(id: string): Promise<void> };

export class Sound {
  readonly #events: SoundEvents;
  readonly #assets: Assets;
  readonly #context: SinkContext;
  #ready: Promise<void> | null = null;
  #stream: MediaStream | null = null;
  #source: MediaStreamAudioSourceNode | null = null;
  #capture: AudioWorkletNode | null = null;
  #echo: DelayNode | null = null;
  /** Another wish makes what an earlier one still waits for void. */
  #wish = 0;

  constructor(assets: Assets, events: SoundEvents) {
    this.#events = events;
    this.#assets = assets;
    this.#context = newContext();
    this.#context.onstatechange = () => this.#tellState();
    navigator.mediaDevices?.addEventListener('devicechange', () => events.onDevices());
  }

  /** Loads the worklets and starts the output. The first call has to come from a click or a key, or sound waits for one. */
  start(): Promise<void> {
    this.#ready ??= this.#begin();
    return this.#ready;
  }

  get rateHz(): number {
    return this.#context.sampleRate;
  }

  /** From a click: starts what the browser held back. */
  async resume(): Promise<void> {
    // An interrupted one rejects: it goes on by itself.
    await this.#context.resume().catch(() => undefined);
    this.#tellState();
  }

  /** Opens the microphone that is wished for, in place of the one before. */
  async openMicrophone(wishes: MicrophoneWishes): Promise<void> {
    this.#wish += 1;
    const wish = this.#wish;
    await this.start();
    this.#dropMicrophone();
    const stream = await openStream(wishes);
    if (wish !== this.#wish) {
      if (typeof stream !== 'string') stopTracks(stream);
      return;
    }
    if (typeof stream === 'string') {
      this.#events.onMicrophone(null, stream);
      return;
    }
    this.#use(stream, wishes.strongNoise);
  }

  closeMicrophone(): void {
    this.#wish += 1;
    this.#dropMicrophone();
    this.#events.onMicrophone(null, null);
  }

  /** Plays the microphone a second late. */
  hearYourself(isOn: boolean): void {
    this.#echo?.disconnect();
    this.#echo = null;
    if (!isOn || !this.#source) return;
    this.#echo = new DelayNode(this.#context, { delayTime: ECHO_S, maxDelayTime: ECHO_S });
    this.#source.connect(this.#echo).connect(this.#context.destination);
  }

  /** Empty for the system's default. Does nothing where the browser cannot choose. */
  async setOutput(id: string): Promise<void> {
    await this.#context.setSinkId?.(id).catch(() => undefined);
  }

  get canChooseOutput(): boolean {
    return this.#context.setSinkId !== undefined;
  }

  async close(): Promise<void> {
    this.#wish += 1;
    this.#dropMicrophone();
    await this.#context.close().catch(() => undefined);
  }

  async #begin(): Promise<void> {
    await this.#context.audioWorklet.addModule(this.#assets.worklets);
    const node = new AudioWorkletNode(this.#context, 'playback', {
      numberOfInputs: 0,
      outputChannelCount: [2],
    });
    node.connect(this.#context.destination);
    const { writer, reader } = makePipe();
    node.port.postMessage(reader, [reader.port]);
    this.#events.onOutput(writer, this.#context.sampleRate);
    void this.resume();
  }

  #use(stream: MediaStream, isStrong: boolean): void {
    const [track] = stream.getAudioTracks();
    this.#stream = stream;
    this.#source = new MediaStreamAudioSourceNode(this.#context, { mediaStream: stream });
    this.#capture = new AudioWorkletNode(this.#context, 'capture', { numberOfOutputs: 0 });
    this.#source.connect(this.#capture);
    const { writer, reader } = makePipe();
    this.#capture.port.postMessage(writer, [writer.port]);
    track?.addEventListener('ended', () => {
      if (this.#stream !== stream) return;
      this.#dropMicrophone();
      this.#events.onMicrophone(null, 'unplugged');
    });
    const processingUrl = isStrong ? new URL(this.#assets.processing, location.href).href : null;
    this.#events.onMicrophone({ pipe: reader, rateHz: this.#context.sampleRate, processingUrl }, null);
  }

  #dropMicrophone(): void {
    this.hearYourself(false);
    this.#capture?.port.postMessage(null);
    this.#source?.disconnect();
    if (this.#stream) stopTracks(this.#stream);
    this.#stream = null;
    this.#source = null;
    this.#capture = null;
  }

  #tellState(): void {
    const { state } = this.#context;
    if (state !== 'closed') this.#events.onState(state === 'running' ? 'running' : 'waiting');
  }
}

function newContext(): SinkContext {
  const context = new AudioContext({ latencyHint: 'interactive' });
  if (context.sampleRate <= MAX_RATE_HZ) return context;
  void context.close();
  return new AudioContext({ latencyHint: 'interactive', sampleRate: MAX_RATE_HZ });
}

function stopTracks(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

async function openStream(wishes: MicrophoneWishes): Promise<MediaStream | MicrophoneFault> {
  const { inputId, echoCancellation, noiseSuppression, autoGainControl } = wishes;
  if (!navigator.mediaDevices) return 'insecure';
  const audio = { echoCancellation, noiseSuppression, autoGainControl, channelCount: 1 };
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: inputId === '' ? audio : { ...audio, deviceId: { exact: inputId } },
    });
  } catch (thrown) {
    // The chosen one is not plugged in today.
    if (inputId !== '' && faultOf(thrown) === 'missing') return openStream({ ...wishes, inputId: '' });
    return faultOf(thrown);
  }
}

function faultOf(thrown: unknown): MicrophoneFault {
  switch ((thrown as { name?: string }).name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'refused';
    case 'NotReadableError':
    case 'AbortError':
      return 'busy';
    default:
      return 'missing';
  }
}

/** The devices that one can choose from, once the browser has been allowed to name them. */
export async function listDevices(): Promise<{
  readonly inputs: MediaDeviceInfo[];
  readonly outputs: MediaDeviceInfo[];
}> {
  const devices = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
  const named = devices.filter(({ label, deviceId }) => label !== '' && deviceId !== 'default');
  return {
    inputs: named.filter(({ kind }) => kind === 'audioinput'),
    outputs: named.filter(({ kind }) => kind === 'audiooutput'),
  };
}
