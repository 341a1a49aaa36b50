/**
 * The voice port, plain or with TLS. Its certificate can change without closing any connection: it is read again on request, and when its files
 * change.
 */

import { promises } from 'node:fs';
import { codeOf, HotmicError, messageOf } from '../../voice/error.js';
import type { Milliseconds } from '../../voice/units.js';
import { CertificateWatch, markOf } from './certificate_watch.js';
import type { SocketLayer, SocketServer, SocketServerOptions } from './sockets/layer.js';
import {
  type Certificate,
  type CertificateCounts,
  type CertificateEvent,
  type RelayTls,
  readCertificate,
} from './tls.js';

export interface VoicePortOptions<Data> extends Omit<SocketServerOptions<Data>, 'certificate'> {
  readonly sockets: SocketLayer;
  /** Null for a plain port. */
  readonly tls: RelayTls | null;
  readonly onEvent: (event: CertificateEvent) => void;
}

const LOOK_EVERY_MS = 5000;

export class VoicePort {
  readonly #options: Pick<VoicePortOptions<unknown>, 'tls' | 'onEvent' | 'now' | 'unixSeconds'>;
  readonly #server: SocketServer;
  #certificate: Certificate | null;
  #loaded = 0;
  #refused = 0;
  #reloading: Promise<'loaded' | 'unchanged'> | null = null;
  #looks: NodeJS.Timeout | null = null;
  #state: 'open' | 'closed' = 'open';

  /**
   * Opens the port.
   *
   * @throws HotmicError `ERR_HOTMIC_TLS`, `ERR_HOTMIC_PORT_IN_USE` or `ERR_HOTMIC_LISTEN`; RangeError for an
   *   invalid `lookEveryMs`.
   */
  static async open<Data>(options: VoicePortOptions<Data>): Promise<VoicePort> {
    const { tls, sockets, unixSeconds } = options;
    if (!tls) return new VoicePort(options, await sockets.open({ ...options, certificate: null }), null);
    const { lookEveryMs = LOOK_EVERY_MS } = tls;
    if (!(lookEveryMs >= 10 && lookEveryMs <= 3_600_000)) {
      throw new RangeError(`Cannot start the relay: lookEveryMs is ${lookEveryMs}, expected 10 to 3600000`);
    }
    const watch = new CertificateWatch(await marksOf(tls));
    const certificate = readCertificate(tls, unixSeconds());
    const port = new VoicePort(options, await sockets.open({ ...options, certificate }), certificate);
    port.#lookEvery(lookEveryMs, tls, watch);
    return port;
  }

  private constructor(
    {
      tls,
      onEvent,
      now,
      unixSeconds,
    }: Pick<VoicePortOptions<unknown>, 'tls' | 'onEvent' | 'now' | 'unixSeconds'>,
    server: SocketServer,
    certificate: Certificate | null,
  ) {
    this.#options = { tls, onEvent, now, unixSeconds };
    this.#server = server;
    this.#certificate = certificate;
  }

  get port(): number {
    return this.#server.port;
  }

  /** Null for a plain port. */
  get certificate(): CertificateCounts | null {
    if (!this.#certificate) return null;
    const { expiresUnixSeconds } = this.#certificate;
    return { expiresUnixSeconds, loaded: this.#loaded, refused: this.#refused };
  }

  /**
   * Reads the files again; new connections get the certificate in them. A call while a reload is under way joins it.
   *
   * @throws HotmicError `ERR_HOTMIC_TLS` or `ERR_HOTMIC_LISTEN`, and the previous certificate stays in use; `ERR_HOTMIC_CLOSED`.
   */
  async reload(): Promise<'loaded' | 'unchanged'> {
    try {
      const outcome = await this.#reloadOnce();
      if (outcome === 'unchanged') this.#options.onEvent({ kind: 'certificate-unchanged' });
      return outcome;
    } catch (thrown) {
      this.#tellRefused(thrown);
      throw thrown;
    }
  }

  /** Connections stay. */
  stopListening(): void {
    this.#state = 'closed';
    if (this.#looks) clearInterval(this.#looks);
    this.#server.stopListening();
  }

  /** Closes all connections. */
  close(): void {
    this.stopListening();
    this.#server.close();
  }

  #reloadOnce(): Promise<'loaded' | 'unchanged'> {
    this.#reloading ??= this.#reload().finally(() => {
      this.#reloading = null;
    });
    return this.#reloading;
  }

  async #reload(): Promise<'loaded' | 'unchanged'> {
    const { tls, onEvent, unixSeconds } = this.#options;
    try {
      if (!tls) {
        const reason = 'the relay was started without TLS';
        throw new HotmicError('ERR_HOTMIC_TLS', `Cannot reload the certificate: ${reason}`);
      }
      if (this.#state === 'closed') {
        throw new HotmicError('ERR_HOTMIC_CLOSED', 'Cannot reload the certificate: the relay is closing');
      }
      const certificate = readCertificate(tls, unixSeconds());
      if (certificate.identity === this.#certificate?.identity) return 'unchanged';
      await this.#server.replaceCertificate(certificate);
      this.#certificate = certificate;
      this.#loaded += 1;
      const { names, expiresUnixSeconds } = certificate;
      onEvent({ kind: 'certificate-loaded', names, expiresUnixSeconds });
      return 'loaded';
    } catch (thrown) {
      this.#refused += 1;
      throw thrown;
    }
  }

  #tellRefused(thrown: unknown): void {
    const code = codeOf(thrown) ?? 'ERR_HOTMIC_INTERNAL';
    this.#options.onEvent({ kind: 'certificate-refused', code, detail: messageOf(thrown) });
  }

  #lookEvery(everyMs: Milliseconds, tls: RelayTls, watch: CertificateWatch): void {
    const { now } = this.#options;
    let looking = false;
    let lastDetail = '';
    const look = async (): Promise<void> => {
      const marks = await marksOf(tls);
      if (this.#state === 'closed' || !watch.isDue(marks, now())) return;
      try {
        watch.done(marks, await this.#reloadOnce(), now());
        lastDetail = '';
      } catch (thrown) {
        watch.done(marks, 'refused', now());
        const detail = messageOf(thrown);
        // Reported once, although it is retried every minute.
        if (detail !== lastDetail) this.#tellRefused(thrown);
        lastDetail = detail;
      }
    };
    this.#looks = setInterval(() => {
      if (looking) return;
      looking = true;
      void look().finally(() => {
        looking = false;
      });
    }, everyMs);
  }
}

/** The current marks of the files, as `markOf` makes them. */
function marksOf({ certFile, keyFile, passphraseFile }: RelayTls): Promise<string[]> {
  const files = [certFile, keyFile, ...(passphraseFile === undefined ? [] : [passphraseFile])];
  return Promise.all(
    files.map((file) => promises.stat(file, { bigint: true }).then(markOf, () => markOf(null))),
  );
}
