/** A game's voice while the network to us stalls, in simulated time: what is old is never heard, and what was skipped is not taken for loss. */

import t, { type Test } from 'tap';
import type { VoiceEvent } from '../../../client/index.js';
import { joinVoice } from '../../../client/join_voice.js';
import { readAcknowledgement } from '../../../voice/acknowledgement.js';
import { type RelayMessageToWrite, writeMessage } from '../../../voice/control.js';
import { personSteamId } from '../../../voice/steam_id.js';
import { stampVoiceFrame, writeVoiceFrame } from '../../../voice/wire.js';
import { loadCodec } from '../../../wasm/load.js';
import { talk } from '../../kit/playout/run.js';
import { tonePcm } from '../../kit/tone.js';
import { RESUME, scriptedTransport, welcomeOf } from '../scripted_transport.js';
import { simulatedIo } from '../simulated_io.js';

loadCodec();

const KIM = { slot: 1, steamId: String(personSteamId(9)), name: 'Kim', speaking: true };
/** A tone of 30 s in one talkspurt. */
const TONE = talk(tonePcm(30), { dtx: false });
const FRAME_MS = 20;

/** Ada in a lobby with Kim, who speaks: one frame per step. */
async function listening(t: Test) {
  const { io, tick } = simulatedIo();
  const { open, say, sent } = scriptedTransport();
  const told: VoiceEvent[] = [];
  const joining = joinVoice(
    {
      ...{ url: 'ws://relay', lobby: 'den', name: 'Ada', transport: open },
      ...{ onEvent: (event) => told.push(event), output: { rateHz: 24_000 } },
    },
    io,
  );
  await new Promise((resolve) => setImmediate(resolve));
  say().onOpen();
  const message = (said: RelayMessageToWrite) => say().onText(writeMessage(said));
  // A relay without heartbeats: nobody races new connections during the stall.
  const capabilities = ['stale'];
  message(welcomeOf({ capabilities, staleAfterMs: 150, participants: [KIM], resume: RESUME }));
  const voice = await joining;
  t.teardown(() => {
    void voice.leave();
    say().onClose(1000, '', null);
  });
  let spoken = 0;
  const waiting: Uint8Array[] = [];
  const pcm = new Int16Array(480);
  let loud = 0;
  return {
    ...{ voice, told, sent, message, waiting, now: io.now },
    /** Kim speaks for so long, and we pull; the frames wait, or arrive at once. */
    speak: (ms: number, network: 'stalled' | 'up') => {
      for (let at = 0; at < ms; at += FRAME_MS) {
        tick(FRAME_MS);
        const { header, packet } = TONE[spoken]!;
        const frame = writeVoiceFrame({ ...header, target: 0 }, packet);
        stampVoiceFrame(frame, { slot: 1, relaySequence: spoken, relayTimeMs: io.now(), acknowledge: false });
        spoken += 1;
        waiting.push(frame);
        if (network === 'up') for (const each of waiting.splice(0)) say().onBytes(each);
        voice.pull(pcm);
        loud = pcm.some((sample) => Math.abs(sample) > 4000) ? loud + FRAME_MS : 0;
      }
    },
    /** The relay parked us: of what waits it sent the beginning alone. */
    park: (sentMs: number) => {
      for (const frame of waiting.splice(0).slice(0, sentMs / FRAME_MS)) say().onBytes(frame);
      message({ type: 'parked', relayTimeMs: io.now() });
      message({ type: 'hears', until: [[1, 0, spoken]], next: [[1, 0, spoken]] });
      message({ type: 'live' });
    },
    /** How long there has been sound without a pause, in ms. */
    loudMs: () => loud,
    speaker: () => voice.statistics().speakers[0]!,
  };
}

for (const stallMs of [500, 900, 2000, 20_000]) {
  t.test(
    `after ${stallMs} ms in which we were parked, voice goes on at once and nothing was lost`,
    async (t) => {
      const { voice, told, sent, speak, park, loudMs, speaker, now } = await listening(t);
      speak(3000, 'up');
      const before = speaker();
      speak(stallMs, 'stalled');
      park(260);
      t.equal(readAcknowledgement(sent.at(-1) as Uint8Array), now(), 'parked was acknowledged');
      speak(200, 'up');
      t.ok(loudMs() >= 100, `after 200 ms it has been heard for ${loudMs()} ms`);
      speak(2000, 'up');
      const after = speaker();
      t.same([after.lostMs, after.latePackets], [before.lostMs, before.latePackets]);
      t.ok(
        after.concealedMs - before.concealedMs <= 1100,
        `${after.concealedMs} ms concealed, most of it silent`,
      );
      t.ok(after.targetDelayMs <= before.targetDelayMs + 1, 'the delay has learned nothing from it');
      t.ok(
        after.delayMs <= before.delayMs + 30,
        `the delay is ${after.delayMs}, before it was ${before.delayMs}`,
      );
      const { lobby } = voice.statistics();
      t.match(lobby, {
        framesMissed: 0,
        framesSkipped: stallMs / FRAME_MS - 13,
        parks: 1,
        dropped: { stale: 13 },
      });
      const skippedFrames = stallMs / FRAME_MS - 13;
      t.match(
        told.filter(({ kind }) => kind === 'parked' || kind === 'caught-up'),
        [{ kind: 'parked' }, { kind: 'caught-up', skippedFrames }],
      );
    },
  );
}

t.test('a backlog of a relay that does not park is not heard either', async (t) => {
  const { voice, speak, speaker, loudMs } = await listening(t);
  speak(3000, 'up');
  const before = speaker();
  speak(10_000, 'stalled');
  speak(300, 'up');
  t.ok(loudMs() >= 150);
  const after = speaker();
  t.equal(after.lostMs, before.lostMs);
  t.equal(after.skippedMs - before.skippedMs <= 150, true, 'of what arrived, at most the budget is skipped');
  t.equal(voice.statistics().lobby.dropped.stale, 10_000 / FRAME_MS + 1 - 8);
});
