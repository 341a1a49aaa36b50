/** A lobby combined with a receiver: speakers are named, and the lobby's other events are passed on. */

import t from 'tap';
import { type DecodeLobbyOptions, decodeLobby } from '../../client/decode_lobby.js';
import type { LobbyEvents } from '../../client/lobby/lobby.js';
import { startRelay } from '../../relay/index.js';
import { type RelayMessageToWrite, writeMessage } from '../../voice/control.js';
import { personSteamId } from '../../voice/steam_id.js';
import { stampVoiceFrame, writeVoiceFrame } from '../../voice/wire.js';
import { codecLiveBytes } from '../../wasm/module.js';
import { frameOf, opusOp, packetOfOps, RATE_24K } from '../kit/raw_packet.js';
import { scriptedTransport, WELCOME } from './scripted_transport.js';

const MEMBER = { lobby: 'den', steamId: personSteamId(1), name: 'Ada' };

function ben(slot: number) {
  return { slot, steamId: String(personSteamId(10)), name: 'Ben' };
}

/** A voice frame with one DTX frame, from any speaker. */
function voiceFrom(slot: number, sequence: number): Uint8Array {
  const fields = { marker: false, terminator: false, target: 0, sequence, timestamp: 480 * sequence };
  const packet = packetOfOps(RATE_24K + opusOp(frameOf(sequence, '68')));
  const frame = writeVoiceFrame(fields, packet);
  stampVoiceFrame(frame, { slot, relaySequence: 0, relayTimeMs: 20 * sequence, acknowledge: false });
  return frame;
}

/** A player in a lobby with Kim, over a scripted transport, and the events in order. */
async function joined(options: Partial<DecodeLobbyOptions> = {}) {
  const told: string[] = [];
  const { open, say } = scriptedTransport();
  const events: Omit<LobbyEvents, 'onVoice'> = {
    onWelcome: (lobby) => told.push(`welcome ${lobby.participants.map(({ name }) => name).join()}`),
    onJoined: ({ name }) => told.push(`joined ${name}`),
    onLeft: ({ name }) => told.push(`left ${name}`),
    onSpeaking: ({ name, speaking }) => told.push(`${name} ${speaking ? 'speaks' : 'is silent'}`),
    onEnded: (error) => told.push(`ended ${error?.code ?? null}`),
  };
  const joining = decodeLobby({
    ...MEMBER,
    url: 'ws://relay',
    transport: open,
    reconnect: 'never',
    events,
    onDecoded: ({ name, slot }, voice) => told.push(`${name} ${slot}/${voice.slot}: ${voice.sequence}`),
    ...options,
  });
  say().onOpen();
  say().onText(WELCOME);
  const voice = await joining;
  t.teardown(() => voice.receiver.close());
  const message = (message: RelayMessageToWrite) => say().onText(writeMessage(message));
  return { ...voice, told, say, message };
}

t.test('each voice frame is reported with its speaker', async (t) => {
  const { told, say, message, receiver } = await joined();
  message({ type: 'joined', participant: ben(2) });
  say().onBytes(voiceFrom(1, 0));
  say().onBytes(voiceFrom(2, 0));
  say().onBytes(voiceFrom(2, 1));
  say().onBytes(voiceFrom(1, 1));
  t.same(told.slice(2), ['Kim 1/1: 0', 'Ben 2/2: 0', 'Ben 2/2: 1', 'Kim 1/1: 1']);
  t.match(receiver.counts(2), { packets: 2, decodedFrames: 2, lost: 0 });
  say().onClose(1000, '', null);
});

t.test('a new participant in a slot starts afresh, and the previous one is still counted', async (t) => {
  const { told, say, message, receiver } = await joined();
  say().onBytes(voiceFrom(1, 40_000));
  message({ type: 'left', slot: 1 });
  t.match(receiver.counts(1), { packets: 1 }, 'the counters are kept until someone else gets the slot');
  message({ type: 'joined', participant: ben(1) });
  t.equal(receiver.counts(1), null);
  // The packets carry the same SteamID, and the frame with the marker was lost.
  say().onBytes(voiceFrom(1, 3));
  t.equal(told.at(-1), 'Ben 1/1: 3');
  t.match(receiver.counts(1), { packets: 1, late: 0, lost: 0, concealedFrames: 0 });
  say().onClose(1000, '', null);
});

t.test("the lobby's events are passed on, in order", async (t) => {
  const { told, say, message, ended } = await joined();
  message({ type: 'joined', participant: ben(2) });
  say().onBytes(voiceFrom(1, 0));
  message({ type: 'speaking', slot: 1, speaking: true });
  message({ type: 'speaking', slot: 1, speaking: false });
  message({ type: 'left', slot: 1 });
  say().onBytes(voiceFrom(1, 1));
  say().onClose(1001, '', null);
  t.same(told, [
    'welcome Kim',
    'joined Ben',
    'Kim 1/1: 0',
    'Kim speaks',
    'Kim is silent',
    'left Kim',
    'ended ERR_HOTMIC_CONNECTION_LOST',
  ]);
  t.match(await ended, { code: 'ERR_HOTMIC_CONNECTION_LOST' });
});

t.test('ended resolves to null when we leave, without any callbacks', async (t) => {
  const relay = await startRelay({ dev: true });
  t.teardown(() => relay.close());
  const { lobby, ended } = await decodeLobby({ ...MEMBER, url: relay.url, onDecoded() {} });
  await lobby.leave();
  t.equal(await ended, null);
});

t.test('no decoder is kept for a speaker who left, or after the lobby ended', async (t) => {
  const before = codecLiveBytes();
  const { say, message, receiver, ended } = await joined();
  message({ type: 'joined', participant: ben(2) });
  say().onBytes(voiceFrom(1, 0));
  const one = codecLiveBytes();
  say().onBytes(voiceFrom(2, 0));
  message({ type: 'left', slot: 2 });
  t.ok(codecLiveBytes() < one + 1000, 'a decoder takes 18 kB');
  say().onClose(1001, '', null);
  t.match(await ended, { code: 'ERR_HOTMIC_CONNECTION_LOST' });
  t.equal(codecLiveBytes(), before);
  t.match(receiver.counts(1), { packets: 1 }, 'the counters can still be read');
});

t.test('the latency side channel of the receiver is passed on', async (t) => {
  const notes: number[][] = [];
  const { say } = await joined({ onStages: (slot, sequence) => notes.push([slot, sequence]) });
  say().onBytes(voiceFrom(1, 7));
  t.same(notes, [[1, 7]]);
  say().onClose(1000, '', null);
});

t.test('joining can be refused and aborted as with a lobby', async (t) => {
  const { open, urls } = scriptedTransport();
  const options = { ...MEMBER, url: 'ws://relay', transport: open, onDecoded() {} };
  await t.rejects(decodeLobby({ ...options, name: '' }), RangeError);
  await t.rejects(decodeLobby({ ...options, signal: AbortSignal.abort() }), { code: 'ERR_HOTMIC_CLOSED' });
  t.same(urls, [], 'nothing is opened');
});
