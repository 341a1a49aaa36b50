/**
 * The requests of the voice port: which TCP connections stay, and which requests for a WebSocket get one. Who may is decided by
 * ConnectionAdmission; this reads the requests for it, and words the HTTP answers.
 */

import type * as UWebSockets from 'uWebSockets.js';
import type { Milliseconds } from '../../voice/units.js';
import type { AddressKey } from '../core/address_key.js';
import type { ConnectionAdmission, ConnectionRefusal, WebSocketAdmission } from './connection_admission.js';
import { type ConnectionCounter, type HttpAnswer, peerOf } from './http_answer.js';
import type { SocketData } from './switchboard.js';
import type { VoicePortOptions } from './voice_port.js';

export interface UpgradesOptions {
  readonly admission: ConnectionAdmission;
  /** Never goes back. */
  readonly now: () => Milliseconds;
  /** Called for each connection that does not become a WebSocket; `from` is where it comes from, null when that is unknown. */
  readonly onRefused: (reason: ConnectionRefusal, detail: string, from: AddressKey | null) => void;
}

export class Upgrades implements ConnectionCounter {
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
  upgrade(
    response: UWebSockets.HttpResponse,
    request: UWebSockets.HttpRequest,
  ): ReturnType<VoicePortOptions<SocketData>['upgrade']> {
    const { admission, now, onRefused } = this.#options;
    const headers: [string, string][] = [];
    request.forEach((name, value) => {
      headers.push([name, value]);
    });
    const peer = peerOf(response);
    const proxiedPeer = Buffer.from(response.getProxiedRemoteAddressAsText()).toString('latin1');
    const answer = admission.admit({ peer, proxiedPeer, headers }, now());
    if (answer.kind === 'admitted') {
      return { kind: 'admitted', data: { id: this.#admitted++, address: answer.address, app: null, peer } };
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
