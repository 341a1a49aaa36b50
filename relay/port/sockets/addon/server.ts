/**
 * The layer of the library uWebSockets by our own addon, which loads in every Node that Hotmic supports. It behaves as that of uWebSockets.js
 * does, from which it differs in two things: a new certificate needs no second listener, and what is closed is freed.
 */

import { messageOf } from '../../../../voice/error.js';
import { listenError } from '../../start_error.js';
import { type Certificate, refusal, TLS_CIPHERS, TLS_GROUPS } from '../../tls.js';
import {
  HEALTHY,
  type HttpAnswer,
  notFound,
  type SocketLayer,
  type SocketServer,
  type SocketServerOptions,
} from '../layer.js';
import { probe } from '../probe.js';
import type {
  AddonAnswer,
  AddonCertificate,
  AddonHandlers,
  AddonPageAnswer,
  ServerId,
  SocketId,
  SocketsAddon,
} from './binding.js';
import { AddonSocket } from './socket.js';

/** The layer of the loaded addon. */
export function addonLayer(addon: SocketsAddon): SocketLayer {
  return {
    name: 'uws',
    library: 'addon',
    open: async (options) => {
      const server = new AddonServer(addon, options);
      await server.start();
      return server;
    },
  };
}

class AddonServer<Data> implements SocketServer {
  readonly #addon: SocketsAddon;
  readonly #options: SocketServerOptions<Data>;
  readonly #id: ServerId;
  /** By number. */
  readonly #sockets: (AddonSocket<Data> | undefined)[] = [];
  /** Who was admitted: `open` follows at once. */
  #admitted: { readonly data: Data; readonly peer: string } | null = null;
  #port = 0;
  #state: 'open' | 'closed' = 'open';

  constructor(addon: SocketsAddon, options: SocketServerOptions<Data>) {
    this.#addon = addon;
    this.#options = options;
    const { path, bounds, certificate } = options;
    try {
      this.#id = addon.open({
        path,
        ...bounds,
        healthy: answerOf(HEALTHY),
        notFound: answerOf(notFound(path)),
        certificate: certificate && certificateOf(certificate),
        handlers: this.#handlers(),
      });
    } catch (thrown) {
      throw certificate ? notAccepted(certificate, thrown) : thrown;
    }
  }

  get port(): number {
    return this.#port;
  }

  async start(): Promise<void> {
    const { host, port } = this.#options;
    this.#port = this.#addon.listen(this.#id, host, port);
    if (this.#port !== 0) return;
    this.close();
    // The library gives no reason.
    const probed = await probe(host, port);
    throw listenError(typeof probed === 'number' ? null : probed, host, port);
  }

  async replaceCertificate(certificate: Certificate): Promise<void> {
    try {
      this.#addon.replaceCertificate(this.#id, certificateOf(certificate));
    } catch (thrown) {
      throw notAccepted(certificate, thrown);
    }
  }

  stopListening(): void {
    if (this.#state === 'open') this.#addon.stopListening(this.#id);
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#addon.close(this.#id);
  }

  #handlers(): AddonHandlers {
    const { handlers, page } = this.#options;
    const sockets = this.#sockets;
    return {
      admit: (peer) => handlers.admit(peer) === 'admitted',
      release: (peer) => handlers.release(peer),
      upgrade: (peer, proxiedPeer, flat) => {
        const headers: [string, string][] = [];
        for (let at = 0; at < flat.length; at += 2) headers.push([flat[at]!, flat[at + 1]!]);
        const verdict = handlers.upgrade({ peer, proxiedPeer, headers });
        if (verdict.kind === 'refused') return answerOf(verdict.answer);
        this.#admitted = { data: verdict.data, peer };
        return null;
      },
      open: (id) => {
        const { data, peer } = this.#admitted!;
        this.#admitted = null;
        const socket = new AddonSocket(this.#addon, id, data, peer);
        sockets[id] = socket;
        handlers.open(socket);
      },
      message: (id, buffer, length, isText) =>
        handlers.message(sockets[id]!, new Uint8Array(buffer, 0, length), isText ? 'text' : 'binary'),
      heartbeat: (id) => handlers.heartbeat(sockets[id]!),
      dropped: (count) => {
        for (let index = 0; index < count; index += 1) handlers.dropped();
      },
      page:
        page === undefined
          ? null
          : (path, acceptEncoding, ifNoneMatch) => {
              const answer = page({ path, acceptEncoding, ifNoneMatch });
              return answer && pageAnswerOf(answer);
            },
      close: (id) => this.#closed(id),
    };
  }

  #closed(id: SocketId): void {
    const { handlers } = this.#options;
    const socket = this.#sockets[id]!;
    this.#sockets[id] = undefined;
    socket.closed();
    handlers.webSocketClosed(socket.peer);
    handlers.close(socket);
  }
}

function answerOf({ status, headers = [], body }: HttpAnswer): AddonAnswer {
  return [status, typeof body === 'string' ? body : Buffer.from(body).toString(), ...headers.flat()];
}

function pageAnswerOf({ status, headers = [], body }: HttpAnswer): AddonPageAnswer {
  return [status, body, ...headers.flat()];
}

function certificateOf({ chainPem, keyPem, passphrase, identity }: Certificate): AddonCertificate {
  return {
    chain: chainPem,
    key: keyPem,
    passphrase: passphrase ?? '',
    ciphers: TLS_CIPHERS,
    groups: TLS_GROUPS,
    // 128 bits of it tell certificates apart.
    identity: identity.slice(0, 32),
  };
}

/** The error for a certificate; misuse stays what it is. */
function notAccepted({ files }: Certificate, thrown: unknown): unknown {
  return thrown instanceof TypeError ? thrown : refusal(files.certFile, messageOf(thrown));
}
