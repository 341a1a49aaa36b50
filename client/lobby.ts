/**
 * Joins a lobby: ties a session to a transport and tells what happens. This is what a game embeds.
 */

import { LABEL, MAX_TICKET_BYTES, MAX_TOKEN_CHARS, TOKEN_FORM } from '../voice/control.js';
import { HotmicError, systemReason } from '../voice/error.js';
import type { NumberedPacket } from '../voice/talkspurt.js';
import { Target, type VoiceHeader, writeVoiceFrame } from '../voice/wire.js';
import {
  type Participant,
  Session,
  type SessionDrop,
  type SessionOptions,
  type SessionOutput,
} from './session.js';
import type { OpenTransport } from './transport.js';

/** What a lobby tells. Each is optional, and must not throw. */
export interface LobbyEvents {
  /** We are in: the lobby that `joinLobby` resolves to. Told before anything else. */
  onWelcome?(lobby: Lobby): void;
  onJoined?(participant: Participant): void;
  onLeft?(participant: Participant): void;
  /** Someone began or ceased to speak: `participant.speaking`. */
  onSpeaking?(participant: Participant): void;
  /** A voice frame. `packet` is the receiver's to keep. */
  onVoice?(participant: Participant, header: VoiceHeader, packet: Uint8Array): void;
  /** The connection is over, once; null when we left. */
  onEnded?(error: HotmicError | null): void;
}

export interface LobbyOptions extends SessionOptions {
  /** A `ws:` or `wss:` URL of a relay. */
  readonly url: string;
  readonly events?: LobbyEvents;
  /** Default: the one for Node, which is only then loaded. */
  readonly transport?: OpenTransport;
  /** Gives up joining. Once joined it does nothing: see `leave`. */
  readonly signal?: AbortSignal;
}

/** What a lobby has counted. */
export interface LobbyCounts {
  readonly framesSent: number;
  /** Not sent, because the connection did not take what was sent before. */
  readonly framesRefused: number;
  readonly framesReceived: number;
  /** Voice frames from the relay that were not taken, by reason. */
  readonly dropped: Readonly<Record<SessionDrop, number>>;
}

/** Our place in a lobby. */
export interface Lobby {
  /** Our own number in the lobby. */
  readonly slot: number;
  /** The relay's clock when we joined, in ms, 32 bit, as in voice frames. */
  readonly joinedRelayTimeMs: number;
  /** What our token grants: whether our voice is passed on, and others' comes to us. True without one. */
  readonly maySpeak: boolean;
  readonly mayListen: boolean;
  /** Everyone else, as of now. */
  readonly participants: readonly Participant[];
  /**
   * Sends one packet to everyone else; it is copied. Returns false when it was not sent: the lobby is over, or more than
   * 64 KiB wait in this process. A connection that hangs then costs voice, not memory.
   */
  publish(packet: NumberedPacket): boolean;
  counts(): LobbyCounts;
  /** Leaves; resolves when the connection is closed. */
  leave(): Promise<void>;
}

type Welcome = Extract<SessionOutput, { kind: 'welcome' }>;

/** The longest that `joinLobby` waits for the relay's welcome. */
const WELCOME_TIMEOUT_MS = 10_000;

/** Voice that waits to be sent at most: some seconds of one speaker's. */
const MAX_BUFFERED_BYTES = 64 * 1024;

/** The longest that `leave` waits for the relay's close; then it closes the connection itself. */
const LEAVE_TIMEOUT_MS = 2000;

/**
 * Joins a lobby. Resolves when the relay has let us in.
 *
 * @throws TypeError for a SteamID that is no bigint, or a ticket that is no Uint8Array; RangeError for a name or lobby that is no
 *   label, or a ticket of no bytes or more than 2560; HotmicError:
 *   ERR_HOTMIC_URL for no WebSocket URL, ERR_HOTMIC_CONNECT when nothing answers there in 10 s, ERR_HOTMIC_REFUSED when the relay
 *   refuses, ERR_HOTMIC_PROTOCOL when what answers is no relay, ERR_HOTMIC_CONNECTION_LOST when it closes before its welcome,
 *   ERR_HOTMIC_CLOSED when `signal` gives up.
 */
export async function joinLobby(options: LobbyOptions): Promise<Lobby> {
  const url = parseRelayUrl(options.url);
  if (typeof options.steamId !== 'bigint') {
    throw new TypeError(
      `Cannot join: steamId is a ${typeof options.steamId}, wants a bigint: a number cannot hold one`,
    );
  }
  checkLabel('lobby', options.lobby);
  checkLabel('name', options.name);
  if (options.ticket !== undefined) checkTicket(options.ticket);
  if (options.token !== undefined) checkToken(options.token);
  const { events = {}, signal } = options;
  const open = options.transport ?? (await import('./transport_ws.js')).openWsTransport;
  const session = new Session(options);
  const dropped: Record<SessionDrop, number> = { 'not-joined': 0, malformed: 0, 'slot-unknown': 0 };
  let framesSent = 0;
  let framesRefused = 0;
  let framesReceived = 0;

  return await new Promise((resolve, reject) => {
    let wasWelcome = false;
    let tellLeft: () => void = () => undefined;
    const left = new Promise<void>((settle) => {
      tellLeft = settle;
    });

    const transport = open(url, {
      onOpen: () => apply(session.handle({ kind: 'opened' })),
      onText: (text) => apply(session.handle({ kind: 'text', text })),
      onBytes: (frame) => apply(session.handle({ kind: 'voice', frame })),
      onClose: (code, reason, failure) => {
        if (failure && !wasWelcome) reject(connectError(url, failure));
        apply(session.handle({ kind: 'closed', code, reason, failure }));
        tellLeft();
      },
    });

    const giveUp = (error: HotmicError) => {
      if (wasWelcome) return;
      reject(error);
      // What still comes is not ours any more.
      session.abandon();
      stopWaiting();
      transport.close();
    };
    const onAbort = () => giveUp(new HotmicError('ERR_HOTMIC_CLOSED', `Gave up joining at ${url.href}`));
    const welcomeTimeout = setTimeout(() => {
      const detail = `no welcome after ${WELCOME_TIMEOUT_MS / 1000} s`;
      giveUp(new HotmicError('ERR_HOTMIC_CONNECT', `Cannot join at ${url.href}: ${detail}`));
    }, WELCOME_TIMEOUT_MS);
    const stopWaiting = () => {
      clearTimeout(welcomeTimeout);
      signal?.removeEventListener('abort', onAbort);
    };
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted) onAbort();

    const lobby = ({ slot, relayTimeMs, maySpeak, mayListen }: Welcome): Lobby => ({
      slot,
      joinedRelayTimeMs: relayTimeMs,
      maySpeak,
      mayListen,
      get participants() {
        return session.participants;
      },
      publish: (packet) => {
        if (!session.joined) return false;
        if (transport.bufferedBytes > MAX_BUFFERED_BYTES) {
          framesRefused += 1;
          return false;
        }
        transport.send(writeVoiceFrame({ ...packet, target: Target.lobby }, packet.packet));
        framesSent += 1;
        return true;
      },
      counts: () => ({ framesSent, framesRefused, framesReceived, dropped: { ...dropped } }),
      leave: async () => {
        apply(session.leave());
        const timeout = setTimeout(() => transport.close(), LEAVE_TIMEOUT_MS);
        await left;
        clearTimeout(timeout);
      },
    });

    function apply(outputs: SessionOutput[]): void {
      for (const output of outputs) {
        switch (output.kind) {
          case 'send':
            transport.send(output.text);
            break;
          case 'welcome': {
            wasWelcome = true;
            stopWaiting();
            const joined = lobby(output);
            events.onWelcome?.(joined);
            resolve(joined);
            break;
          }
          case 'joined':
            events.onJoined?.(output.participant);
            break;
          case 'left':
            events.onLeft?.(output.participant);
            break;
          case 'speaking':
            events.onSpeaking?.(output.participant);
            break;
          case 'voice':
            framesReceived += 1;
            events.onVoice?.(output.participant, output.header, output.packet);
            break;
          case 'dropped':
            dropped[output.reason] += 1;
            break;
          case 'ended':
            stopWaiting();
            transport.close();
            if (wasWelcome) events.onEnded?.(output.error);
            else
              reject(
                output.error ??
                  new HotmicError('ERR_HOTMIC_CLOSED', 'The lobby was left before it was joined'),
              );
        }
      }
    }
  });
}

function checkLabel(what: string, text: string): void {
  if (LABEL.test(text)) return;
  throw new RangeError(
    `Cannot join: ${what} is ${JSON.stringify(text)}, wants 1 to 64 characters, none of them a control`,
  );
}

/** What the token holds is in no message. */
function checkToken(token: string): void {
  if (typeof token !== 'string') throw new TypeError(`Cannot join: token is a ${typeof token}, wants text`);
  if (!TOKEN_FORM.test(token) || token.length > MAX_TOKEN_CHARS) {
    const wanted = `wants one in three parts, of at most ${MAX_TOKEN_CHARS} characters`;
    throw new RangeError(`Cannot join: the token is no signed token, ${wanted}`);
  }
}

/** What the ticket holds is in no message. */
function checkTicket(ticket: Uint8Array): void {
  if (!(ticket instanceof Uint8Array)) {
    throw new TypeError(`Cannot join: ticket is a ${typeof ticket}, wants a Uint8Array`);
  }
  if (ticket.length < 1 || ticket.length > MAX_TICKET_BYTES) {
    throw new RangeError(`Cannot join: ticket has ${ticket.length} bytes, wants 1 to ${MAX_TICKET_BYTES}`);
  }
}

/** Reads the URL of a relay. @throws HotmicError ERR_HOTMIC_URL. */
export function parseRelayUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isRelayUrl = url && (url.protocol === 'ws:' || url.protocol === 'wss:') && url.hash === '';
  if (!isRelayUrl) {
    throw new HotmicError(
      'ERR_HOTMIC_URL',
      `Cannot connect to "${text}": wants a URL such as ws://127.0.0.1:7800`,
    );
  }
  return url;
}

function connectError(url: URL, cause: Error): HotmicError {
  const why = systemReason(cause);
  return new HotmicError('ERR_HOTMIC_CONNECT', `Cannot connect to ${url.href}: ${why}`, { cause });
}
