/** Carries out `Voice`: a lobby, its playout, a microphone, and how we hear people. */

import type { HotmicError } from '../../voice/error.js';
import type { Level } from '../../voice/mixing/level_meter.js';
import type { SpeakerSettings } from '../../voice/mixing/speaker_settings.js';
import type { Pose, Vector } from '../../voice/mixing/vector.js';
import { msOfSamples, type Samples } from '../../voice/units.js';
import type { Lobby, LobbyEvents } from '../lobby/lobby.js';
import type { LobbyIo } from '../platform/platform.js';
import { LobbyPlayout } from '../playout/lobby_playout.js';
import { SteamDecoders } from '../playout/steam_decoder.js';
import type { Member } from '../session/lobby_state.js';
import { checkTarget, type Moderation } from '../session/requests.js';
import type { VoiceTarget } from '../session/voice_target.js';
import { Microphone } from '../talking/microphone.js';
import type { TalkMode } from '../talking/talk_key.js';
import { joinWithSink, type VoiceSink } from '../voice_sink.js';
import { People, type Person } from './people.js';
import { SoundOutput } from './sound_output.js';
import { type SpeakerStatistics, speakerStatistics, type VoiceStatistics } from './statistics.js';
import type { MicrophoneCapture, Voice, VoiceOptions } from './voice.js';
import { type MissedEvents, type VoiceEvent, type VoiceEventOf, VoiceEvents } from './voice_event.js';

const DEFAULT_RATE_HZ = 48_000;

export class LobbyVoice implements Voice {
  readonly #options: VoiceOptions;
  readonly #io: LobbyIo;
  readonly #events = new VoiceEvents();
  /** Null until we have joined. */
  #ended: Promise<HotmicError | null> | null = null;
  readonly #steamDecoders: SteamDecoders | null;
  readonly #playout: LobbyPlayout;
  readonly #output: SoundOutput;
  readonly #people: People;
  readonly #microphone: Microphone;
  /** Made by the function that the application passed, for us to close. */
  #ownCapture: MicrophoneCapture | null = null;
  /** Null until the welcome. */
  #lobby: Lobby | null = null;
  #whispered: readonly bigint[] = [];

  /** Needs the codec. @throws as `joinVoice`, for options that are out of their range. */
  constructor(options: VoiceOptions, io: LobbyIo) {
    const { output = {}, decoder, onEvent, blocked = [] } = options;
    const { rateHz = DEFAULT_RATE_HZ, ...playout } = output;
    this.#options = options;
    this.#io = io;
    this.#steamDecoders = decoder ? new SteamDecoders(decoder) : null;
    const makeDecoder = this.#steamDecoders?.make;
    this.#playout = new LobbyPlayout({ ...playout, ...(makeDecoder && { makeDecoder }) });
    this.#output = new SoundOutput(this.#playout, rateHz);
    this.#people = new People(this.#playout, blocked);
    if (onEvent) this.#events.onAny(onEvent);
    const { talkMode, voiceActivation, muted } = options;
    this.#microphone = new Microphone({
      ...(talkMode && { mode: talkMode }),
      ...(voiceActivation && { voiceActivation }),
      ...(muted && { muted }),
      clock: io.now,
      publish: (packet, target) => this.#joined().publish(packet, target),
      onLive: (isLive) => this.#events.emit({ kind: 'live', isLive }),
      onLost: () => this.#events.emit({ kind: 'microphone-lost' }),
    });
  }

  /** Joins, and opens the microphone. */
  async join(): Promise<void> {
    const { microphone } = this.#options;
    try {
      const options = { ...this.#options, events: this.#lobbyEvents() };
      const { ended } = await joinWithSink(options, this.#sink(), this.#io);
      this.#ended = ended;
      if (typeof microphone === 'function') {
        this.#ownCapture = await microphone(this.you.steamId);
        if (this.state === 'over') this.#close();
        else this.#microphone.use(this.#ownCapture);
      } else if (microphone) this.#microphone.use(microphone);
    } catch (thrown) {
      this.#close();
      await this.#lobby?.leave();
      throw thrown;
    }
  }

  get state(): Voice['state'] {
    return this.#joined().state;
  }

  get you(): Member {
    return this.#joined().you;
  }

  get participants(): readonly Person[] {
    return this.#people.present;
  }

  get heard(): readonly Person[] | null {
    return this.#joined().heard?.map((participant) => this.#people.person(participant)) ?? null;
  }

  get unlisted(): number {
    return this.#joined().unlisted;
  }

  get channels(): readonly string[] {
    return this.#joined().channels;
  }

  get maySpeak(): boolean {
    return this.#joined().maySpeak;
  }

  get mayListen(): boolean {
    return this.#joined().mayListen;
  }

  get ended(): Promise<HotmicError | null> {
    if (!this.#ended) throw notJoined();
    return this.#ended;
  }

  on<Kind extends VoiceEvent['kind']>(kind: Kind, listener: (event: VoiceEventOf<Kind>) => void): () => void {
    return this.#events.on(kind, listener);
  }

  events(): AsyncIterableIterator<VoiceEvent | MissedEvents> {
    return this.#events.iterate();
  }

  pull(out: Int16Array): Int16Array {
    return this.#output.pull(out, this.#io.now());
  }

  pullEach(samples: Samples, take: (speaker: Person, pcm: Int16Array) => void): void {
    this.#output.pullEach(samples, this.#io.now(), (slot, pcm) => {
      const speaker = this.#people.withSlot(slot);
      if (speaker) take(speaker, pcm);
    });
  }

  get isLive(): boolean {
    return this.#microphone.isLive;
  }

  get isMuted(): boolean {
    return this.#microphone.isMuted;
  }

  get talkMode(): TalkMode {
    return this.#microphone.mode;
  }

  press(): void {
    this.#microphone.press();
  }

  release(): Promise<void> {
    return this.#microphone.release();
  }

  mute(): void {
    this.#microphone.mute();
  }

  unmute(): void {
    this.#microphone.unmute();
  }

  setTalkMode(mode: TalkMode): void {
    this.#microphone.setMode(mode);
  }

  speakTo(target: VoiceTarget): void {
    checkTarget(target);
    this.#microphone.speakTo(target);
  }

  whisper(steamIds: readonly bigint[]): boolean {
    this.#whispered = [...steamIds];
    return this.#tellWhispered();
  }

  setMicrophone(capture: MicrophoneCapture | null): void {
    this.#microphone.use(this.state === 'over' ? null : capture);
  }

  set(steamId: bigint, settings: SpeakerSettings): void {
    this.#people.set(steamId, settings);
  }

  settings(steamId: bigint): Required<SpeakerSettings> {
    return this.#people.settings(steamId);
  }

  setPosition(steamId: bigint, position: Vector | null): void {
    this.#people.setPosition(steamId, position);
  }

  setListener(listener: Pose): void {
    this.#playout.setListener(listener);
  }

  level(steamId: bigint): Level {
    // Nobody has the last slot: a lobby has fewer.
    return this.#playout.level(this.#people.withSteamId(steamId)?.slot ?? 0xffff);
  }

  get blocked(): readonly bigint[] {
    return this.#people.blocked;
  }

  block(steamId: bigint): void {
    this.#changeBlock(steamId, () => this.#people.block(steamId));
  }

  unblock(steamId: bigint): void {
    this.#changeBlock(steamId, () => this.#people.unblock(steamId));
  }

  enter(channels: readonly string[]): boolean {
    return this.#joined().enter(channels);
  }

  rename(name: string): boolean {
    return this.#joined().rename(name);
  }

  announceRecording(recording: boolean): boolean {
    return this.#joined().announceRecording(recording);
  }

  moderate(moderation: Moderation): boolean {
    return this.#joined().moderate(moderation);
  }

  statistics(): VoiceStatistics {
    const lobby = this.#joined();
    const speakers: SpeakerStatistics[] = [];
    for (const { slot, steamId } of lobby.participants) {
      const counts = this.#playout.counts(slot);
      if (counts) speakers.push(speakerStatistics(steamId, counts));
    }
    const counts = lobby.counts();
    return {
      reconnects: counts.resumes,
      speakers,
      lobby: counts,
      microphone: this.#microphone.counts(),
      evictedSpeakers: this.#playout.evictedSpeakers,
      limitedMs: msOfSamples(this.#playout.limitedSamples),
      steamDecoder: this.#steamDecoders?.counts() ?? null,
    };
  }

  async leave(): Promise<void> {
    // Ends the talkspurt for those who hear it.
    this.#microphone.use(null);
    await this.#joined().leave();
  }

  #joined(): Lobby {
    if (!this.#lobby) throw notJoined();
    return this.#lobby;
  }

  #changeBlock(steamId: bigint, change: () => boolean): void {
    const before = this.#people.withSteamId(steamId);
    if (!change()) return;
    const participant = this.#joined().participants.find((other) => other.steamId === steamId);
    if (participant && before)
      this.#events.emit({ kind: 'changed', participant: this.#people.here(participant), before });
    this.#events.emit({ kind: 'blocked', steamIds: this.blocked });
  }

  #tellWhispered(): boolean {
    const lobby = this.#joined();
    const wanted = new Set(this.#whispered);
    const here = lobby.participants.filter(({ steamId }) => wanted.has(steamId));
    return lobby.whisper(here.map(({ slot }) => slot));
  }

  /** Frees everything but the connection. */
  #close(): void {
    this.#microphone.use(null);
    this.#output.close();
    this.#playout.close();
    void this.#ownCapture?.close?.();
    this.#ownCapture = null;
  }

  #sink(): VoiceSink {
    return {
      take: (_, header, packet) => this.#playout.push(header, packet, this.#io.now()),
      forget: (slot) => {
        this.#playout.forget(slot);
        this.#output.forget(slot);
      },
      retire: (slot) => this.#playout.retire(slot),
      close: () => this.#close(),
    };
  }

  #lobbyEvents(): LobbyEvents {
    const events = this.#events;
    const people = this.#people;
    return {
      onWelcome: (lobby) => {
        this.#lobby = lobby;
        for (const participant of lobby.participants) people.here(participant);
      },
      onJoined: (participant) => {
        events.emit({ kind: 'joined', participant: people.here(participant) });
        if (this.#whispered.includes(participant.steamId)) this.#tellWhispered();
      },
      onLeft: (participant) => events.emit({ kind: 'left', participant: people.left(participant) }),
      onSpeaking: (participant) => {
        const person = people.here(participant);
        if (!person.blocked) events.emit({ kind: 'speaking', participant: person });
      },
      onChanged: (participant, before) => {
        events.emit({
          kind: 'changed',
          participant: people.here(participant),
          before: people.person(before),
        });
      },
      onUnlisted: (unlisted) => events.emit({ kind: 'unlisted', unlisted }),
      onYouChanged: (you, before) => events.emit({ kind: 'you-changed', you, before }),
      onChannels: (channels) => events.emit({ kind: 'channels', channels }),
      ...(this.#options.onFrame && { onVoice: this.#options.onFrame }),
      onParked: () => events.emit({ kind: 'parked' }),
      onCaughtUp: (skippedFrames) => events.emit({ kind: 'caught-up', skippedFrames }),
      onFailed: (code, message, request) => events.emit({ kind: 'failed', request, code, message }),
      onDraining: (withinMs, goTo) => events.emit({ kind: 'draining', withinMs, goTo }),
      onRedirectRefused: (goTo, why) => events.emit({ kind: 'redirect-refused', goTo, why }),
      onReconnecting: (error) => events.emit({ kind: 'reconnecting', error }),
      onResumed: (how) => {
        events.emit({ kind: 'resumed', how });
        // A new place whispers to nobody.
        if (how === 'joined-anew' && this.#whispered.length > 0) this.#tellWhispered();
      },
      onEnded: (error) => events.emit({ kind: 'ended', error }),
    };
  }
}

function notJoined(): RangeError {
  return new RangeError('Cannot use the voice: the relay has not sent a welcome yet');
}
