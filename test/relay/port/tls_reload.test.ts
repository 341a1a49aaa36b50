/**
 * A relay with TLS on a real port: its certificate changes under people who talk. In one process with them, on loopback;
 * every wait is for an event.
 */

import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import t, { type Test } from 'tap';
import WebSocket from 'ws';
import type { RelayOptions } from '../../../relay/options.js';
import { chooseSockets, socketsWanted, thisPlace } from '../../../relay/port/sockets/choose.js';
import type { CertificateEvent } from '../../../relay/port/tls.js';
import { startRelay } from '../../../relay/server.js';
import { writeMessage } from '../../../voice/control.js';
import { readVoiceHeader } from '../../../voice/wire.js';
import { type Issued, newAuthority } from '../../kit/certificates.js';
import { frameOf, helloOf } from '../kit.js';

const authority = newAuthority();
const LIMITS = {
  participantsPerLobby: 100,
  framesPerSecond: 10_000,
  frameBurst: 10_000,
  bytesPerSecond: 16_777_216,
  byteBurst: 67_108_864,
  soundMsPerSecond: 100_000,
  soundBurstMs: 3_600_000,
};

/** A relay with TLS, its files, and what it told. The files are not watched unless asked for. */
async function secureRelay(
  t: Test,
  first: Issued,
  changed: Partial<RelayOptions> = {},
  lookEveryMs = 3_600_000,
) {
  const folder = t.testdir({ 'chain.pem': first.chain, 'key.pem': first.key });
  const files = { certFile: join(folder, 'chain.pem'), keyFile: join(folder, 'key.pem') };
  const events: CertificateEvent[] = [];
  let wake = () => {};
  const relay = await startRelay({
    dev: true,
    tls: { ...files, lookEveryMs },
    onEvent: (event) => {
      if (event.kind.startsWith('certificate-')) events.push(event as CertificateEvent);
      wake();
    },
    ...changed,
  });
  t.teardown(() => relay.close());
  return {
    relay,
    events,
    /** Renamed over, the certificate first: for a moment they do not fit. */
    write: ({ chain, key }: Pick<Issued, 'chain' | 'key'>) => {
      for (const [file, text] of [
        [files.certFile, chain],
        [files.keyFile, key],
      ] as const) {
        writeFileSync(`${file}.new`, text);
        renameSync(`${file}.new`, file);
      }
    },
    told: async (count: number) => {
      while (events.length < count) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return events;
    },
  };
}

/** Connects, and says which certificate was shown. `servername` '' sends none. */
async function handshake(port: number, options: tls.ConnectionOptions = {}) {
  const socket = tls.connect({ port, host: '127.0.0.1', ca: authority.certificate, ...options });
  socket.on('error', () => undefined);
  const session = once(socket, 'session').then(([bytes]) => bytes as Buffer);
  session.catch(() => undefined);
  await once(socket, 'secureConnect');
  // A resumed session has none to show in TLS 1.2.
  const name = socket.getPeerCertificate().subject?.CN as string | undefined;
  return { socket, name, session };
}

/** The certificate that clients get: with a name of the relay's, with none, with one that it does not know. */
async function shown(port: number): Promise<(string | undefined)[]> {
  const names: (string | undefined)[] = [];
  for (const servername of ['relay.test', '', 'elsewhere.example']) {
    const checkServerIdentity = () => undefined;
    const { socket, name } = await handshake(port, { servername, checkServerIdentity });
    socket.destroy();
    names.push(name);
  }
  return names;
}

/** In the lobby over TLS, and keeping what it hears: the sequences of each speaker's slot. */
class Player {
  readonly heard = new Map<number, number[]>();
  /** The relay's own numbers, by the speaker's slot. */
  readonly relaySequences = new Map<number, number[]>();
  closed = false;
  #sequence = 0;
  readonly #wakes = new Set<() => void>();

  private constructor(
    readonly account: number,
    readonly slot: number,
    readonly socket: WebSocket,
  ) {
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (!isBinary) return;
      const header = readVoiceHeader(new Uint8Array(data));
      if (!('sequence' in header)) throw new Error('the relay sent what is no voice frame');
      const { slot, sequence, relaySequence } = header;
      const heard = this.heard.get(slot);
      if (heard) heard.push(sequence);
      else this.heard.set(slot, [sequence]);
      this.relaySequences.set(slot, [...(this.relaySequences.get(slot) ?? []), relaySequence]);
      this.#wakeAll();
    });
    socket.on('close', () => {
      this.closed = true;
      this.#wakeAll();
    });
  }

  #wakeAll(): void {
    for (const wake of this.#wakes) wake();
    this.#wakes.clear();
  }

  static async join(url: string, account: number): Promise<Player> {
    const socket = new WebSocket(url, { ca: authority.certificate });
    await once(socket, 'open');
    const welcomed = once(socket, 'message');
    socket.send(writeMessage(helloOf(account)));
    const [text] = await welcomed;
    return new Player(account, (JSON.parse(String(text)) as { slot: number }).slot, socket);
  }

  /** Says one more, and waits until `listener` has heard it. */
  async say(listener: Player): Promise<void> {
    const sequence = this.#sequence++;
    this.socket.send(frameOf(this.account, { sequence }));
    await listener.hears(this, sequence);
  }

  /** Resolves when it has heard the speaker say this, or later. */
  async hears(speaker: Player, sequence: number): Promise<void> {
    while ((this.heard.get(speaker.slot)?.at(-1) ?? -1) < sequence) {
      if (this.closed) throw new Error('the listener is gone');
      await new Promise<void>((resolve) => this.#wakes.add(resolve));
    }
  }

  get said(): number {
    return this.#sequence;
  }
}

/** What holds the sockets of the relays in this process. */
async function libraryHere(): Promise<string> {
  const chosen = await chooseSockets(socketsWanted(undefined, process.env), thisPlace(true));
  return chosen.layer.library;
}

const upTo = (count: number, from = 0) => Array.from({ length: count - from }, (_, i) => from + i);

t.test(
  'fifty keep talking while the certificate changes three times, and hear players who connect with the new ones',
  async (t) => {
    const { relay, write, events } = await secureRelay(t, authority.issue({ name: 'first' }), {
      limits: LIMITS,
    });
    t.match(relay.url, /^wss:\/\/127\.0\.0\.1:\d+\/$/);
    t.same(await shown(relay.port), ['first', 'first', 'first']);
    const players = await Promise.all(upTo(50).map((i) => Player.join(relay.url, i + 1)));
    const missed = new Map<Player, Map<number, number>>();
    let talking = true;
    const listener = players[49]!;
    const talks: Promise<void>[] = [];
    const startTalking = (speaker: Player) =>
      talks.push(
        (async () => {
          while (talking) await speaker.say(listener);
        })(),
      );
    for (const speaker of players.slice(0, 5)) startTalking(speaker);
    for (const name of ['second', 'third', 'fourth']) {
      const saidBefore = players[0]!.said;
      write(authority.issue({ name }));
      t.equal(await relay.reloadCertificate(), 'loaded');
      t.same(await shown(relay.port), [name, name, name]);
      for (const i of upTo(5)) {
        const comer = await Player.join(relay.url, players.length + 1);
        // What was said before it came it need not hear; from then on all.
        missed.set(comer, new Map(players.map(({ slot }) => [slot, -1])));
        players.push(comer);
        if (i === 0) startTalking(comer);
      }
      while (players[0]!.said < saidBefore + 100) await new Promise((resolve) => setImmediate(resolve));
    }
    talking = false;
    await Promise.all(talks);
    const speakers = players.filter(({ said }) => said > 0);
    t.equal(speakers.length, 8);
    for (const speaker of speakers) {
      for (const other of players) if (other !== speaker) await other.hears(speaker, speaker.said - 1);
    }
    let frames = 0;
    for (const player of players) {
      t.notOk(player.closed);
      for (const speaker of speakers) {
        if (speaker === player) continue;
        const heard = player.heard.get(speaker.slot) ?? [];
        const from = missed.has(player) && !missed.has(speaker) ? heard[0]! : (heard[0] ?? 0);
        if (!missed.has(player)) t.equal(from, 0);
        t.same(heard, upTo(speaker.said, from), `${player.account} hears ${speaker.account}`);
        frames += heard.length;
      }
      for (const numbers of player.relaySequences.values()) {
        t.ok(
          numbers.every((number, i) => i === 0 || number === numbers[i - 1]! + 1),
          'without a gap',
        );
      }
    }
    t.comment(`${frames} frames heard by ${players.length}, none lost, doubled or out of order`);
    t.match(events, [
      { kind: 'certificate-loaded', names: /relay\.test/ },
      { kind: 'certificate-loaded' },
      { kind: 'certificate-loaded' },
    ]);
    t.match(relay.counts(), { connections: 65, certificate: { loaded: 3, refused: 0 } });
    const closed = players.map(({ socket }) => once(socket, 'close'));
    await relay.close();
    t.same(
      new Set((await Promise.all(closed)).map(([code]) => code)),
      new Set([1001]),
      'all learn of the end',
    );
  },
);

t.test('a bad new certificate leaves the old one in use, and says why', async (t) => {
  const first = authority.issue({ name: 'first' });
  const second = authority.issue({ name: 'second' });
  const { relay, write, events } = await secureRelay(t, first);
  const bad: [Pick<Issued, 'chain' | 'key'>, RegExp][] = [
    [{ ...second, key: first.key }, /does not belong/],
    [{ ...second, chain: 'oops' }, /there is no certificate/],
    [authority.issue({ name: 'old', to: -60 }), /expired/],
    [authority.issue({ name: 'early', from: 3600 }), /not valid before/],
  ];
  for (const [pair, message] of bad) {
    write(pair);
    await t.rejects(relay.reloadCertificate(), { code: 'ERR_HOTMIC_TLS', message });
    t.same(await shown(relay.port), ['first', 'first', 'first']);
    t.match(events.at(-1), { kind: 'certificate-refused', code: 'ERR_HOTMIC_TLS', detail: message });
  }
  write(first);
  t.equal(await relay.reloadCertificate(), 'unchanged');
  write(second);
  t.equal(await relay.reloadCertificate(), 'loaded');
  t.same(await shown(relay.port), ['second', 'second', 'second']);
  t.match(relay.counts().certificate, { loaded: 1, refused: 4 });
});

t.test('changed files are noticed; a bad certificate is reported once', async (t) => {
  const { relay, write, told } = await secureRelay(t, authority.issue({ name: 'first' }), {}, 10);
  const second = authority.issue({ name: 'second' });
  write({ ...second, key: 'oops' });
  t.match(await told(1), [
    { kind: 'certificate-refused', detail: /key\.pem for TLS: there is no private key/ },
  ]);
  write({ ...second, key: 'still oops' });
  while (relay.counts().certificate!.refused < 2) await new Promise((resolve) => setTimeout(resolve, 10));
  write(second);
  t.match(await told(2), [{}, { kind: 'certificate-loaded' }]);
  t.same(await shown(relay.port), ['second', 'second', 'second']);
});

t.test('a player who connected before the change and says hello after it is admitted', async (t) => {
  const { relay, write } = await secureRelay(t, authority.issue({ name: 'first' }), { limits: LIMITS });
  const early = net.connect(relay.port, '127.0.0.1');
  await once(early, 'connect');
  const { socket: http } = await handshake(relay.port);
  const one = await Player.join(relay.url, 1);
  write(authority.issue({ name: 'second' }));
  await relay.reloadCertificate();
  const { socket, name } = await handshake(relay.port, { socket: early });
  t.equal(name, 'first');
  const answer = once(http, 'data');
  http.write('GET /healthz HTTP/1.1\r\nHost: relay\r\n\r\n');
  t.match(String((await answer)[0]), /^HTTP\/1\.1 200 OK/);
  // A WebSocket on it, by hand.
  const upgraded = once(socket, 'data');
  socket.write(
    'GET / HTTP/1.1\r\nHost: relay\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  );
  t.match(String((await upgraded)[0]), /^HTTP\/1\.1 101 /);
  one.socket.terminate();
  while (relay.counts().connections > 1) await new Promise((resolve) => setImmediate(resolve));
  // The old app was given up when the one left, and is in use again by the other.
  const two = await Player.join(relay.url, 2);
  const three = await Player.join(relay.url, 3);
  await two.say(three);
  t.equal(relay.counts().connections, 3);
  http.destroy();
  socket.destroy();
});

t.test('a session resumed before the change has the old certificate, after it the new one', async (t) => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { relay, write } = await secureRelay(t, authority.issue({ name: 'first' }));
    const versions = { minVersion: version, maxVersion: version };
    const first = await handshake(relay.port, versions);
    // In TLS 1.3 the ticket comes with the first answer.
    first.socket.resume().write('GET /healthz HTTP/1.1\r\nHost: relay\r\n\r\n');
    const session = await first.session;
    first.socket.destroy();
    const resumed = await handshake(relay.port, { ...versions, session });
    t.ok(resumed.socket.isSessionReused(), `${version}: resumed`);
    resumed.socket.destroy();
    write(authority.issue({ name: 'second' }));
    await relay.reloadCertificate();
    const after = await handshake(relay.port, { ...versions, session });
    t.notOk(after.socket.isSessionReused(), `${version}: not resumed`);
    t.equal(after.name, 'second');
    after.socket.destroy();
  }
});

t.test('certificates with connections are bounded; when one is unused the next is loaded', async (t) => {
  const { relay, write } = await secureRelay(t, authority.issue({ name: '0' }));
  const players = [await Player.join(relay.url, 1)];
  for (const i of upTo(8, 1)) {
    write(authority.issue({ name: String(i) }));
    await relay.reloadCertificate();
    players.push(await Player.join(relay.url, i + 1));
  }
  write(authority.issue({ name: 'too many' }));
  if ((await libraryHere()) !== 'uWebSockets.js') {
    t.equal(await relay.reloadCertificate(), 'loaded', 'the others keep none of the old ones');
    return;
  }
  await t.rejects(relay.reloadCertificate(), {
    code: 'ERR_HOTMIC_TLS',
    message: /still use 8 .*expected fewer/,
  });
  await players[0]!.say(players[7]!);
  players[3]!.socket.terminate();
  while (relay.counts().connections > 7) await new Promise((resolve) => setImmediate(resolve));
  await relay.reloadCertificate();
  t.same(await shown(relay.port), ['too many', 'too many', 'too many']);
});

t.test('a port in use, a bad certificate and a plain relay are reported', async (t) => {
  const { relay } = await secureRelay(t, authority.issue({ name: 'first' }));
  const folder = t.testdirName;
  const files = { certFile: join(folder, 'chain.pem'), keyFile: join(folder, 'key.pem') };
  const used = { code: 'ERR_HOTMIC_PORT_IN_USE' };
  await t.rejects(
    startRelay({ dev: true, port: relay.port, tls: files }),
    used,
    'though the port can be shared',
  );
  await t.rejects(startRelay({ dev: true, port: relay.port }), used);
  const none = { ...files, certFile: join(folder, 'none') };
  await t.rejects(startRelay({ dev: true, tls: none }), {
    code: 'ERR_HOTMIC_TLS',
    message: /does not exist/,
  });
  await t.rejects(startRelay({ dev: true, tls: { ...files, lookEveryMs: 9 } }), RangeError);
  const plain = await startRelay({ dev: true });
  t.equal(plain.counts().certificate, null);
  await t.rejects(plain.reloadCertificate(), { code: 'ERR_HOTMIC_TLS', message: /started without TLS/ });
  await plain.close();
  await relay.close();
  await t.rejects(relay.reloadCertificate(), { code: 'ERR_HOTMIC_CLOSED' });
});

t.test('plain HTTP, noise, old TLS and handshakes that stop harm nobody', async (t) => {
  const { relay } = await secureRelay(t, authority.issue({ name: 'first' }), { limits: LIMITS });
  const [one, two] = [await Player.join(relay.url, 1), await Player.join(relay.url, 2)];
  const plain = await fetch(`http://127.0.0.1:${relay.port}/healthz`).then(
    () => 'answered',
    () => 'closed',
  );
  t.equal(plain, 'closed', 'nothing is said in the clear');
  const legacy = { maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  await t.rejects(handshake(relay.port, legacy), { code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
  const noAead = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA:AES128-SHA' } as const;
  await t.rejects(handshake(relay.port, noAead), { code: /HANDSHAKE_FAILURE/ });
  const noise = net.connect(relay.port, '127.0.0.1');
  noise.on('error', () => undefined).resume();
  noise.write(Buffer.alloc(20_000, 0x16));
  await once(noise, 'close');
  // The first bytes of a ClientHello, and then nothing.
  const stopped = await Promise.all(
    upTo(200).map(async () => {
      const socket = net.connect(relay.port, '127.0.0.1');
      socket.on('error', () => undefined).resume();
      await once(socket, 'connect');
      socket.write(Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1));
      return { closed: once(socket, 'close') };
    }),
  );
  for (let i = 0; i < 200; i++) await one.say(two);
  t.same(two.heard.get(one.slot), upTo(200));
  t.match(relay.counts(), { connections: 2 });
  // uWebSockets gives a handshake some ten seconds.
  await Promise.all(stopped.map(({ closed }) => closed));
  await one.say(two);
});
