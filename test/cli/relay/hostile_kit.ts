/** A relay that is not ours: it answers the hello as a test says. */

import { once } from 'node:events';
import type net from 'node:net';
import type { Test } from 'tap';
import { type WebSocket, WebSocketServer } from 'ws';
import { personSteamId } from '../../../voice/steam_id.js';
import { stampVoiceFrame, writeVoiceFrame } from '../../../voice/wire.js';
import { TWO_GROUPS_OF_DTX } from '../../kit/golden_packets.js';

/** Somebody in the lobby, as a relay tells of them. */
export const kim = (name: string, slot = 1) => ({
  slot,
  steamId: String(personSteamId(9)),
  name,
  speaking: false,
});

/** A welcome into slot 5, with these others there. */
export function welcome(...participants: object[]): string {
  const you = { slot: 5, steamId: String(personSteamId(7)), name: 'Ada' };
  const nonce = '0'.repeat(32);
  const state = { slot: 5, lobby: 'den', relayTimeMs: 0, nonce, you, participants, channels: [] };
  return JSON.stringify({ type: 'welcome', version: 1, ...state });
}

/** A voice frame of two Opus frames, from the first of a talkspurt. */
export function frame(slot: number, sequence: number, packet: Uint8Array = TWO_GROUPS_OF_DTX): Uint8Array {
  const fields = {
    marker: sequence === 0,
    terminator: false,
    target: 0,
    sequence,
    timestamp: 480 * sequence,
  };
  const bytes = writeVoiceFrame(fields, packet);
  stampVoiceFrame(bytes, { slot, relaySequence: sequence, relayTimeMs: 20 * sequence, acknowledge: false });
  return bytes;
}

/** A relay that answers the hello in its own way, all in one piece. */
export async function relayThat(t: Test, answer: (socket: WebSocket) => void): Promise<string> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  t.teardown(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  server.on('connection', (socket) => {
    socket.once('message', () => {
      const raw = (socket as unknown as { _socket: net.Socket })._socket;
      raw.cork();
      answer(socket);
      raw.uncork();
    });
  });
  await once(server, 'listening');
  return `ws://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
}
