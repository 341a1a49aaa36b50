/**
 * The worker of the page: the connection, the codec and the jitter buffers. Nothing of the voice depends on the page, which may be blocked for
 * seconds or asleep.
 */

import { joinVoice, PcmMicrophone, type Voice, type VoiceEvent } from 'hotmic/client';
import { compileProcessing, loadCodec, MicrophoneProcessor, PROCESSING_RATES_HZ } from 'hotmic/codec';
import { PcmReader, PcmWriter, type PipeEnd } from '../sound/pcm_pipe.js';
import type { FromWorker, JoinOrder, MicrophoneOrder, ToWorker } from './messages.js';
import { failureOf, levelsOf, NetworkMeter, snapshotOf } from './snapshot.js';

const LEVELS_EVERY_MS = 80;
const NETWORK_EVERY_MS = 1000;
const SILENCE_DB = -96;
const BLOCKS_PER_S = 100;

const tell = (message: FromWorker): void => postMessage(message);

let voice: Voice | null = null;
let microphone: { readonly capture: PcmMicrophone; readonly reader: PcmReader } | null = null;
let output: PcmWriter | null = null;
let mine = SILENCE_DB;
/** Another microphone makes one that is still being prepared void. */
let wish = 0;
/** Events of one turn lead to one snapshot. */
let isTold = true;

function showLobby(): void {
  if (!isTold) return;
  isTold = false;
  queueMicrotask(() => {
    isTold = true;
    if (voice) tell({ kind: 'lobby', lobby: snapshotOf(voice) });
  });
}

function heard(event: VoiceEvent): void {
  switch (event.kind) {
    case 'parked':
    case 'caught-up':
    case 'microphone-lost':
      tell({ kind: event.kind });
      break;
    case 'draining':
      tell({ kind: 'draining', withinMs: event.withinMs, moves: event.goTo !== null });
      break;
    case 'failed':
      tell({ kind: 'failed', request: event.request, code: event.code });
      break;
    case 'blocked':
      tell({ kind: 'blocked', steamIds: event.steamIds.map(String) });
      break;
    case 'ended':
      tell({ kind: 'ended', failure: event.error && failureOf(event.error) });
  }
  showLobby();
}

async function join(order: JoinOrder): Promise<void> {
  const { url, lobby, name, token, steamId, codecUrl, rateHz, talkMode, blocked } = order;
  try {
    await loadCodec({ url: codecUrl });
    voice = await joinVoice({
      ...{ url, lobby, name, talkMode, onEvent: heard },
      ...(token !== null && { token }),
      ...(steamId !== null && { steamId: BigInt(steamId) }),
      output: { rateHz, channels: 1 },
      blocked: blocked.map(BigInt),
    });
  } catch (thrown) {
    tell({ kind: 'not-joined', failure: failureOf(thrown) });
    return;
  }
  tell({ kind: 'lobby', lobby: snapshotOf(voice) });
  const meter = new NetworkMeter();
  setInterval(() => {
    if (voice?.state !== 'over') tell({ kind: 'network', sample: meter.sample(voice!.statistics()) });
  }, NETWORK_EVERY_MS);
  setInterval(() => tell({ kind: 'levels', levels: levelsOf(voice!), mine }), LEVELS_EVERY_MS);
}

function useOutput(pipe: PipeEnd, rateHz: number): void {
  output?.close();
  const block = new Int16Array(Math.round(rateHz / BLOCKS_PER_S));
  const writer = new PcmWriter(pipe, (samples) => {
    for (let left = samples; left > 0; left -= block.length) writer.write(voice ? voice.pull(block) : block);
  });
  output = writer;
}

async function useMicrophone(order: MicrophoneOrder | null): Promise<void> {
  wish += 1;
  const wished = wish;
  const before = microphone;
  microphone = null;
  voice?.setMicrophone(null);
  before?.reader.close();
  before?.capture.close();
  mine = SILENCE_DB;
  if (!order || !voice) return;
  const { pipe, rateHz, processingUrl } = order;
  const processor = processingUrl === null ? null : await makeProcessor(processingUrl, rateHz);
  if (wished !== wish) return;
  const capture = new PcmMicrophone({
    ...{ steamId: voice.you.steamId, sampleRateHz: rateHz },
    ...(processor && { processor }),
  });
  const reader = new PcmReader(pipe, (pcm) => {
    mine = levelOf(pcm);
    capture.write(pcm);
  });
  microphone = { capture, reader };
  voice.setMicrophone(capture);
  showLobby();
}

/** Noise suppression of our own; null at a rate that it cannot do. */
async function makeProcessor(url: string, sampleRateHz: number): Promise<MicrophoneProcessor | null> {
  const module = await compileProcessing(url);
  const isFit = (PROCESSING_RATES_HZ as readonly number[]).includes(sampleRateHz);
  return isFit ? new MicrophoneProcessor(module, { sampleRateHz, noiseSuppression: true }) : null;
}

function levelOf(pcm: Int16Array): number {
  let sum = 0;
  for (const sample of pcm) sum += sample * sample;
  return Math.max(SILENCE_DB, 10 * Math.log10(sum / pcm.length / 32_768 ** 2 + 1e-10));
}

globalThis.onmessage = ({ data: message }: MessageEvent<ToWorker>) => {
  switch (message.kind) {
    case 'join':
      void join(message.order);
      return;
    case 'output':
      useOutput(message.pipe, message.rateHz);
      return;
    case 'microphone':
      useMicrophone(message.order).catch((thrown: unknown) => {
        console.error(thrown);
        tell({ kind: 'microphone-lost' });
      });
      return;
  }
  if (voice) obey(voice, message);
};

function obey(voice: Voice, message: Exclude<ToWorker, { kind: 'join' | 'output' | 'microphone' }>): void {
  switch (message.kind) {
    case 'press':
      voice.press();
      break;
    case 'release':
      void voice.release();
      break;
    case 'mute':
      voice.mute();
      break;
    case 'unmute':
      voice.unmute();
      break;
    case 'leave':
      void voice.leave();
      break;
    case 'talk-mode':
      voice.setTalkMode(message.mode);
      break;
    case 'speak-to':
      voice.speakTo(message.target);
      break;
    case 'whisper':
      voice.whisper(message.steamIds.map(BigInt));
      break;
    case 'enter':
      voice.enter(message.channels);
      break;
    case 'rename':
      voice.rename(message.name);
      break;
    case 'set':
      voice.set(BigInt(message.steamId), message.settings);
      break;
    case 'block':
      voice.block(BigInt(message.steamId));
      break;
    case 'unblock':
      voice.unblock(BigInt(message.steamId));
      break;
    case 'moderate':
      voice.moderate({ action: message.action, steamId: BigInt(message.steamId) });
  }
  showLobby();
}
