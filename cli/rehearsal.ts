/**
 * A rehearsal: players with a script in one lobby on a real relay, and a listener. The demo and benchmarks run it.
 *
 * Everything is what a game would use: one capture worker, ring and decoder per speaker, push-to-talk, a relay process, and WebSockets
 * on loopback. The latency side channel records each stage.
 */

import { setMaxListeners } from 'node:events';
import { monotonicMs } from '../client/clock.js';
import { type DecodedLobby, decodeLobby } from '../client/decode_lobby.js';
import { joinLobby } from '../client/lobby/join.js';
import type { Lobby, LobbyEvents } from '../client/lobby/lobby.js';
import type { DecodedVoice } from '../client/receiver.js';
import type { Participant } from '../client/session/lobby_state.js';
import { StageLog } from '../client/stage_log.js';
import { Publisher } from '../client/talking/publisher.js';
import { type Capture, embeddedSteam, startCapture } from '../native/capture/capture.js';
import type { VoiceInputOptions } from '../native/embedded/voice_input.js';
import type { HotmicError } from '../voice/error.js';
import { personSteamId } from '../voice/steam_id.js';
import type { Milliseconds } from '../voice/units.js';
import { forkRelay, type RelayProcess } from './relay/process.js';

/** When a player holds the key. */
export interface Turn {
  readonly atMs: Milliseconds;
  /** How long; null until the input ends. */
  readonly holdMs: Milliseconds | null;
}

/** A speaker and the script. */
export interface Part {
  readonly name: string;
  readonly input: VoiceInputOptions;
  /** In order, one after the other. */
  readonly turns: readonly Turn[];
}

export interface RehearsalOptions {
  readonly parts: readonly Part[];
  /** Events of the listener's lobby. */
  readonly events?: Omit<LobbyEvents, 'onVoice'>;
  readonly onDecoded?: (participant: Participant, voice: DecodedVoice) => void;
  /** Ends the rehearsal early: keys are released, tails are still heard. */
  readonly stop?: AbortSignal;
}

/** One speaker's packets, stage by stage. */
export interface PartResult {
  readonly name: string;
  readonly slot: number;
  /** Packets that getVoice returned, as counted by the capture worker. */
  readonly captured: number;
  /** Entries that passed the ring: packets, and the end of each talkspurt. */
  readonly ringEntries: number;
  /** Discarded in the speaker's process: the ring was full, or they were too old. */
  readonly discarded: number;
  /** Voice frames that the relay published. */
  readonly relayed: number;
  /** Voice frames that the listener decoded. */
  readonly decoded: number;
  /** Voice frames that never reached the listener, or could not be decoded. */
  readonly lost: number;
  readonly concealedFrames: number;
  readonly talkspurts: number;
}

export interface RehearsalResult {
  readonly parts: readonly PartResult[];
  readonly stages: StageLog;
  /** When it ended, on the relay's clock. */
  readonly endRelayTimeMs: number;
  /** Game frames of all capture workers, and those that began more than one frame late: with more than a few, latencies mean little. */
  readonly gameFrames: number;
  readonly lateGameFrames: number;
}

const LOBBY = 'rehearsal';

/** Accounts of the players, the listener's first. */
const FIRST_ACCOUNT = 7800;

interface Player {
  readonly part: Part;
  readonly capture: Capture;
  readonly lobby: Lobby;
  readonly publisher: Publisher;
  readonly inputEnded: Promise<void>;
}

/** Runs a rehearsal to its end. @throws HotmicError of the first failure, after everything is closed. */
export async function rehearse(options: RehearsalOptions): Promise<RehearsalResult> {
  const stages = new StageLog();
  const relayed = new Map<number, number>();
  const failures: HotmicError[] = [];
  const stop = new AbortController();
  const stopped = options.stop ? AbortSignal.any([options.stop, stop.signal]) : stop.signal;
  // One listener per player is not a leak.
  setMaxListeners(0, stopped);
  const fail = (error: HotmicError | null) => {
    if (!error) return;
    failures.push(error);
    stop.abort();
  };

  const relay = await forkRelay((slot, sequence, at) => {
    relayed.set(slot, (relayed.get(slot) ?? 0) + 1);
    stages.relayed(slot, sequence, at);
  });
  const players: Player[] = [];
  let listener: DecodedLobby | null = null;
  try {
    listener = await decodeLobby({
      url: relay.url,
      lobby: LOBBY,
      name: 'listener',
      steamId: personSteamId(FIRST_ACCOUNT),
      // A measurement must show that a connection broke.
      reconnect: 'never',
      onDecoded: (participant, voice) => options.onDecoded?.(participant, voice),
      onStages: (slot, sequence, arrivedAt, decodedAt) =>
        stages.decoded(slot, sequence, arrivedAt, decodedAt),
      events: options.events ?? {},
    });
    void listener.ended.then(fail);
    for (const [index, part] of options.parts.entries()) {
      players.push(await enter(relay, part, personSteamId(FIRST_ACCOUNT + 1 + index), stages, fail));
    }

    const startedAt = monotonicMs();
    await Promise.all(players.map((player) => perform(player, startedAt, stopped)));
    const elapsedMs = monotonicMs() - startedAt;

    let gameFrames = 0;
    let lateGameFrames = 0;
    const captured: number[] = [];
    for (const { capture, publisher } of players) {
      const counts = await capture.close();
      await publisher.finished();
      gameFrames += counts.polls;
      lateGameFrames += counts.lateFrames;
      captured.push(counts.packets);
    }
    if (failures[0]) throw failures[0];
    await arrival(players, listener);
    // Leaving takes the same way as voice: when everyone has left, all earlier voice has arrived.
    for (const { lobby } of players) await lobby.leave();
    await listener.lobby.leave();
    await relay.close();

    const { receiver, lobby } = listener;
    const parts = players.map((player, index): PartResult => {
      const { slot } = player.lobby;
      const heard = receiver.counts(slot);
      const { refused, discarded, talkspurts } = player.publisher.counts();
      const ringEntries = player.capture.ring.counts().committed;
      return {
        name: player.part.name,
        slot,
        captured: captured[index] ?? 0,
        ringEntries,
        discarded: refused + discarded,
        relayed: relayed.get(slot) ?? 0,
        decoded: heard ? heard.packets - heard.late - heard.refused : 0,
        lost: heard ? heard.lost + heard.refused : 0,
        concealedFrames: heard?.concealedFrames ?? 0,
        talkspurts,
      };
    });
    const endRelayTimeMs = (lobby.joinedRelayTimeMs + Math.round(elapsedMs)) >>> 0;
    return { parts, stages, endRelayTimeMs, gameFrames, lateGameFrames };
  } finally {
    await Promise.allSettled(players.map(({ capture }) => capture.close()));
    await relay.close();
    listener?.receiver.close();
  }
}

async function enter(
  relay: RelayProcess,
  part: Part,
  steamId: bigint,
  stages: StageLog,
  fail: (error: HotmicError | null) => void,
): Promise<Player> {
  let sayEnded: () => void = () => undefined;
  const inputEnded = new Promise<void>((resolve) => {
    sayEnded = resolve;
  });
  const capture = await startCapture({
    steam: embeddedSteam({ steamId, input: part.input }),
    onInputEnded: sayEnded,
    onFailed: fail,
  });
  let lobby: Lobby;
  try {
    lobby = await joinLobby({
      url: relay.url,
      lobby: LOBBY,
      name: part.name,
      steamId,
      reconnect: 'never',
      events: { onEnded: fail },
    });
  } catch (thrown) {
    await capture.close();
    throw thrown;
  }
  const publisher = new Publisher({
    capture,
    publish: lobby.publish,
    // A rehearsal measures: late voice must show as late, and not be dropped.
    maxAgeMs: 5000,
    onTaken: (sequence, capturedAt, takenAt) => stages.taken(lobby.slot, sequence, capturedAt, takenAt),
  });
  return { part, capture, lobby, publisher, inputEnded };
}

/** Plays one part: presses and releases the key as the script says. */
async function perform(player: Player, startedAt: Milliseconds, stop: AbortSignal): Promise<void> {
  for (const turn of player.part.turns) {
    await until(startedAt + turn.atMs, stop);
    if (stop.aborted) return;
    player.publisher.press();
    if (turn.holdMs === null) await Promise.race([player.inputEnded, aborted(stop)]);
    else await until(startedAt + turn.atMs + turn.holdMs, stop);
    await player.publisher.release();
  }
}

/** Waits until everything that was sent has arrived, or nothing arrives any more. */
async function arrival(players: readonly Player[], listener: DecodedLobby): Promise<void> {
  const deadline = monotonicMs() + 1000;
  const sent = players.reduce((sum, { lobby }) => sum + lobby.counts().framesSent, 0);
  while (listener.lobby.counts().framesReceived < sent && monotonicMs() < deadline)
    await until(monotonicMs() + 10);
}

function aborted(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => stop.addEventListener('abort', () => resolve()));
}

function until(instant: Milliseconds, stop?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, Math.max(0, instant - monotonicMs()));
    function done() {
      clearTimeout(timer);
      stop?.removeEventListener('abort', done);
      resolve();
    }
    if (stop?.aborted) done();
    stop?.addEventListener('abort', done);
  });
}
