/**
 * The first message on a connection: a hello with a credential, or a resume with the secret of our place. An app ticket needs a nonce
 * of the relay, so its hello comes in two parts. Pure.
 */

import { CLIENT_CAPABILITIES, PROTOCOL_VERSION, writeMessage } from '../../voice/control.js';
import {
  type BesideAppTicket,
  type HelloCredential,
  helloFieldsOf,
  hexOfBytes,
  type ShownCredential,
} from './shown_credential.js';

/** Who enters. */
export interface Entrant {
  readonly lobby: string;
  readonly steamId: bigint | undefined;
  readonly name: string;
}

export class Entrance {
  /** The proof that accompanies the app ticket which was announced; null if none was, or once its challenge came. */
  #announced: BesideAppTicket | null = null;
  /** The proof that accompanies the app ticket for the last challenge. */
  #beside: BesideAppTicket = { kind: 'none' };
  readonly #speaks: { readonly versions: number[]; readonly capabilities: string[] };

  /** @param staleVoice See `SessionOptions`. */
  constructor(staleVoice: 'drop' | 'keep' = 'drop') {
    const capabilities = CLIENT_CAPABILITIES.filter((word) => word !== 'stale' || staleVoice === 'drop');
    this.#speaks = { versions: [PROTOCOL_VERSION], capabilities };
  }

  /**
   * The first message.
   *
   * @param place The secret of the last welcome, or null, and who we are.
   * @param credential For a hello. Null: to resume.
   */
  first(
    place: { readonly resumeSecret: string | null; readonly entrant: Entrant },
    credential: ShownCredential | null,
  ): string {
    const { resumeSecret: secret, entrant } = place;
    this.#announced = credential?.kind === 'app-ticket' ? credential.beside : null;
    if (secret !== null && credential === null) {
      return writeMessage({ type: 'resume', ...this.#speaks, secret });
    }
    if (credential?.kind !== 'app-ticket')
      return this.#helloOf(entrant, helloFieldsOf(credential ?? { kind: 'none' }));
    return this.#helloOf(entrant, { ...helloFieldsOf(credential.beside), appTicket: 'request' });
  }

  /** Whether a challenge is in order. */
  get expectsChallenge(): boolean {
    return this.#announced !== null;
  }

  /** The challenge came. One nonce is good for one ticket. */
  challenged(): void {
    this.#beside = this.#announced ?? { kind: 'none' };
    this.#announced = null;
  }

  /** The second hello, with the app ticket for the challenge. */
  answer(entrant: Entrant, ticket: Uint8Array): string {
    return this.#helloOf(entrant, { ...helloFieldsOf(this.#beside), appTicket: hexOfBytes(ticket) });
  }

  #helloOf({ lobby, steamId, name }: Entrant, credential: HelloCredential): string {
    const who = { lobby, ...(steamId === undefined ? {} : { steamId: String(steamId) }), name };
    return writeMessage({ type: 'hello', ...this.#speaks, ...who, ...credential });
  }
}
