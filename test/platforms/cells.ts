/**
 * What a platform has to do to be supported, one check per part. They run on anything that runs the compiled modules (Node, Bun,
 * Deno, under wine or qemu-user), so they use plain asserts, and load a part only when it is checked.
 */

import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { PcmMicrophoneOptions } from '../../client/index.js';
import type { CellName } from './result.js';

const RATE_HZ = 24_000;
const TONE_HZ = 440;
const LOUDNESS = 11_000;
const SPEAKER = 76561197960265729n;
const LISTENER = 76561197960265730n;
/** Each packet has three frames of 20 ms. */
const FRAMES = 3;
const PACKET_MS = FRAMES * 20;

const toneAt = (at: number) => Math.round(LOUDNESS * Math.sin((2 * Math.PI * TONE_HZ * at) / RATE_HZ));

/** Half a second of the tone's middle must be at its frequency, and nowhere else. */
function assertTone(pcm: readonly number[]): void {
  assert.ok(pcm.length >= RATE_HZ * 0.9, `heard ${pcm.length} samples, expected a second`);
  const middle = pcm.slice(RATE_HZ * 0.25, RATE_HZ * 0.75);
  const amplitude = (hz: number) => {
    let [re, im] = [0, 0];
    for (const [at, sample] of middle.entries()) {
      re += sample * Math.cos((2 * Math.PI * hz * at) / RATE_HZ);
      im += sample * Math.sin((2 * Math.PI * hz * at) / RATE_HZ);
    }
    return (2 * Math.hypot(re, im)) / middle.length;
  };
  const [heard, elsewhere] = [amplitude(TONE_HZ), amplitude(1000)];
  assert.ok(heard > 0.7 * LOUDNESS, `the tone has an amplitude of ${heard}, expected about ${LOUDNESS}`);
  assert.ok(elsewhere < 0.05 * LOUDNESS, `1 kHz has an amplitude of ${elsewhere}, expected none`);
}

/** A second of the tone as Steam Voice packets of three frames, and the end of the recording. */
async function tonePackets(): Promise<Uint8Array[]> {
  const { loadCodec, VoiceEncoder } = await import('../../wasm/index.js');
  loadCodec();
  const encoder = new VoiceEncoder(SPEAKER, { framesPerPacket: FRAMES });
  const packets: Uint8Array[] = [];
  const packet = new Uint8Array(8192);
  encoder.write(Int16Array.from({ length: RATE_HZ }, (_, at) => toneAt(at)));
  encoder.end();
  for (let bytes = encoder.read(packet); bytes > 0; bytes = encoder.read(packet))
    packets.push(packet.slice(0, bytes));
  encoder.free();
  return packets;
}

/** Opus in WebAssembly: a tone becomes packets and sound again. */
async function codec(): Promise<void> {
  const { VoiceDecoder } = await import('../../wasm/index.js');
  const packets = await tonePackets();
  assert.ok(packets.length > 10, `${packets.length} packets`);
  const decoder = new VoiceDecoder(RATE_HZ);
  const pcm = new Int16Array(2 * RATE_HZ);
  let samples = 0;
  for (const packet of packets) {
    const decoded = decoder.decompress(packet, pcm, samples);
    assert.equal(decoded.result, 0, 'VOICE_RESULT_OK');
    samples += decoded.samples;
  }
  decoder.free();
  assert.equal(samples, RATE_HZ + 750, 'a second, and the silence that ends a recording');
  assertTone([...pcm.subarray(0, samples)]);
}

/** Two clients in a lobby of the relay at `url`: one says a tone, the other hears it. */
async function converse(url: string): Promise<void> {
  const { decodeLobby } = await import('../../client/index.js');
  const { TalkspurtNumberer } = await import('../../voice/index.js');
  const heard: number[] = [];
  let onLeft: () => void = () => undefined;
  const left = new Promise<void>((resolve) => {
    onLeft = resolve;
  });
  const listener = await decodeLobby({
    url,
    lobby: 'smoke',
    steamId: LISTENER,
    name: 'Ben',
    onDecoded: (_speaker, { pcm }) => heard.push(...pcm),
    // It comes after everything that the speaker said.
    events: { onLeft: () => onLeft() },
  });
  const speaker = await decodeLobby({
    url,
    lobby: 'smoke',
    steamId: SPEAKER,
    name: 'Ada',
    onDecoded: () => undefined,
  });
  const numberer = new TalkspurtNumberer(performance.now());
  const packets = await tonePackets();
  for (const packet of packets) {
    // At the pace of speech, which the relay enforces.
    await pause(PACKET_MS);
    const phase = packet === packets.at(-1) ? 'draining' : 'talking';
    for (const numbered of numberer.push(packet, performance.now(), phase))
      assert.ok(speaker.lobby.publish(numbered), 'it was sent');
  }
  for (const numbered of numberer.end()) assert.ok(speaker.lobby.publish(numbered), 'it was sent');
  const { framesSent } = speaker.lobby.counts();
  await speaker.lobby.leave();
  await left;
  assert.equal(listener.lobby.counts().framesReceived, framesSent, 'every voice frame arrived');
  await listener.lobby.leave();
  assert.equal(await listener.ended, null, 'the membership ended in order');
  assertTone(heard);
}

/** The client, with a relay that runs elsewhere. */
async function client(relay: string | null): Promise<void> {
  if (relay === null) throw new NotRun('needs --relay with the URL of a relay');
  await converse(relay);
  await talk(relay);
}

/** A player with a microphone of their own, and one who hears them: `joinVoice`, as a game uses it. */
async function talk(url: string): Promise<void> {
  const { joinLobby, joinVoice, PcmMicrophone } = await import('../../client/index.js');
  const { loadCodec } = await import('../../wasm/index.js');
  const { SCENARIOS } = await import('../client/scenarios/scenarios.js');
  const makeMicrophone = (options: PcmMicrophoneOptions) => new PcmMicrophone(options);
  const control = async () => undefined;
  const client = { joinLobby, joinVoice, makeMicrophone, loadCodec };
  const { isTone } = await SCENARIOS.tone!(client, { url, next: url, control });
  assert.ok(isTone, 'the listener hears the tone');
}

/** The capture worker with the embedded Steam, through the ring. */
async function capture(): Promise<void> {
  const { embeddedSteam, startCapture } = await import('../../native/index.js');
  const { readPacket } = await import('../../voice/index.js');
  const capture = await startCapture({
    steam: embeddedSteam({ steamId: SPEAKER, input: { kind: 'tone' } }),
  });
  capture.startVoiceRecording();
  let packets = 0;
  while (packets < 10) {
    await capture.ring.waitAsync(60_000);
    for (let entry = capture.ring.read(); entry !== null; entry = capture.ring.read()) {
      if (entry.bytes.length > 0) {
        assert.equal(readPacket(entry.bytes).kind, 'packet');
        packets += 1;
      }
      capture.ring.release();
    }
  }
  capture.stopVoiceRecording();
  const counts = await capture.close();
  assert.ok(counts.packets >= packets, `${counts.packets} packets captured, ${packets} read`);
}

/** The addon for the real Steam: it loads, and passes on what the system's loader says. */
async function addon(): Promise<void> {
  const { loadAddon } = await import('../../native/real/addon.js');
  const { openRealSteam } = await import('../../native/real/open.js');
  const loaded = loadAddon();
  if (loaded.kind === 'missing') throw new Error(loaded.reason);
  assert.ok(loaded.addon.steamSymbols().length > 30);
  assert.equal(loaded.addon.counts().library, null);
  // Through the addon itself: openRealSteam looks for the file before.
  const { stage, text } = loaded.addon.init(resolve('/nowhere/no_such_steam_api'), 0);
  assert.equal(stage, 'library');
  assert.match(text, /no_such_steam_api.{10}/, 'the reason that the loader gives');
  const opened = openRealSteam({ library: '/nowhere/no_such_steam_api' });
  assert.ok(opened.kind === 'failed' && opened.stage === 'library', JSON.stringify(opened));
}

/** A relay in this process. */
async function relay(layer: 'uws' | 'ws'): Promise<void> {
  const { startRelay } = await import('../../relay/index.js');
  const relay = await startRelay({ dev: true, sockets: layer }).catch((thrown) => {
    if (thrown?.code === 'ERR_HOTMIC_RELAY_MISSING') throw new NotRun(reasonIn(thrown.message));
    throw thrown;
  });
  try {
    assert.equal(relay.sockets.layer, layer);
    await converse(relay.url);
    assert.ok(relay.counts().publishedFrames > 10, `${relay.counts().publishedFrames} frames published`);
  } finally {
    await relay.close();
  }
}

/** Why uWebSockets is missing, as the relay says it: without its own words, and without this version, which is in the result. */
const reasonIn = (message: string) =>
  message
    .replace(/^Cannot start the relay(?: with uWebSockets)?: /, '')
    .replace(/; or start it with sockets ws$/, '')
    .replace(/: This version of uWS.*$/s, '')
    .replace(/ (?:for|in) Node [\d.]+/, '');

/** Why a cell was not tried. */
export class NotRun extends Error {}

/** Checks one part. @throws NotRun, or whatever failed. */
export function check(cell: CellName, relayUrl: string | null): Promise<void> {
  switch (cell) {
    case 'codec':
      return codec();
    case 'client':
      return client(relayUrl);
    case 'capture':
      return capture();
    case 'addon':
      return addon();
    case 'relay on uws':
      return relay('uws');
    case 'relay on ws':
      return relay('ws');
  }
}
