/** Against the port with TLS: other protocols, old TLS, and handshakes that cost the relay more than the attacker. */

import net from 'node:net';
import type tls from 'node:tls';
import { type Answer, type Attack, CUT, ended, http, httpOf, NO_EFFECT, refused, times } from './attack.js';
import { goneOf, mostAtDoor, TURNED_AWAY } from './attacks_floods.js';
import type { Field } from './field.js';
import { DEADLINE_MS, upgradeRequest, Wire } from './wire.js';

/** Sends bytes where a handshake belongs. */
function noHandshake(name: string, all: readonly (Uint8Array | string)[]): Attack {
  return {
    name,
    answers: [CUT],
    run: async (field) => {
      const got: Answer[] = [];
      for (const bytes of all) {
        const wire = await Wire.connect({ port: field.place.port, ca: null }, field.address());
        wire.write(bytes);
        got.push(httpOf(await wire.answer()));
      }
      return got;
    },
  };
}

/** A handshake that must not succeed. */
function noAgreement(name: string, offers: readonly tls.ConnectionOptions[]): Attack {
  return {
    name,
    answers: [CUT],
    run: async (field) => {
      const got: Answer[] = [];
      for (const offer of offers) {
        const wire = await Wire.connect(field.place, field.address(), offer).catch(
          (thrown: NodeJS.ErrnoException) => thrown,
        );
        if (wire instanceof Wire) throw new Error(`${JSON.stringify(offer)} was taken`);
        // Refused by our own side, it would not have been tried.
        if (/NO_CIPHERS_AVAILABLE|NO_PROTOCOLS|UNSUPPORTED_PROTOCOL|LEGACY_SIGALG/.test(String(wire.code))) {
          throw new Error(`not tried: ${wire.code}`);
        }
        got.push(CUT);
      }
      return got;
    },
  };
}

const record = (type: number, version: number, body: readonly number[]) =>
  Uint8Array.from([type, version >> 8, version & 0xff, body.length >> 8, body.length & 0xff, ...body]);
/** Version, random, session, two suites, no compression. */
const clientHello = (version: number) => {
  const body = [version >> 8, version & 0xff, ...times(32, 7), 0, 0, 4, 0xc0, 0x2f, 0x00, 0x2f, 1, 0];
  return [1, 0, 0, body.length, ...body];
};
/** Weak ones are left out by our own OpenSSL, too, unless asked for. */
const ANY = '@SECLEVEL=0';

export const TLS_ATTACKS: readonly Attack[] = [
  noHandshake('plain HTTP on the port of TLS', [
    'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n',
    upgradeRequest('/'),
    `GET /${'a'.repeat(20_000)}`,
  ]),
  noHandshake('a client hello of SSL 2, SSL 3 or an unknown version', [
    Uint8Array.from([0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10, ...times(37, 1)]),
    record(22, 0x0300, clientHello(0x0300)),
    record(22, 0x0909, clientHello(0x0909)),
  ]),
  noAgreement('TLS 1.0 and 1.1', [
    { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: `ALL:${ANY}` },
    { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: `ALL:${ANY}` },
  ]),
  noAgreement('ciphers without forward secrecy, without an AEAD, without a key', [
    { maxVersion: 'TLSv1.2', ciphers: `AES128-GCM-SHA256:AES256-SHA:${ANY}` },
    { maxVersion: 'TLSv1.2', ciphers: `ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA384:${ANY}` },
    { maxVersion: 'TLSv1.2', ciphers: `aNULL:eNULL:ADH:AECDH:${ANY}` },
  ]),
  noHandshake('garbage in records: wrong types, lengths beyond the end, heartbeats, alerts', [
    record(24, 0x0303, [1, 0x40, 0]),
    record(23, 0x0303, times(64, 0x41)),
    record(22, 0x0303, [1, 0xff, 0xff, 0xff, ...times(64, 0)]),
    Uint8Array.from([22, 3, 3, 0xff, 0xff, ...times(64, 0)]),
    record(21, 0x0303, [2, 40]),
    record(20, 0x0303, [1]),
  ]),
  {
    name: 'repeated renegotiation',
    answers: [CUT],
    run: async (field) => {
      const wire = await Wire.connect(field.place, field.address(), { maxVersion: 'TLSv1.2' });
      const socket = wire.socket as tls.TLSSocket;
      let done = 0;
      const renegotiated = () =>
        new Promise<boolean>((resolve) => {
          const timer = setTimeout(() => resolve(false), DEADLINE_MS);
          socket.once('close', () => resolve(false));
          const started = socket.renegotiate({ rejectUnauthorized: false }, (error) => {
            clearTimeout(timer);
            resolve(error === null);
          });
          if (started === false) resolve(false);
        });
      while (done < 3 && (await renegotiated())) done += 1;
      if (done > 0) throw new Error(`${done} renegotiations were done`);
      return [await wire.ended().then(() => CUT)];
    },
  },
  {
    name: 'a thousand TCP connections to the port of TLS from one address',
    answers: [TURNED_AWAY],
    run: async (field) => {
      const startedAt = performance.now();
      const from = field.address();
      const port = { port: field.place.port, ca: null };
      const wires = await Promise.all(times(1000, null).map(() => Wire.connect(port, from)));
      const seconds = (performance.now() - startedAt) / 1000;
      await field.join();
      const gone = await goneOf(wires, 1000 - mostAtDoor(seconds));
      for (const wire of wires) wire.drop();
      return times(gone, TURNED_AWAY);
    },
  },
  {
    name: 'three hundred handshakes at once, each abandoned',
    answers: [NO_EFFECT],
    run: async (field) => {
      const wires = await Promise.all(times(300, null).map(() => Wire.connect(field.place, field.address())));
      for (const wire of wires) wire.reset();
      return [NO_EFFECT];
    },
  },
  {
    name: 'a thousand half-open handshakes that are reset',
    answers: [NO_EFFECT],
    run: async (field) => {
      const hello = record(22, 0x0301, clientHello(0x0303)).subarray(0, 30);
      for (let round = 0; round < 10; round += 1) {
        const wires = await Promise.all(
          times(100, null).map(() => Wire.connect({ port: field.place.port, ca: null }, field.address())),
        );
        for (const wire of wires) {
          wire.write(hello);
          wire.reset();
        }
      }
      return [NO_EFFECT];
    },
  },
  {
    name: 'another server name, or none',
    answers: [NO_EFFECT],
    run: async (field) => {
      for (const servername of ['', 'evil.example', `${'a'.repeat(60)}.example`]) {
        const wire = await Wire.connect(field.place, field.address(), {
          servername,
          rejectUnauthorized: false,
        });
        const answer = await wire.upgrade();
        wire.drop();
        if (answer?.status !== 101) throw new Error(JSON.stringify(answer));
      }
      return [NO_EFFECT];
    },
  },
  {
    name: 'a path trick and a hello without a credential, through TLS',
    answers: [http(404), refused('credential-expected')],
    run: async (field) => {
      const wire = await field.dial();
      wire.write('GET /../healthz HTTP/1.1\r\nHost: a\r\n\r\n');
      const got = httpOf(await wire.answer());
      wire.drop();
      const stranger = await field.socket();
      stranger.send({
        type: 'hello',
        versions: [1],
        lobby: 'north',
        name: 'x',
        steamId: '76561197960265729',
      });
      return [got, await ended(stranger)];
    },
  },
];

/** A handshake that begins and does not go on. */
function halfHandshake(name: string, begin: (socket: net.Socket) => () => void): Attack {
  return {
    name,
    answers: [CUT],
    run: async (field: Field) => {
      const socket = net.connect({
        host: '127.0.0.1',
        port: field.place.port,
        localAddress: field.address(),
      });
      socket.on('error', () => undefined).resume();
      const stop = begin(socket);
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`still open after ${DEADLINE_MS} ms`)), DEADLINE_MS);
        socket.once('close', () => {
          clearTimeout(timer);
          resolve();
        });
      }).finally(() => {
        stop();
        socket.destroy();
      });
      return [CUT];
    },
  };
}

const HELLO_BYTES = record(22, 0x0301, clientHello(0x0303));

export const SLOW_TLS_ATTACKS: readonly Attack[] = [
  halfHandshake('a TCP connection that begins no handshake', () => () => undefined),
  halfHandshake('half a client hello, never the rest', (socket) => {
    socket.write(HELLO_BYTES.subarray(0, 20));
    return () => undefined;
  }),
  halfHandshake('a client hello, but no answer to the server’s', (socket) => {
    socket.write(HELLO_BYTES);
    return () => undefined;
  }),
  halfHandshake('a client hello at one byte per 3 s', (socket) => {
    let at = 0;
    const timer = setInterval(() => {
      if (socket.writable) socket.write(HELLO_BYTES.subarray(at, ++at));
    }, 3000);
    return () => clearInterval(timer);
  }),
  {
    name: 'a whole handshake, but no request after it',
    answers: [CUT],
    run: async (field) => [httpOf(await (await field.dial()).answer())],
  },
];
