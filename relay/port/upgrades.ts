/**
 * The requests of the voice port: which TCP connections stay, and which requests for a WebSocket get one. Who may is decided by
 * ConnectionAdmission; this reads the requests for it, and words the HTTP answers.
 */

import type { Milliseconds } from '../../voice/units.js';
import type { AddressKey } from '../core/address_key.js';
import type { ConnectionAdmission, ConnectionRefusal, WebSocketAdmission } from './connection_admission.js';
import type { HttpAnswer, SocketHandlers, UpgradeRequest } from './sockets/layer.js';
import type { SocketData } from './switchboard.js';

export interface UpgradesOptions {
  readonly admission: ConnectionAdmission;
  /** Never goes back. */
  readonly now: () => Milliseconds;
  /** Called for each connection that does not become a WebSocket; `from` is where it comes from, null when that is unknown. */
  readonly onRefused: (reason: ConnectionRefusal, detail: string, from: AddressKey | null) => void;
}

type ConnectionHandlers = Pick<
  SocketHandlers<SocketData>,
  'admit' | 'release' | 'webSocketClosed' | 'upgrade'
>;

export class Upgrades implements ConnectionHandlers {
  readonly #options: UpgradesOptions;
  /** WebSockets so far; the next one's id. */
  #admitted = 0;

  constructor(options: UpgradesOptions) {
    this.#options = options;
  }

  admit(peer: string): 'admitted' | 'refused' {
    const { admission, now, onRefused } = this.#options;
    const answer = admission.admitTcp(peer, now());
    if (answer.kind === 'refused') onRefused(answer.reason, answer.detail, answer.from);
    return answer.kind;
  }

  release(peer: string): void {
    this.#options.admission.releaseTcp(peer, this.#options.now());
  }

  webSocketClosed(peer: string): void {
    this.#options.admission.webSocketClosed(peer, this.#options.now());
  }

  /** Whether a request for a WebSocket gets one, and what its socket carries; or the HTTP answer. */
  upgrade(request: UpgradeRequest): ReturnType<ConnectionHandlers['upgrade']> {
    const { admission, now, onRefused } = this.#options;
    const answer = admission.admit(request, now());
    if (answer.kind === 'admitted') {
      return { kind: 'admitted', data: { id: this.#admitted++, address: answer.address } };
    }
    onRefused(answer.reason, answer.detail, answer.from);
    return { kind: 'refused', answer: httpAnswer(answer) };
  }
}

function httpAnswer({
  status,
  reason,
  detail,
  retryAfterS,
}: Extract<WebSocketAdmission, { kind: 'refused' }>): HttpAnswer {
  const plain = ['content-type', 'text/plain'] as const;
  return {
    status,
    headers: retryAfterS === null ? [plain] : [['retry-after', String(retryAfterS)], plain],
    body: `Cannot admit this connection (${reason}): ${detail}\n`,
  };
}
