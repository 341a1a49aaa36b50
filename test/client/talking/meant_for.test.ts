/**
 * Every sample is heard only by those for whom it was captured. A game presses, releases, changes target, whisper list and lobby, and
 * loses its connection at random, while its thread is blocked at random, over a simulated clock, microphone, ring and relay.
 */

import t from 'tap';
import { joinLobby } from '../../../client/lobby/join.js';
import type { Lobby } from '../../../client/lobby/lobby.js';
import type { VoiceTarget } from '../../../client/session/voice_target.js';
import { Publisher } from '../../../client/talking/publisher.js';
import { CaptureTag, endTag, nextRequest } from '../../../voice/capture_tag.js';
import { readClientMessage, writeMessage } from '../../../voice/control.js';
import { readPacket } from '../../../voice/packet.js';
import { allocateRing, RingConsumer, RingProducer } from '../../../voice/ring.js';
import { personSteamId } from '../../../voice/steam_id.js';
import { packetOf, readVoiceHeader, Target } from '../../../voice/wire.js';
import { SEED, SeededRandom } from '../../kit/random.js';
import { frameOf, opusOp, packetOfOps, RATE_24K } from '../../kit/raw_packet.js';
import { RESUME, scriptedTransport, welcomeOf } from '../scripted_transport.js';
import { simulatedIo } from '../simulated_io.js';

const FRAME_MS = 20;
const STEP_MS = 5;

/** The people of the lobbies, one bit each. */
const EVERYBODY = { den: 0b000_0111, pub: 0b011_1000 };
const CHANNELS = { red: 0b101, blue: 0b010 };

type Name = keyof typeof EVERYBODY;

/** A relay with one lobby, as one speaker sees it: who hears a frame that arrives now. */
class RelayOfOne {
  readonly transport = scriptedTransport();
  readonly name: Name;
  readonly #hear: (frame: number, people: number) => void;
  #whispered = 0;
  /** The numbers of the channels and the slots of the people, which differ in each place. */
  #place = 0;
  #done = 0;
  #isCut = false;
  /** How many connections there had been when the last one was cut. */
  #cutAt = 0;
  /** How many there had been when the last place was lost. */
  #connections: number | null = null;

  constructor(name: Name, hear: (frame: number, people: number) => void) {
    this.name = name;
    this.#hear = hear;
  }

  /** The person in a slot, in this place. */
  personOf(slot: number): number {
    const first = this.name === 'den' ? 0 : 3;
    return 1 << (first + ((slot + this.#place) % 3));
  }

  get place(): number {
    return this.#place;
  }

  /** Processes what was sent since the last call, in order. */
  work(): void {
    const { sent } = this.transport;
    while (this.#done < sent.length) {
      const message = sent[this.#done++]!;
      if (this.#isCut) continue;
      if (typeof message === 'string') this.#read(message);
      else this.#pass(message);
    }
  }

  /** Loses what was sent and not processed yet. */
  cut(): void {
    this.#isCut = true;
    this.#cutAt = this.transport.urls.length;
    this.transport.say().onClose(1006, '', null);
  }

  /** Whether the client has connected again since the last cut. */
  get isCalled(): boolean {
    return this.transport.urls.length > this.#cutAt;
  }

  /** The next connection opens, and finds its place kept or gone. */
  reconnect(place: 'kept' | 'gone'): void {
    this.#done = this.transport.sent.length;
    this.transport.say().onOpen();
    if (place === 'kept') {
      this.#isCut = false;
      this.#welcome();
      return;
    }
    this.#connections = this.transport.urls.length;
    this.transport.say().onText('{"type":"refused","code":"resume-refused","message":"gone"}');
    this.transport.say().onClose(4013, 'resume-refused', null);
  }

  /** Whether the place was gone and the client has connected again. */
  get isAskedForAPlace(): boolean {
    return this.#connections !== null && this.transport.urls.length > this.#connections;
  }

  get isGone(): boolean {
    return this.#connections !== null;
  }

  rejoin(): void {
    this.#done = this.transport.sent.length;
    this.#connections = null;
    this.#isCut = false;
    this.#place += 1;
    this.#whispered = 0;
    this.transport.say().onOpen();
    this.#welcome();
  }

  #welcome(): void {
    const numbers = this.#numbers();
    const channels = [
      { number: numbers.red, name: 'red' },
      { number: numbers.blue, name: 'blue' },
    ];
    const you = {
      slot: 5,
      steamId: String(personSteamId(1)),
      name: 'Ada',
      channels: channels.map((it) => it.number),
    };
    this.transport.say().onText(writeMessage(welcomeOf({ you, channels, resume: RESUME })));
  }

  first(): void {
    this.transport.say().onOpen();
    this.#welcome();
  }

  #numbers() {
    return this.#place % 2 === 0 ? { red: 1, blue: 2 } : { red: 2, blue: 1 };
  }

  #read(text: string): void {
    const message = readClientMessage(text);
    if ('type' in message && message.type === 'whisper')
      this.#whispered = message.slots.reduce((people, slot) => people | this.personOf(slot), 0);
  }

  #pass(bytes: Uint8Array): void {
    const header = readVoiceHeader(bytes);
    const packet = packetOf(bytes);
    const read = readPacket(packet);
    if (header.kind !== 'header' || read.kind !== 'packet')
      throw new Error('what the client sends is readable');
    const people = this.#audience(header.target);
    for (const op of read.ops) {
      if (op.kind !== 'opus') continue;
      for (const frame of op.frames) {
        if (frame.kind !== 'frame') continue;
        this.#hear((packet[frame.start + 1]! << 8) | packet[frame.start + 2]!, people);
      }
    }
  }

  #audience(target: number): number {
    if (target === Target.lobby) return EVERYBODY[this.name];
    if (target === Target.whisper) return this.#whispered;
    const people = target === this.#numbers().red ? CHANNELS.red : CHANNELS.blue;
    return this.name === 'den' ? people : people << 3;
  }
}

/** A microphone behind Steam: numbered frames of 20 ms, delivered late and several at once. */
class Microphone {
  readonly producer: RingProducer;
  readonly #random: SeededRandom;
  readonly commands: { at: number; what: 'start' | 'stop' }[] = [];
  readonly #waiting: number[] = [];
  #state: 'idle' | 'talking' | 'tail' = 'idle';
  #tailUntil = 0;
  #lagMs = 0;
  #starts = 0;
  #opusSequence = 0;
  #nextPollAt = 0;

  constructor(storage: SharedArrayBuffer, random: SeededRandom) {
    this.producer = new RingProducer(storage);
    this.#random = random;
  }

  /** Advances the time to `now`, a multiple of the step. */
  work(now: number): void {
    while (this.commands[0] && this.commands[0].at <= now) this.#obey(this.commands.shift()!.what, now);
    if (this.#state !== 'idle' && now % FRAME_MS === 0) this.#waiting.push(now / FRAME_MS);
    if (this.#state === 'idle' || now < this.#nextPollAt) return;
    this.#nextPollAt = now + 15 + this.#random.below(this.#random.below(6) === 0 ? 60 : 5);
    this.#poll(now);
  }

  #obey(what: 'start' | 'stop', now: number): void {
    if (what === 'start') {
      this.#starts = nextRequest(this.#starts);
      if (this.#state === 'idle') {
        this.#lagMs = this.#random.below(100);
        this.#opusSequence = 0;
      }
      this.#state = 'talking';
    } else if (this.#state === 'talking') {
      this.#state = 'tail';
      this.#tailUntil = now + 200;
    }
  }

  #poll(now: number): void {
    const isOver = this.#state === 'tail' && now >= this.#tailUntil;
    // A frame that began at this instant is not complete yet.
    const whole = this.#waiting.filter((frame) => (frame + 1) * FRAME_MS + (isOver ? 0 : this.#lagMs) <= now);
    if (whole.length > 0) {
      this.#waiting.splice(0, whole.length);
      const frames = whole.map((frame) => {
        const number = frame.toString(16).padStart(4, '0');
        return frameOf(this.#opusSequence++, `48${number}03`);
      });
      const tag = this.#state === 'tail' ? CaptureTag.draining : CaptureTag.talking;
      this.#commit(packetOfOps(RATE_24K + opusOp(frames.join(''))), tag, now);
    } else if (isOver) {
      this.#waiting.length = 0;
      this.#state = 'idle';
      this.#commit(new Uint8Array(0), endTag(this.#starts), now);
    }
  }

  #commit(packet: Uint8Array, tag: number, now: number): void {
    const room = this.producer.reserve(packet.length);
    if (!room) throw new Error('the ring is large enough');
    room.set(packet);
    this.producer.commit(packet.length, tag, now);
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

interface Played {
  /** Frames of which someone heard a part that was not meant for them. */
  readonly leaked: readonly string[];
  readonly frames: number;
}

/** Simulates one game of `steps` steps. */
async function play(seed: number, steps: number): Promise<Played> {
  const random = new SeededRandom(seed);
  const { io, tick } = simulatedIo();
  const storage = allocateRing(1 << 20);
  const consumer = new RingConsumer(storage);
  const microphone = new Microphone(storage, random);
  const heard = new Map<number, number>();
  const hear = (frame: number, people: number) => heard.set(frame, (heard.get(frame) ?? 0) | people);
  const relays = { den: new RelayOfOne('den', hear), pub: new RelayOfOne('pub', hear) };
  const join = async (relay: RelayOfOne): Promise<Lobby> => {
    const joining = joinLobby(
      {
        url: 'ws://relay.example',
        lobby: relay.name,
        steamId: personSteamId(1),
        name: 'Ada',
        token: async () => 'a.b.c',
        transport: relay.transport.open,
      },
      io,
    );
    await nextTurn();
    relay.first();
    return await joining;
  };
  tick(1000);
  const lobbies = { den: await join(relays.den), pub: await join(relays.pub) };
  const all = Object.values(relays);

  // What the game intends; `meant` is a set of people for each millisecond.
  let name: Name = 'den';
  let target: VoiceTarget = 'lobby';
  let key = 'up' as 'up' | 'down';
  const listed = { den: 0, pub: 0 };
  let aim = 0;
  const aimNow = () => {
    if (target === 'lobby') return EVERYBODY[name];
    if (target === 'whisper') return listed[name];
    const people = CHANNELS[target.channel as keyof typeof CHANNELS];
    return name === 'den' ? people : people << 3;
  };
  const meant: number[] = [];

  let request = 0;
  const publisher = new Publisher({
    capture: {
      ring: consumer,
      startVoiceRecording: () => {
        microphone.commands.push({ at: io.now() + random.below(15), what: 'start' });
        request = nextRequest(request);
        return request;
      },
      stopVoiceRecording: () => microphone.commands.push({ at: io.now() + random.below(15), what: 'stop' }),
    },
    clock: io.now,
    publish: lobbies.den.publish,
  });

  const pick = <T>(of: readonly T[]): T => of[random.below(of.length)]!;
  const away = { den: 0, pub: 0 };
  const operations: (() => void)[] = [
    () => {
      key = 'down';
      publisher.press();
    },
    () => {
      key = 'up';
      void publisher.release();
    },
    () => {
      target = pick<VoiceTarget>(['lobby', 'whisper', 'whisper', { channel: 'red' }, { channel: 'blue' }]);
      publisher.speakTo(target);
    },
    () => {
      const slots = [0, 1, 2].filter(() => random.below(2) === 0);
      const relay = relays[name];
      if (lobbies[name].whisper(slots))
        listed[name] = slots.reduce((sum, slot) => sum | relay.personOf(slot), 0);
    },
    () => {
      name = name === 'den' ? 'pub' : 'den';
      publisher.speakTo(target, lobbies[name].publish);
    },
    () => {
      if (random.below(4) !== 0 || away[name] > 0) return;
      relays[name].cut();
      away[name] = io.now() + 100 + random.below(600);
    },
  ];

  const readAll = async () => {
    while (consumer.read() !== null) await nextTurn();
  };
  let heldUntil = 0;
  for (let step = 0; step < steps; step += 1) {
    const now = io.now();
    microphone.work(now);
    if (now >= heldUntil) {
      // All pending work of the thread runs in one turn, the ring last, as in one turn of the event loop.
      for (const side of ['den', 'pub'] as const) {
        if (away[side] === 0 || now < away[side] || !relays[side].isCalled) continue;
        if (!relays[side].isGone) relays[side].reconnect(pick(['kept', 'gone'] as const));
        if (relays[side].isGone) {
          // A token is requested before the next connection. The ring must behave the same in such a turn in each run.
          await nextTurn();
          await readAll();
        }
        if (relays[side].isAskedForAPlace) {
          relays[side].rejoin();
          listed[side] = 0;
        }
        if (!relays[side].isGone) away[side] = 0;
      }
      for (let count = random.below(12) === 0 ? 1 + random.below(3) : 0; count > 0; count -= 1) {
        pick(operations)();
        if (key === 'down') aim = aimNow();
      }
      if (random.below(40) === 0) heldUntil = now + random.below(350);
      else if (random.below(3) === 0) {
        await readAll();
        for (const relay of all) relay.work();
      }
    }
    if (key === 'down') aim = aimNow();
    for (let at = now; at < now + STEP_MS; at += 1) meant[at] = aim;
    tick(STEP_MS);
  }
  microphone.producer.close();
  await publisher.finished();
  for (const relay of all) relay.work();

  const leaked: string[] = [];
  for (const [frame, people] of heard) {
    const wrong = meant
      .slice(frame * FRAME_MS, (frame + 1) * FRAME_MS)
      .find((aimed) => (people & ~aimed) !== 0);
    if (wrong === undefined) continue;
    leaked.push(`frame ${frame}: heard by ${people.toString(2)}, meant for ${wrong.toString(2)}`);
  }
  await Promise.all(
    Object.values(relays).map((relay, index) => leave(Object.values(lobbies)[index]!, relay)),
  );
  return { leaked, frames: heard.size };
}

/** Leaves, whatever the state of the connection. */
async function leave(lobby: Lobby, relay: RelayOfOne): Promise<void> {
  const left = lobby.leave();
  relay.transport.say().onClose(1000, '', null);
  await left;
}

t.test(
  'whatever a game does and however long its thread is blocked, nobody hears what was not meant for them',
  async (t) => {
    t.comment(`seed ${SEED}`);
    let frames = 0;
    for (let game = 0; game < 60; game += 1) {
      const played = await play(SEED + game, 1200);
      frames += played.frames;
      if (played.leaked.length > 0) {
        t.same(played.leaked.slice(0, 5), [], `seed ${SEED + game}: ${played.leaked.length} frames leaked`);
        return;
      }
    }
    t.ok(frames > 5000, `${frames} frames heard, each by those it was meant for`);
  },
);
