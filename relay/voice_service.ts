/** The voice port as a service: from when it listens, through the seconds in which clients read the close code, to its end. */

import { MAX_CONTROL_BYTES } from '../voice/control.js';
import type { Milliseconds } from '../voice/units.js';
import { MAX_VOICE_FRAME_BYTES } from '../voice/wire.js';
import type { ConnectionAdmission } from './port/connection_admission.js';
import type { SocketBounds } from './port/sockets/layer.js';
import type { SocketData, Switchboard } from './port/switchboard.js';
import type { CertificateCounts } from './port/tls.js';
import type { Upgrades } from './port/upgrades.js';
import { VoicePort, type VoicePortOptions } from './port/voice_port.js';
import type { Service } from './service_list.js';
import type { Alarm } from './system/alarm.js';

const BOUNDS: SocketBounds = {
  maxMessageBytes: Math.max(MAX_VOICE_FRAME_BYTES, MAX_CONTROL_BYTES),
  maxUnsentBytes: 64 * 1024,
  // Longer than a stall of 20 s.
  idleTimeoutS: 32,
};
/** How long clients have to read the close code before their sockets are closed. */
const CLOSE_GRACE_MS: Milliseconds = 250;

export interface VoiceServiceOptions
  extends Pick<
    VoicePortOptions<SocketData>,
    'sockets' | 'host' | 'port' | 'path' | 'tls' | 'page' | 'onEvent' | 'now' | 'unixSeconds'
  > {
  readonly switchboard: Switchboard;
  readonly admission: ConnectionAdmission;
  readonly upgrades: Upgrades;
  /** Runs while the port listens. */
  readonly alarm: Alarm;
}

export class VoiceService implements Service {
  readonly #options: VoiceServiceOptions;
  #port: VoicePort | null = null;

  constructor(options: VoiceServiceOptions) {
    this.#options = options;
  }

  /** The TCP port that it listens on; 0 before that. */
  get port(): number {
    return this.#port?.port ?? 0;
  }

  /** Null for a plain port. */
  get certificate(): CertificateCounts | null {
    return this.#port?.certificate ?? null;
  }

  /** @throws as `VoicePort.open`. */
  async start(): Promise<void> {
    const { switchboard, admission, upgrades, alarm, ...options } = this.#options;
    this.#port = await VoicePort.open<SocketData>({
      ...options,
      bounds: BOUNDS,
      handlers: {
        admit: (peer) => upgrades.admit(peer),
        release: (peer) => {
          upgrades.release(peer);
          alarm.wakeAt(admission.deadline());
        },
        webSocketClosed: (peer) => {
          upgrades.webSocketClosed(peer);
          alarm.wakeAt(admission.deadline());
        },
        upgrade: (request) => upgrades.upgrade(request),
        open: (socket) => switchboard.open(socket),
        message: (socket, bytes, kind) => switchboard.receive(socket, bytes, kind),
        heartbeat: (socket) => switchboard.heartbeat(socket),
        dropped: () => switchboard.noteDropped(),
        close: (socket) => switchboard.closed(socket),
      },
    });
    alarm.start();
  }

  /** As `RunningRelay.reloadCertificate`. Only once it has started. */
  reloadCertificate(): Promise<'loaded' | 'unchanged'> {
    if (!this.#port) throw new Error('the voice port has not started');
    return this.#port.reload();
  }

  /** Stops listening, tells every client with close code 1001, and closes their sockets 250 ms later. */
  async close(): Promise<void> {
    const port = this.#port;
    if (!port) return;
    const { switchboard, admission, alarm, now } = this.#options;
    alarm.stop();
    port.stopListening();
    admission.drain(now());
    const open = switchboard.shutDown();
    // The close code of a client that left just now may still be on its way.
    const isQuiet = open === 0 && now() - switchboard.lastGoneAt > CLOSE_GRACE_MS;
    if (!isQuiet) await new Promise((resolve) => setTimeout(resolve, CLOSE_GRACE_MS));
    port.close();
  }
}
