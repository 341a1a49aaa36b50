/**
 * What the relay's tests share: packets and frames of known people, and a relay that is talked to in one
 * line.
 */

import type { AdminCommand, Moderation } from '../../relay/core/administration.js';
import type { Admitted, CredentialVerdict } from '../../relay/core/credential.js';
import type { RelayOutput } from '../../relay/core/io.js';
import type { RelayPolicy } from '../../relay/core/joining/hello.js';
import type { RelayLimits } from '../../relay/core/limits.js';
import type { AddressShares } from '../../relay/core/lobby/shares.js';
import { Relay } from '../../relay/core/relay.js';
import type { Sanction } from '../../relay/core/sanctions.js';
import { type ClientMessage, type RelayMessageToWrite, writeMessage } from '../../voice/control.js';
import { PacketWriter } from '../../voice/packet_writer.js';
import { personSteamId, steamIdHigh, steamIdLow } from '../../voice/steam_id.js';
import { type SpeakerFields, writeVoiceFrame } from '../../voice/wire.js';

/** An Opus packet of one 20 ms SILK frame; the relay reads only its framing. */
export const OPUS = Uint8Array.of(0x48, 1, 2, 3, 4, 5);

/** The SteamID of the person with this account, in decimal. */
export function steamIdOf(account: number): string {
  steamIds[account] ??= personSteamId(account).toString();
  return steamIds[account];
}

const steamIds: Record<number, string> = {};

/** A well-formed packet of one frame, by `steamId`. */
export function packetBy(steamId: bigint, sequence = 0): Uint8Array {
  const writer = new PacketWriter();
  writer.begin(new Uint8Array(256), steamIdLow(steamId), steamIdHigh(steamId));
  writer.sampleRate(24000);
  writer.beginFrames();
  writer.frame(sequence, OPUS, 0, OPUS.length);
  writer.endFrames();
  return writer.finish().slice();
}

/** The header fields of a voice frame, the plainest by default. */
export function fields(changed: Partial<SpeakerFields> = {}): SpeakerFields {
  return { marker: false, terminator: false, target: 0, sequence: 0, timestamp: 0, ...changed };
}

/** A voice frame of the person with this account. */
export function frameOf(account: number, changed: Partial<SpeakerFields> = {}): Uint8Array {
  return writeVoiceFrame(fields(changed), packetBy(personSteamId(account), changed.sequence ?? 0));
}

export function helloOf(account: number, lobby = 'den'): Extract<ClientMessage, { type: 'hello' }> {
  return { type: 'hello', versions: [1], lobby, steamId: steamIdOf(account), name: `player ${account}` };
}

/** Something in the form of a token; the relay does not look into it. */
export const TOKEN = 'aGVhZGVy.cGF5bG9hZA.c2lnbmF0dXJl';

/** What a good token of this account grants: everything in the den, for an hour of the bench's time. */
export function admittedOf(account: number, changed: Partial<Admitted> = {}): Admitted {
  return {
    kind: 'admitted',
    lobby: 'den',
    steamId: steamIdOf(account),
    maySpeak: true,
    mayListen: true,
    moderator: false,
    priority: false,
    channels: [],
    expiresAt: 2_000_003_600,
    onceIds: [],
    ownerSteamId: null,
    ...changed,
  };
}

export function bytesOf(message: ClientMessage | string): Uint8Array {
  return new TextEncoder().encode(typeof message === 'string' ? message : writeMessage(message));
}

export interface BenchOptions {
  /** A broken relay instead of ours. */
  readonly relay?: typeof Relay | undefined;
  readonly addressShares?: Partial<AddressShares>;
}

/** A relay and its clocks, driven step by step. It starts at 1000. */
export class Bench {
  readonly relay: Relay;
  now = 1000;
  /** Unix time, in seconds. */
  unixSeconds = 2_000_000_000;

  /**
   * @param policy Default that of a relay in development, with the second of a SteamID refused.
   */
  constructor(
    limits: Partial<RelayLimits> = {},
    policy: Partial<RelayPolicy> = {},
    sanctions: readonly Sanction[] = [],
    { relay = Relay, addressShares = {} }: BenchOptions = {},
  ) {
    let drawn = 0;
    this.relay = new relay({
      limits,
      policy: { unproven: 'admit', secondJoin: 'refuse', ...policy },
      startedAt: this.now,
      // Never twice the same, and each time known.
      random: (bytes) => {
        drawn += 1;
        const random = new Uint8Array(bytes);
        new DataView(random.buffer).setUint32(0, drawn, true);
        return random;
      },
      sanctions,
      addressShares,
    });
  }

  /** The verdict on the credential in a hello. */
  judged(connection: number, verdict: CredentialVerdict): readonly RelayOutput[] {
    const { unixSeconds } = this;
    return this.relay.handle({ kind: 'judged', connection, verdict, unixSeconds }, this.now);
  }

  /** Connects, says hello with a token, and is granted this; by default the connection's number is the account's. */
  admit(
    account: number,
    changed: Partial<Admitted> = {},
    connection = account,
    address: string | null = null,
  ): readonly RelayOutput[] {
    this.connect(connection, address);
    const admitted = admittedOf(account, changed);
    this.text(connection, { ...helloOf(account, admitted.lobby ?? 'den'), token: TOKEN });
    return this.judged(connection, admitted);
  }

  /** Connects and resumes. */
  resume(connection: number, secret: string): readonly RelayOutput[] {
    this.connect(connection);
    return this.text(connection, { type: 'resume', versions: [1], secret });
  }

  admin(command: AdminCommand): ReturnType<Relay['administer']> {
    return this.relay.administer(command, this.now, this.unixSeconds);
  }

  /** The administrator does this, which must succeed. */
  moderate(lobby: string | null, moderation: Moderation): readonly RelayOutput[] {
    const { result, outputs } = this.admin({ kind: 'moderate', lobby, moderation });
    if (result.kind === 'failed') throw new Error(`it was not done: ${result.detail}`);
    return outputs;
  }

  /** This many seconds pass on both clocks, and the relay gets a tick. */
  pass(seconds: number): readonly RelayOutput[] {
    this.unixSeconds += seconds;
    return this.tickAt(this.now + 1000 * seconds);
  }

  connect(connection: number, address: string | null = null): readonly RelayOutput[] {
    return this.relay.handle({ kind: 'connected', connection, address }, this.now);
  }

  text(connection: number, message: ClientMessage | string | Uint8Array): readonly RelayOutput[] {
    const bytes = message instanceof Uint8Array ? message : bytesOf(message);
    return this.relay.handle({ kind: 'text', connection, bytes, unixSeconds: this.unixSeconds }, this.now);
  }

  /** Connects and says hello; the connection has the account's number. */
  join(account: number, lobby = 'den'): readonly RelayOutput[] {
    this.connect(account);
    return this.text(account, helloOf(account, lobby));
  }

  close(connection: number): readonly RelayOutput[] {
    return this.relay.handle({ kind: 'closed', connection }, this.now);
  }

  tickAt(now: number): readonly RelayOutput[] {
    this.now = now;
    return this.relay.handle({ kind: 'tick', unixSeconds: this.unixSeconds }, now);
  }

  voice(connection: number, frame: Uint8Array) {
    // A copy: the relay's own is valid until the next call.
    return { ...this.relay.handleVoice(connection, frame, this.now) };
  }
}

/** The outputs without events, which are for logs. */
export function deeds(outputs: readonly RelayOutput[]): RelayOutput[] {
  return outputs.filter((output) => output.kind !== 'event');
}

/** The messages among the outputs, each with its receivers. */
export function tellsOf(
  outputs: readonly RelayOutput[],
): [connections: readonly number[], RelayMessageToWrite][] {
  return outputs.flatMap((output) => (output.kind === 'tell' ? [[output.connections, output.message]] : []));
}

/** The slot that a join gave; throws when it was refused. */
export function slotOf(outputs: readonly RelayOutput[]): number {
  for (const [, message] of tellsOf(outputs)) if (message.type === 'welcome') return message.slot;
  throw new Error('there is no welcome among the outputs');
}

/** The resume secret of the welcome among the outputs. */
export function resumeSecretOf(outputs: readonly RelayOutput[]): string {
  for (const [, message] of tellsOf(outputs)) {
    if (message.type === 'welcome' && message.resume) return message.resume.secret;
  }
  throw new Error('there is no resume secret among the outputs');
}

/** The code of the failure among the outputs, or null. */
export function failureOf(outputs: readonly RelayOutput[]): string | null {
  for (const [, message] of tellsOf(outputs)) if (message.type === 'failed') return message.code;
  return null;
}

/** The code of the refusal among the outputs, or null. */
export function refusalOf(outputs: readonly RelayOutput[]): string | null {
  for (const [, message] of tellsOf(outputs)) if (message.type === 'refused') return message.code;
  return null;
}
