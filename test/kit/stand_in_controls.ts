/**
 * The controls of a stand-in Steam, in JavaScript: SteamControls over the text commands of test/kit/steam/control_commands.cpp,
 * and beyond it the voice, initialisation's failures, and what the fake client has counted.
 */

import type { NextAnswer, SteamAccount, SteamControls } from '../../native/steam_controls.js';
import { broadcastPayload } from './broadcast_payload.js';
import { hexOfBytes } from './hex.js';
import type { Control } from './stand_in_steam.js';

/** Where initialisation stops; `accessor` is where it succeeds and gives no ISteamUser. */
export type FailureStage =
  | 'none'
  | 'module'
  | 'interface'
  | 'pipe'
  | 'user'
  | 'app-id'
  | 'version'
  | 'accessor';

/** What the fake client has counted and what it was asked for last. Flags are 0 or 1. */
export interface StandInState {
  readonly inits: number;
  readonly shutdowns: number;
  readonly open: number;
  readonly loggedOn: number;
  /** Calls of RunFrame. */
  readonly frames: number;
  readonly getVoice: number;
  readonly getAvailableVoice: number;
  readonly startVoiceRecording: number;
  readonly stopVoiceRecording: number;
  readonly decompressVoice: number;
  /** Packets that wait. */
  readonly voiceQueued: number;
  readonly recording: number;
  /** Threads that called GetVoice; that dispatched. */
  readonly voiceThreads: number;
  readonly dispatchThreads: number;
  /** Calls that came while another was under way: of recording and GetVoice, of DecompressVoice, of dispatch. */
  readonly voiceOverlaps: number;
  readonly decompressOverlaps: number;
  readonly dispatchOverlaps: number;
  readonly ticketsLive: number;
  readonly ticketsCancelled: number;
  readonly sessionsLive: number;
  readonly callbacksWaiting: number;
  readonly callResultsWaiting: number;
  readonly threadMemoryReleased: number;
  readonly onlineState: number;
  readonly app: number;
  /** The SteamNetworkingIdentity of the last GetAuthSessionTicket; 0, 0 and '0' for NULL. */
  readonly remoteType: number;
  readonly remoteBytes: number;
  readonly remoteSteamId: string;
  /** Its value, in hexadecimal. */
  readonly remoteValue: string;
  readonly webIdentityNull: number;
  readonly webIdentity: string;
  readonly storeUrl: string;
  /** Of RequestEncryptedAppTicket, in hexadecimal. */
  readonly userData: string;
  readonly advertisedServer: string;
  readonly advertisedIp: number;
  readonly advertisedPort: number;
  /** `ip:port` as numbers; empty without a game connection. */
  readonly gameConnection: string;
}

export class StandInControls implements SteamControls {
  readonly #control: Control;
  readonly #library: string;

  /** @param library The stand-in, or the home's steamclient.so where the real library runs. */
  constructor(control: Control, library: string) {
    this.#control = control;
    this.#library = library;
  }

  /** Any command. @throws Error when it was not understood. */
  run(command: string): string {
    return this.#control(this.#library, command);
  }

  setAccount(change: Partial<SteamAccount>): void {
    const set = (name: string, value: number | boolean | undefined) => {
      if (value !== undefined) this.run(`set ${name} ${Number(value)}`);
    };
    set('level', change.steamLevel);
    set('phone-verified', change.phoneVerified);
    set('phone-identifying', change.phoneIdentifying);
    set('phone-requiring-verification', change.phoneRequiringVerification);
    set('two-factor', change.twoFactorEnabled);
    set('behind-nat', change.behindNat);
    if (change.badges !== undefined) {
      const badges = change.badges.map(({ series, foil, level }) => `${series}:${Number(foil)}:${level}`);
      this.run(['badges', ...badges].join(' '));
    }
    if (change.market !== undefined) {
      const { is_allowed, disallow_reason, allowed_at_time, steam_guard_required_days, new_device_cooldown } =
        change.market;
      this.run(
        `market ${Number(is_allowed)} ${disallow_reason} ${allowed_at_time} ${steam_guard_required_days} ${new_device_cooldown}`,
      );
    }
    if (change.duration !== undefined) {
      const { applicable, seconds_last_5hrs, progress, notification, seconds_today, seconds_remaining } =
        change.duration;
      this.run(
        `duration ${Number(applicable)} ${seconds_last_5hrs} ${progress} ${notification} ${seconds_today} ${seconds_remaining}`,
      );
    }
  }

  setLicense(appId: number, owned: 'owned' | 'not-owned', steamId?: bigint): void {
    this.run(`license ${appId} ${owned === 'owned' ? 1 : 0} ${steamId ?? ''}`);
  }

  loseConnection(result: number): void {
    this.run(`lose ${result}`);
  }

  restoreConnection(): void {
    this.run('restore');
  }

  answerNext(answer: NextAnswer): void {
    switch (answer.kind) {
      case 'begin-auth-session':
      case 'auth-ticket':
      case 'encrypted-ticket':
        this.run(`next ${answer.kind} ${answer.result}`);
        break;
      case 'validation':
        this.run(`next validation ${answer.response} ${answer.ownerId ?? ''}`);
        break;
      case 'call-failure':
        this.run('next call-failure');
        break;
    }
  }

  readonly emit: SteamControls['emit'] = (signal, keys) => {
    const { id, payload } = broadcastPayload(signal, keys);
    this.run(`emit ${id} ${hexOfBytes(payload)}`);
  };

  /** A broadcast of any id with any payload, however wrong. */
  emitRaw(id: number, payload: Uint8Array): void {
    this.run(`emit ${id} ${hexOfBytes(payload)}`);
  }

  /** The next call result's payload, instead of what would come. */
  answerNextCallWith(payload: Uint8Array): void {
    this.run(`next call-payload ${hexOfBytes(payload)}`);
  }

  /** GetAPICallResult says false for the next call. `answerNext({ kind: 'call-failure' })`: true, and failed. */
  refuseNextCall(): void {
    this.run('next call-refused');
  }

  /** How the next initialisations end. The environment's HOTMIC_STAND_IN_FAIL does the same from the start. */
  fail(stage: FailureStage): void {
    this.run(`fail ${stage}`);
  }

  /** How long after a grant the next encrypted app ticket is refused, in ms. Default 60000. */
  limitEncryptedTickets(ms: number): void {
    this.run(`set encrypted-limit-ms ${ms}`);
  }

  /** What getVoice gives, in order, while it records. At most 4096 wait. */
  queueVoice(packets: readonly Uint8Array[]): void {
    for (const packet of packets) this.run(`voice queue ${hexOfBytes(packet)}`);
  }

  /**
   * Each getVoice gives a Steam Voice packet of so many bytes, 23 to 65535, while it records and nothing is queued; 0 ends it.
   *
   * @param sequences `same`: always the same packet; `numbered`: its frames are numbered on.
   */
  repeatVoice(bytes: number, sequences: 'same' | 'numbered' = 'same'): void {
    this.run(`voice repeat ${bytes} ${sequences}`);
  }

  /** What the next getVoice answers, however wrong; it writes nothing. */
  claimVoice(result: number, bytes: number): void {
    this.run(`next voice ${result} ${bytes}`);
  }

  /** How often getVoice says NO_DATA after stopVoiceRecording before it says NOT_RECORDING. Default 0. */
  lingerVoice(answers: number): void {
    this.run(`voice linger ${answers}`);
  }

  /** A session ticket of another player, as it would come over the network. */
  ticketOf(steamId: bigint): Uint8Array {
    return Buffer.from(this.run(`ticket ${steamId}`), 'hex');
  }

  state(): StandInState {
    return JSON.parse(this.run('state')) as StandInState;
  }

  counts(): StandInState {
    return this.state();
  }

  /** All back to the defaults, but for counts and whether it is initialised. */
  reset(): void {
    this.run('reset');
  }
}
