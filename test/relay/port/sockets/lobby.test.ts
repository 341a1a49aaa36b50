/**
 * A whole lobby on the layer that a relay does not take by itself where uWebSockets loads: with TLS and without. `make test-sockets` runs the relay's
 * tests, the attacks and the second client on each.
 */

import { once } from 'node:events';
import { join } from 'node:path';
import t from 'tap';
import WebSocket from 'ws';
import { mintToken, newKey } from '../../../../relay/admission/mint_token.js';
import { startRelay } from '../../../../relay/server.js';
import {
  type ClientMessage,
  type RelayMessage,
  readRelayMessage,
  writeMessage,
} from '../../../../voice/control.js';
import { packetOf, readVoiceHeader } from '../../../../voice/wire.js';
import { newAuthority } from '../../../kit/certificates.js';
import { frameOf, helloOf, steamIdOf } from '../../kit.js';
import { until } from './kit.js';

/** Somebody in the lobby, and what they hear. */
class Player {
  readonly heard: RelayMessage[] = [];
  readonly voice: Uint8Array[] = [];
  readonly socket: WebSocket;

  constructor(url: string, options: object) {
    this.socket = new WebSocket(url, options);
    this.socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) this.voice.push(new Uint8Array(data));
      else this.heard.push(readRelayMessage(data.toString()) as RelayMessage);
    });
  }

  say(message: ClientMessage): void {
    this.socket.send(writeMessage(message));
  }

  /** The first message of this type from now on, or one that nobody took. */
  async next<K extends RelayMessage['type']>(type: K): Promise<Extract<RelayMessage, { type: K }>> {
    await until(() => this.heard.some((message) => message.type === type));
    const at = this.heard.findIndex((message) => message.type === type);
    return this.heard.splice(at, 1)[0] as Extract<RelayMessage, { type: K }>;
  }
}

const authority = newAuthority();

for (const port of ['plain', 'tls'] as const) {
  t.test(`three people meet on ws: they talk, rename, mute and leave (${port})`, async (t) => {
    const { chain, key } = authority.issue({ name: 'relay.test' });
    const folder = t.testdir({ 'chain.pem': chain, 'key.pem': key });
    const { privateKey, keySet } = await newKey('EdDSA', 'backend');
    const relay = await startRelay({
      sockets: 'ws',
      tokens: { keys: keySet },
      ...(port === 'tls' && {
        tls: { certFile: join(folder, 'chain.pem'), keyFile: join(folder, 'key.pem') },
      }),
    });
    t.teardown(() => relay.close());
    t.same(relay.sockets, { layer: 'ws', why: null });
    const options = port === 'tls' ? { ca: authority.certificate, servername: 'relay.test' } : {};
    const players: Player[] = [];
    for (const account of [1, 2, 3]) {
      const player = new Player(relay.url, options);
      await once(player.socket, 'open');
      const now = Math.floor(Date.now() / 1000);
      const token = await mintToken({
        key: privateKey,
        lobby: 'den',
        steamId: steamIdOf(account),
        moderator: account === 1,
        audience: 'hotmic',
        now,
        expiresAt: now + 3600,
      });
      player.say({ ...helloOf(account), token });
      const { slot, participants } = await player.next('welcome');
      t.equal(slot, account - 1);
      t.equal(participants.length, account - 1);
      players.push(player);
    }
    const [ada, ben, cleo] = players as [Player, Player, Player];

    const frame = frameOf(2, { marker: true, sequence: 7 });
    ben.socket.send(frame);
    for (const listener of [ada, cleo]) {
      await until(() => listener.voice.length === 1);
      t.match(readVoiceHeader(listener.voice[0]!), { slot: 1, sequence: 7, marker: true });
      t.same(packetOf(listener.voice[0]!), packetOf(frame), 'unchanged');
    }
    t.equal(ben.voice.length, 0);

    cleo.say({ type: 'rename', name: 'Cleopatra' });
    for (const one of [ada, ben, cleo])
      t.match(await one.next('changed'), { participant: { slot: 2, name: 'Cleopatra' } });

    ada.say({ type: 'moderate', steamId: steamIdOf(2), action: 'mute' });
    for (const one of [ada, ben, cleo])
      t.match(await one.next('changed'), { participant: { slot: 1, muted: true } });
    ben.socket.send(frameOf(2, { sequence: 8 }));
    // What Cleo says next is heard next: Ben's frame went to nobody.
    await until(() => relay.counts().drops.muted === 1);
    cleo.socket.send(frameOf(3, { sequence: 9 }));
    await until(() => ada.voice.length === 2);
    t.match(readVoiceHeader(ada.voice[1]!), { slot: 2, sequence: 9 });

    const closed = once(ben.socket, 'close');
    ben.say({ type: 'leave' });
    t.equal((await closed)[0], 1000);
    t.match(await ada.next('left'), { slot: 1 });
    const ends = [ada, cleo].map(({ socket }) => once(socket, 'close'));
    await relay.close();
    for (const end of ends) t.equal((await end)[0], 1001);
    t.equal(relay.counts().connections, 0);
  });
}
