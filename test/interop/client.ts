/**
 * A second client, written only from docs/protocol.md and docs/steam-voice-packet.md, with `ws`, Node and nothing of Hotmic.
 * What it cannot do is missing in the documents. It takes them literally: each message is checked against its documented form,
 * and undocumented types and fields are kept in `undocumented`.
 */

import type { Socket } from 'node:net';
import WebSocket from 'ws';
import { type Form, formOf, MESSAGE_LIMIT } from './messages.js';
import { acknowledgement, readFrame, type VoiceFrame, writeFrame } from './voice.js';

/** The longest wait for anything, in ms: it bounds failures, on a machine that is busy with other tests. */
const DEADLINE_MS = 120_000;

export interface State {
  slot: number;
  steamId: string;
  name: string;
  channels?: number[];
  muted?: boolean;
  deafened?: boolean;
  away?: boolean;
  priority?: boolean;
  recordingSince?: number;
  moderator?: boolean;
  guest?: boolean;
  spectator?: boolean;
  unlisted?: boolean;
  speaking?: boolean;
}

/** A control message that was checked against its documented form. */
// biome-ignore lint/suspicious/noExplicitAny: its fields depend on its type, and were checked.
export type Message = { type: string } & Record<string, any>;

export type Event =
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'voice'; readonly frame: VoiceFrame }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string };

export interface Spoken {
  readonly target?: number;
  readonly terminator?: boolean;
  /** A packet to send instead of the client's own. */
  readonly packet?: Buffer;
  /** How many samples at 24 kHz it plays. */
  readonly samples?: number;
}

/** The numbering of a speaker. It moves from a connection to the one that resumes it. */
export interface Speech {
  sequence: number;
  timestamp: number;
  /** The target of the current talkspurt, or null. */
  target: number | null;
}

export class Client {
  /** Everything that arrived, in order. */
  readonly events: Event[] = [];
  /** Types and fields that arrived and are not documented. */
  readonly undocumented = new Set<string>();
  /** Deviations from the documented forms. If it is not empty, the relay or the document is wrong. */
  readonly broken: string[] = [];
  readonly participants = new Map<number, State>();
  readonly channels = new Map<number, string>();
  /** The slots of those whom we hear by a hearing set; null for everyone. */
  heard: Set<number> | null = null;
  /** Frames that were for us and did not arrive, by the relay sequences. */
  missed = 0;
  /** The relay sequence to come, by slot and target; 0 for all others. */
  private readonly sequences = new Map<string, number>();
  you: State | null = null;
  resumeSecret: string | null = null;
  /** How many listeners are in no list. */
  unlisted = 0;
  /** Whether it answers frames that ask for an acknowledgement, as `capabilities` of its hello promise. */
  acknowledges = true;
  /** Between `parked` and `live`: frames that did not come were skipped. */
  isParked = false;
  /** Frames that the relay skipped while we were parked. */
  skipped = 0;
  /** The relay time that was acknowledged last; null before any. */
  private acknowledged: number | null = null;
  /** How many participants of the welcome are still to come in pages. */
  more = 0;
  speech: Speech = { sequence: 65_530, timestamp: 4_294_966_000, target: null };
  /** The packet that `say` sends. */
  packet: Buffer = Buffer.alloc(0);
  /** The index of the next event for `next`. */
  private at = 0;
  private readonly wake = new Set<() => void>();

  private constructor(readonly socket: WebSocket) {
    // One listener for text and bytes: the document says that they share one order.
    socket.on('message', (data: Buffer, isBinary) => this.take(data, isBinary));
    socket.on('close', (code, reason) => this.push({ kind: 'close', code, reason: reason.toString() }));
    socket.on('error', () => undefined);
  }

  /** Connects. Rejects with `HTTP <status>` if the relay answers with one. */
  static connect(url: string, options: WebSocket.ClientOptions = {}): Promise<Client> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url, { maxPayload: MESSAGE_LIMIT, ...options });
      const client = new Client(socket);
      socket.once('open', () => resolve(client));
      socket.once('error', reject);
      socket.once('unexpected-response', (_, response) => {
        response.resume();
        reject(Object.assign(new Error(`HTTP ${response.statusCode}`), { response }));
      });
    });
  }

  /** Sends a control message; a string or bytes are sent as they are. */
  send(message: object | string): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** Sends messages that the relay reads together, without sending anything in between. */
  sendTogether(...messages: readonly object[]): void {
    const { _socket: tcp } = this.socket as unknown as { _socket: Socket };
    tcp.cork();
    for (const message of messages) this.send(message);
    tcp.uncork();
  }

  sendBytes(bytes: Buffer): void {
    this.socket.send(bytes);
  }

  /** Sends a voice frame as documented, and returns what was sent. */
  say({ target = 0, terminator = false, packet = this.packet, samples = 480 }: Spoken = {}): Buffer {
    const { speech } = this;
    const bytes = writeFrame({
      version: 1,
      marker: speech.target !== target,
      terminator,
      target,
      sequence: speech.sequence,
      timestamp: speech.timestamp,
      packet,
    });
    speech.sequence = (speech.sequence + 1) % 0x10000;
    speech.timestamp = (speech.timestamp + samples) % 0x100000000;
    speech.target = terminator ? null : target;
    this.sendBytes(bytes);
    return bytes;
  }

  /** The first event after the last one returned that `match` accepts. Skipped events stay in `events`. */
  next<E extends Event>(
    match: (event: Event) => event is E,
    what: string,
    withinMs = DEADLINE_MS,
  ): Promise<E> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.wake.delete(look);
        reject(new Error(`no ${what} in ${withinMs} ms; last came ${this.tail()}`));
      }, withinMs);
      const look = () => {
        for (; this.at < this.events.length; this.at += 1) {
          const event = this.events[this.at]!;
          if (!match(event)) continue;
          this.at += 1;
          clearTimeout(timer);
          this.wake.delete(look);
          resolve(event);
          return;
        }
      };
      this.wake.add(look);
      look();
    });
  }

  /** The next message of a type with these fields. */
  async message(type: string, fields: Record<string, unknown> = {}, withinMs?: number): Promise<Message> {
    const wanted = Object.entries(fields);
    const { message } = await this.next(
      (event): event is Event & { kind: 'message' } =>
        event.kind === 'message' &&
        event.message.type === type &&
        wanted.every(([name, value]) => JSON.stringify(event.message[name]) === JSON.stringify(value)),
      `${type} ${JSON.stringify(fields)}`,
      withinMs,
    );
    return message;
  }

  /** The next `changed` of a participant. */
  async changed(slot: number): Promise<State> {
    const { message } = await this.next(
      (event): event is Event & { kind: 'message' } =>
        event.kind === 'message' &&
        event.message.type === 'changed' &&
        event.message.participant.slot === slot,
      `changed of ${slot}`,
    );
    return message.participant;
  }

  async voice(): Promise<VoiceFrame> {
    return (await this.next((e): e is Event & { kind: 'voice' } => e.kind === 'voice', 'voice frame')).frame;
  }

  /** How the connection ends: the refusal, if there was one, and the close after it. */
  async ended(): Promise<{ code: number; reason: string; refused: Message | undefined }> {
    const close = await this.next((e): e is Event & { kind: 'close' } => e.kind === 'close', 'close');
    const before = this.events.at(-2);
    const refused =
      before?.kind === 'message' && before.message.type === 'refused' ? before.message : undefined;
    return { code: close.code, reason: close.reason, refused };
  }

  /** What arrived since `mark`, one word each: a type, or `voice`. */
  kinds(mark = 0): string[] {
    return this.events
      .slice(mark)
      .map((event) => (event.kind === 'message' ? event.message.type : event.kind));
  }

  /** The types of the control messages that arrived since `mark`. */
  messageTypes(mark: number): string[] {
    return this.events.slice(mark).flatMap((event) => (event.kind === 'message' ? [event.message.type] : []));
  }

  /** Resolves with the bytes of the pong. */
  ping(bytes: string): Promise<string> {
    return new Promise((resolve) => {
      this.socket.once('pong', (data) => resolve(data.toString()));
      this.socket.ping(bytes);
    });
  }

  private push(event: Event): void {
    this.events.push(event);
    for (const look of [...this.wake]) look();
  }

  private take(data: Buffer, isBinary: boolean): void {
    if (isBinary) {
      const frame = readFrame(data);
      if (typeof frame === 'string') this.broken.push(frame);
      else {
        if (this.heard && !this.heard.has(frame.slot))
          this.broken.push(`a frame of ${frame.slot}, not in the set`);
        if (frame.acknowledge) this.asked(frame.relayTimeMs);
        this.upTo(frame.slot, frame.target, frame.relaySequence);
        this.sequences.set(`${frame.slot} ${frame.target}`, (frame.relaySequence + 1) % 0x10000);
        this.push({ kind: 'voice', frame });
      }
      return;
    }
    const message = JSON.parse(data.toString()) as Message;
    const form = formOf(message.type);
    if (!form) this.undocumented.add(`type ${message.type}`);
    else this.hold(message.type, form, message);
    this.apply(message);
    this.push({ kind: 'message', message });
  }

  /** Whom a hearing set lets us hear. */
  private hears({ only, more = [], fewer = [], speaking = [] }: Message): void {
    const wrong = (what: string) => this.broken.push(`hears: ${what}`);
    for (const slot of [...more, ...fewer, ...speaking]) {
      if (!this.participants.has(slot)) wrong(`slot ${slot} is not there`);
    }
    if (only === true) this.heard = new Set();
    else if (only === false) this.heard = null;
    else if (!this.heard && more.length + fewer.length > 0) wrong('there is no set');
    for (const slot of fewer) if (!this.heard?.delete(slot)) wrong(`slot ${slot} is not in the set`);
    for (const slot of more) this.heard?.add(slot);
    for (const [slot, known] of this.participants) {
      if (this.heard && !this.heard.has(slot)) known.speaking = false;
      if (!speaking.includes(slot)) continue;
      if (known.speaking) wrong(`slot ${slot} speaks already`);
      known.speaking = true;
    }
  }

  /** A frame asks for an acknowledgement. The last one counts for 10 ms. */
  private asked(relayTimeMs: number): void {
    const since = this.acknowledged === null ? null : (relayTimeMs - this.acknowledged + 2 ** 32) % 2 ** 32;
    if (since === null || since >= 10) this.acknowledge(relayTimeMs);
  }

  private acknowledge(relayTimeMs: number): void {
    if (!this.acknowledges) return;
    this.acknowledged = relayTimeMs;
    this.sendBytes(acknowledgement(relayTimeMs));
  }

  /** This is the next relay sequence of a stream: what lies between it and the expected one is lost. */
  private upTo(slot: number, target: number, sequence: number): void {
    const expected = this.sequences.get(`${slot} ${target}`) ?? 0;
    const frames = (sequence - expected + 0x10000) % 0x10000;
    if (this.isParked) this.skipped += frames;
    else this.missed += frames;
  }

  /** Checks an object against its form. */
  private hold(path: string, form: Form, value: Record<string, unknown>): void {
    for (const [name, given] of Object.entries(value)) {
      const field = form[name];
      if (!field) this.undocumented.add(`${path}.${name}`);
      else {
        const wrong = field.check(given);
        if (wrong) this.broken.push(`${path}.${name} ${wrong}: ${JSON.stringify(given)}`);
        for (const inner of field.inside ? [given].flat() : []) {
          this.hold(`${path}.${name}`, field.inside!, inner as Record<string, unknown>);
        }
      }
    }
    for (const [name, field] of Object.entries(form)) {
      if (!field.optional && !(name in value)) this.broken.push(`${path} has no ${name}`);
    }
  }

  /** Updates the state from the messages, in order. A message that does not fit the state contradicts the document. */
  private apply(message: Message): void {
    const wrong = (what: string) => this.broken.push(`${message.type}: ${what}`);
    if (this.more > 0 && message.type !== 'participants' && message.type !== 'refused')
      wrong('between the pages of a welcome');
    switch (message.type) {
      case 'welcome':
        if (this.you) wrong('a second one');
        this.you = message.you;
        this.resumeSecret = message.resume?.secret ?? null;
        if (message.you.slot !== message.slot) wrong('you are in another slot');
        this.unlisted = message.unlisted ?? 0;
        this.more = message.participants.length + (message.more ?? 0);
        this.list(message);
        for (const { number, name } of message.channels) this.channels.set(number, name);
        this.sequences.clear();
        this.heard = null;
        break;
      case 'hears':
        this.hears(message);
        for (const [slot, target, sequence] of message.until ?? []) {
          this.upTo(slot, target, sequence);
          this.sequences.delete(`${slot} ${target}`);
        }
        for (const [slot, target, sequence] of message.next ?? []) {
          this.sequences.set(`${slot} ${target}`, sequence);
        }
        break;
      case 'parked':
        if (this.isParked) wrong('parked already');
        this.isParked = true;
        this.acknowledge(message.relayTimeMs);
        break;
      case 'live':
        if (!this.isParked) wrong('not parked');
        this.isParked = false;
        break;
      case 'participants':
        if (message.participants.length === 0) wrong('an empty page');
        this.list(message);
        break;
      case 'unlisted':
        this.unlisted = message.count;
        break;
      case 'joined': {
        const { participant } = message;
        if (this.participants.has(participant.slot)) wrong(`slot ${participant.slot} is there`);
        this.participants.set(participant.slot, { ...participant, speaking: false });
        break;
      }
      case 'left':
        if (!this.participants.delete(message.slot)) wrong(`slot ${message.slot} is not there`);
        this.heard?.delete(message.slot);
        for (const stream of [...this.sequences.keys()]) {
          if (stream.startsWith(`${message.slot} `)) this.sequences.delete(stream);
        }
        break;
      case 'changed': {
        const { participant } = message;
        for (const number of participant.channels ?? []) {
          if (!this.channels.has(number)) wrong(`channel ${number} is not there`);
        }
        if (participant.slot === this.you?.slot) this.you = participant;
        else {
          const known = this.participants.get(participant.slot);
          if (!known) wrong(`slot ${participant.slot} is not there`);
          this.participants.set(participant.slot, { ...participant, speaking: known?.speaking ?? false });
        }
        break;
      }
      case 'speaking': {
        const known = this.participants.get(message.slot);
        if (!known) wrong(`slot ${message.slot} is not there`);
        else if (known.speaking === message.speaking) wrong(`slot ${message.slot} has that already`);
        else known.speaking = message.speaking;
        break;
      }
      case 'channel':
        if (this.channels.has(message.channel.number)) wrong(`${message.channel.number} is there`);
        this.channels.set(message.channel.number, message.channel.name);
        break;
      case 'channel-ended':
        if (!this.channels.delete(message.number)) wrong(`${message.number} is not there`);
        break;
    }
  }

  /** Takes a page of the welcome's list. */
  private list({ type, participants, more = 0 }: Message): void {
    for (const each of participants as State[]) {
      if (this.participants.has(each.slot) || each.slot === this.you?.slot)
        this.broken.push(`${type}: slot ${each.slot} twice`);
      this.participants.set(each.slot, each);
    }
    if (participants.some((each: State) => each.unlisted))
      this.broken.push(`${type}: an unlisted one in the list`);
    if (this.more !== participants.length + more) this.broken.push(`${type}: ${more} more do not fit`);
    this.more = more;
  }

  private tail(): string {
    return JSON.stringify(this.events.slice(-3).map((event) => (event.kind === 'voice' ? 'voice' : event)));
  }
}
