/**
 * The field of the attacks: a relay as an operator runs it, in a process of its own with a configuration in a file; all that stands
 * around it; people who do nothing wrong; and for attackers addresses, credentials and connections.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Test } from 'tap';
import { mintToken, type NewKey, newKey, type TokenToMint } from '../../relay/admission/mint_token.js';
import { sealAppTicket } from '../../tickets/encrypted_app_ticket.js';
import type { Ownership } from '../../tickets/ownership.js';
import { personSteamId } from '../../voice/steam_id.js';
import { newAuthority } from '../kit/certificates.js';
import { hexOfBytes } from '../kit/hex.js';
import { SEED, SeededRandom } from '../kit/random.js';
import { FakeWebApi } from '../relay/admission/steam_web/fake_web_api.js';
import { ownershipOf } from '../tickets/kit.js';
import type { HonestOrder, HonestReport, Person } from './honest_worker.js';
import { type Message, type Place, Wire } from './wire.js';

const MAIN = fileURLToPath(new URL('../../cli/main.js', import.meta.url));
const HONEST = new URL('./honest_worker.js', import.meta.url);

/** What the relay is set up with, where it differs from the defaults: so that no attack takes minutes. */
export const RESUME_WITHIN_MS = 2000;
/** How long anything may take that is to come: far above what a busy machine needs. */
const WATCHDOG_MS = 120_000;
export const PARTICIPANTS_PER_LOBBY = 12;
export const UNLISTED_PER_LOBBY = 4;
export const CHANNELS_PER_LOBBY = 8;
export const CREDENTIAL_BURST = 16;
export const MOST_SANCTIONS = 40;
/** Of them, what one moderator or one lobby may take. */
export const SANCTIONS_OF_ONE = 4;
export const MOST_LOBBIES = 100;
export const LOBBIES_PER_ADDRESS = 8;
/** Fewer than `CREDENTIAL_BURST`: on a fast machine the one too many is refused for its place, not for its rate. */
export const PARTICIPANTS_PER_ADDRESS = 15;
export const TRUSTED_PROXY = '127.9.0.1';
export const ORIGIN = 'https://game.example';
const APP_ID = 480;

/** Of one address: the default. */
export const CONNECTIONS_PER_ADDRESS = 64;

/** Somebody in a lobby. */
export interface Member {
  readonly wire: Wire;
  readonly steamId: string;
  readonly lobby: string;
  readonly slot: number;
  readonly resumeSecret: string;
  readonly welcome: Message;
}

export interface Joining {
  readonly lobby?: string;
  readonly account?: number;
  readonly from?: string;
  readonly grant?: Partial<
    Pick<TokenToMint, 'maySpeak' | 'mayListen' | 'moderator' | 'channels' | 'expiresAt'>
  >;
}

export type Samples = ReadonlyMap<string, number>;

export interface FieldOptions {
  readonly port: 'plain' | 'tls';
  /** Connections that the relay takes at once. */
  readonly connections: number;
}

/** What all attackers share. */
interface Parts {
  readonly keys: Field['keys'];
  readonly api: FakeWebApi;
  readonly options: FieldOptions;
  readonly place: Place;
  readonly operationsPort: number;
  readonly adminPort: number;
  readonly adminToken: string;
  readonly oldAdminToken: string;
  readonly folder: string;
  readonly log: readonly string[];
  readonly child: ChildProcess;
  readonly honest: Worker;
  readonly appKey: Uint8Array;
  readonly random: SeededRandom;
  readonly secrets: Set<string>;
  readonly drawn: { addresses: number; lobbies: number; accounts: number };
}

export class Field {
  readonly keys: { readonly ed: NewKey; readonly rsa: NewKey; readonly retired: NewKey };
  readonly api: FakeWebApi;
  readonly options: FieldOptions;
  readonly place: Place;
  readonly operationsPort: number;
  readonly adminPort: number;
  /** Good, and good until `retireAdminToken`. */
  readonly adminToken: string;
  readonly oldAdminToken: string;
  /** Every line that the relay wrote. */
  readonly log: readonly string[];
  /** What has to be in no log, no metric and no answer, in lower case. */
  readonly #secrets: Set<string>;
  readonly #wires: Wire[] = [];
  readonly #child: ChildProcess;
  readonly #honest: Worker;
  readonly #appKey: Uint8Array;
  readonly #random: SeededRandom;
  readonly #drawn: { addresses: number; lobbies: number; accounts: number };
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.keys = parts.keys;
    this.api = parts.api;
    this.options = parts.options;
    this.place = parts.place;
    this.operationsPort = parts.operationsPort;
    this.adminPort = parts.adminPort;
    this.adminToken = parts.adminToken;
    this.oldAdminToken = parts.oldAdminToken;
    this.log = parts.log;
    this.#child = parts.child;
    this.#honest = parts.honest;
    this.#appKey = parts.appKey;
    this.#random = parts.random;
    this.#secrets = parts.secrets;
    this.#drawn = parts.drawn;
  }

  /** What holds the relay's sockets: it is logged where the environment leaves it to the relay. */
  get layer(): 'uws' | 'ws' {
    const { HOTMIC_RELAY_SOCKETS: wanted } = process.env;
    if (wanted === 'uws' || wanted === 'ws') return wanted;
    return this.log.some((line) => /"event":"sockets"/.test(line) && /"layer":"ws"/.test(line))
      ? 'ws'
      : 'uws';
  }

  /** Starts a relay and has the honest join. All of it ends with the test. */
  static async open(t: Test, options: FieldOptions): Promise<Field> {
    const random = new SeededRandom(SEED);
    const api = await FakeWebApi.start(t);
    const keys = {
      ed: await newKey('EdDSA', 'ed'),
      rsa: await newKey('RS256', 'rsa'),
      retired: await newKey('EdDSA', 'old'),
    };
    const appKey = random.bytes(32);
    const authority = newAuthority();
    const { chain, key } = authority.issue({ name: 'relay.test' });
    const adminToken = hexOfBytes(random.bytes(24));
    const oldAdminToken = hexOfBytes(random.bytes(24));
    const folder = t.testdir({
      'admin.token': `${oldAdminToken}\n${adminToken}\n`,
      'keys.json': JSON.stringify({ keys: [...keys.ed.keySet.keys, ...keys.rsa.keySet.keys] }),
      'publisher.key': api.key,
      'app.key': hexOfBytes(appKey),
      'chain.pem': chain,
      'key.pem': key,
    });
    const isTls = options.port === 'tls';
    // JSON is YAML.
    const config = {
      port: 0,
      ...(isTls && { tls: { certFile: 'chain.pem', keyFile: 'key.pem' } }),
      origins: [ORIGIN],
      trustedProxies: ['127.9.0.0/16'],
      tokens: { keysFile: 'keys.json' },
      tickets: {
        web: { appId: APP_ID, publisherKeyFile: 'publisher.key', baseUrl: api.baseUrl },
        app: { appId: APP_ID, keyFile: 'app.key' },
      },
      guests: 'listen',
      operations: { port: 0 },
      admin: { port: 0, tokenFile: 'admin.token' },
      log: { form: 'json' },
      limits: {
        connections: options.connections,
        participantsPerLobby: PARTICIPANTS_PER_LOBBY,
        unlistedPerLobby: UNLISTED_PER_LOBBY,
        channelsPerLobby: CHANNELS_PER_LOBBY,
        sanctions: MOST_SANCTIONS,
        lobbies: MOST_LOBBIES,
        // Longer than by default: on a busy machine it takes seconds until an address has as many connections as it may.
        helloWithinMs: 20_000,
        resumeWithinMs: RESUME_WITHIN_MS,
        slotRestMs: RESUME_WITHIN_MS + 1000,
      },
      addressLimits: {
        credentialBurst: CREDENTIAL_BURST,
        lobbies: LOBBIES_PER_ADDRESS,
        participants: PARTICIPANTS_PER_ADDRESS,
      },
    };
    const configFile = join(folder, 'relay.yaml');
    writeFileSync(configFile, JSON.stringify(config, null, 2));
    const child = spawn(process.execPath, [MAIN, 'relay', '--config', configFile], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    const log: string[] = [];
    createInterface({ input: child.stdout! }).on('line', (line) => log.push(line));
    const lines = createInterface({ input: child.stderr! });
    const listening = await new Promise<{ url: string; operationsUrl: string; adminUrl: string }>(
      (resolve, reject) => {
        lines.on('line', (line) => {
          log.push(line);
          if (line.includes('"event":"listening"')) resolve(JSON.parse(line));
        });
        child.once('exit', (code) => reject(new Error(`the relay ended with ${code}: ${log.join('\n')}`)));
      },
    );
    const place: Place = {
      port: Number(new URL(listening.url).port),
      ca: isTls ? authority.certificate : null,
    };

    const people: Person[] = [];
    for (const lobby of ['north', 'south']) {
      for (const role of ['talks', 'talks', 'listens', 'listens'] as const) {
        const steamId = String(personSteamId(people.length + 1));
        const now = Math.floor(Date.now() / 1000);
        const about = { lobby, steamId, audience: 'hotmic', now, expiresAt: now + 3600 };
        people.push({ lobby, steamId, role, token: await mintToken({ key: keys.ed.privateKey, ...about }) });
      }
    }
    const url = `${isTls ? 'wss' : 'ws'}://127.0.0.1:${place.port}/`;
    const order: HonestOrder = { url, ca: place.ca, from: '127.1.0.1', people };
    const honest = new Worker(HONEST, { workerData: order });
    t.teardown(() => honest.terminate());
    const [ready] = await once(honest, 'message');
    if (ready !== 'ready') throw new Error('the honest did not come in');
    const operationsPort = Number(new URL(listening.operationsUrl).port);
    const field = new Field({
      keys,
      api,
      options,
      place,
      operationsPort,
      adminPort: Number(new URL(listening.adminUrl).port),
      adminToken,
      oldAdminToken,
      folder,
      log,
      child,
      honest,
      appKey,
      random,
      secrets: new Set(),
      drawn: { addresses: 0, lobbies: 0, accounts: 1000 },
    });
    for (const { token } of people) field.secret(token);
    for (const key of [api.key, hexOfBytes(appKey), adminToken, oldAdminToken]) field.secret(key);
    field.secret(key.split('\n')[1]!);
    return field;
  }

  /** From now on this is to be nowhere. Of a token its claims and its signature, for its head is not secret. */
  secret<T extends string>(text: T): T {
    const parts = text.split('.');
    for (const part of parts.length === 3 ? parts.slice(1) : parts) {
      if (part.length >= 12) this.#secrets.add(part.toLowerCase());
    }
    return text;
  }

  /** What is secret and stands in any of these, shortened. */
  leaks(texts: Iterable<string>): string[] {
    const all = [...texts].join('\n').toLowerCase();
    return [...this.#secrets]
      .filter((secret) => all.includes(secret))
      .map((secret) => `${secret.slice(0, 12)}…`);
  }

  /** The same, for one attack: its connections are its own. */
  attack(): Field {
    return new Field(this.#parts);
  }

  /** All that the attacker was told, but for the welcomes, which hold what is for them. */
  *told(): Iterable<string> {
    for (const { said } of this.#wires) for (const text of said) if (!text.includes('"welcome"')) yield text;
  }

  /** The attacker goes. */
  async leave(): Promise<void> {
    for (const wire of this.#wires) wire.drop();
    await Promise.all(this.#wires.map((wire) => wire.ended()));
  }

  /** An address that nobody has come from yet. */
  address(): string {
    this.#drawn.addresses += 1;
    return `127.${20 + (this.#drawn.addresses >> 16)}.${(this.#drawn.addresses >> 8) & 0xff}.${this.#drawn.addresses & 0xff}`;
  }

  lobby(): string {
    this.#drawn.lobbies += 1;
    return `arena ${this.#drawn.lobbies}`;
  }

  account(): number {
    this.#drawn.accounts += 1;
    return this.#drawn.accounts;
  }

  /** 1 to 16 bytes of the seed, in hexadecimal. */
  hex(bytes: number): string {
    return this.secret(hexOfBytes(this.#random.bytes(bytes)));
  }

  /** A connection to the voice port. */
  async dial(from = this.address()): Promise<Wire> {
    const wire = await Wire.connect(this.place, from);
    this.#wires.push(wire);
    return wire;
  }

  /** A WebSocket that has said nothing yet. */
  async socket(from?: string, lines: readonly string[] = []): Promise<Wire> {
    const wire = await this.dial(from);
    const answer = await wire.upgrade('/', lines);
    if (answer?.status !== 101) throw new Error(`no WebSocket: ${JSON.stringify(answer)}`);
    return wire;
  }

  /** Sends a request as it is to a plain port, and gives the answer. */
  async ask(
    port: number,
    bytes: string,
    from = this.address(),
  ): Promise<Awaited<ReturnType<Wire['answer']>>> {
    const wire = await Wire.connect({ port, ca: null }, from);
    this.#wires.push(wire);
    wire.write(bytes);
    const answer = await wire.answer();
    wire.drop();
    return answer;
  }

  /** A good token, but for what is changed. */
  async token(changed: Partial<TokenToMint> = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    return this.secret(
      await mintToken({
        key: this.keys.ed.privateKey,
        lobby: 'arena',
        steamId: String(personSteamId(this.account())),
        audience: 'hotmic',
        now,
        expiresAt: now + 600,
        ...changed,
      }),
    );
  }

  /** What a good app ticket says now, but for what is changed. */
  ownership(changed: Partial<Ownership> = {}): Ownership {
    const now = Math.floor(Date.now() / 1000);
    return ownershipOf({ appId: APP_ID, generatedAt: now - 1, expiresAt: now + 3600, ...changed });
  }

  /** An app ticket under the app's key. */
  appTicket(nonce: Uint8Array, changed: Partial<Ownership> = {}, key = this.#appKey): string {
    const sealed = sealAppTicket(
      { ownership: this.ownership(changed), userData: nonce },
      key,
      this.#random.bytes(16),
      this.#random.bytes(8),
    );
    return this.secret(hexOfBytes(sealed));
  }

  /** Comes in with a token. */
  async join({
    lobby = this.lobby(),
    account = this.account(),
    from,
    grant = {},
  }: Joining = {}): Promise<Member> {
    const wire = await this.socket(from);
    const steamId = String(personSteamId(account));
    const token = await this.token({ lobby, steamId, ...grant });
    wire.send({ type: 'hello', versions: [1], lobby, name: 'attacker', steamId, token });
    const welcome = await wire.message('welcome');
    const resumeSecret = this.secret(String(welcome.resume?.secret));
    return { wire, steamId, lobby, slot: welcome.slot, resumeSecret, welcome };
  }

  /** An attacker and somebody who listens, in a lobby of their own. */
  async pair(joining: Joining = {}): Promise<{ attacker: Member; witness: Member }> {
    const lobby = joining.lobby ?? this.lobby();
    const witness = await this.join({ lobby });
    const attacker = await this.join({ ...joining, lobby });
    await witness.wire.message('joined');
    return { attacker, witness };
  }

  /** A connection whose ticket is with Steam, who is slow. */
  async judging(): Promise<{ wire: Wire; steamId: string; ticket: string; lobby: string }> {
    const steamId = String(personSteamId(this.account()));
    const lobby = this.lobby();
    const ticket = this.hex(64);
    this.api.trouble = 'hang';
    const wire = await this.socket();
    const asked = this.api.queries.length;
    wire.send({ type: 'hello', versions: [1], lobby, name: 'attacker', steamId, ticket });
    const deadline = Date.now() + WATCHDOG_MS;
    while (this.api.queries.length === asked) {
      if (Date.now() > deadline) throw new Error('Steam was not asked');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    this.api.trouble = null;
    return { wire, steamId, ticket, lobby };
  }

  /** What a port of plain HTTP answers to a proper client. */
  get(
    port: number,
    path: string,
    headers: http.OutgoingHttpHeaders = {},
  ): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port, path, headers, agent: false as const, timeout: WATCHDOG_MS };
      const request = http.get(options, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part) => {
          text += part;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
      request.on('error', reject).on('timeout', () => request.destroy(new Error(`${path} did not answer`)));
    });
  }

  /** What /metrics says now. */
  async scrape(): Promise<{ samples: Samples; text: string }> {
    const { status, text } = await this.get(this.operationsPort, '/metrics');
    if (status !== 200) throw new Error(`/metrics answers ${status}`);
    const samples = new Map<string, number>();
    for (const line of text.split('\n')) {
      const [, name, value] = /^([a-z_]+(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
      if (name !== undefined) samples.set(name, Number(value));
    }
    return { samples, text };
  }

  /** Asks until it is so: for what no event tells. */
  async until(isSo: (samples: Samples) => boolean, what: string): Promise<Samples> {
    const deadline = Date.now() + WATCHDOG_MS;
    for (;;) {
      const { samples } = await this.scrape();
      if (isSo(samples)) return samples;
      if (Date.now() > deadline) throw new Error(`not within ${WATCHDOG_MS} ms: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** How the honest fared since the last time. */
  async honest(): Promise<HonestReport> {
    this.#honest.postMessage('report');
    const [report] = (await once(this.#honest, 'message')) as [HonestReport];
    return report;
  }

  /** Takes the old token of administrators out of its file, and has the relay read that. */
  async retireAdminToken(): Promise<void> {
    writeFileSync(join(this.#parts.folder, 'admin.token'), `${this.adminToken}\n`);
    this.#child.kill('SIGHUP');
    // The signal is handled before what comes after it is read; nothing tells.
    const deadline = Date.now() + WATCHDOG_MS;
    const headers = { authorization: `Bearer ${this.oldAdminToken}` };
    while ((await this.get(this.adminPort, '/v1/counts', headers)).status === 200) {
      if (Date.now() > deadline) throw new Error('the old token is still taken');
    }
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The honest leave, and the relay is stopped as an operator does it. Its exit code. */
  async end(): Promise<number | null> {
    const left = once(this.#honest, 'exit');
    this.#honest.postMessage('leave');
    await left;
    await this.until((samples) => samples.get('hotmic_connections') === 0, 'no connection is left');
    const exited = once(this.#child, 'close');
    this.#child.kill('SIGTERM');
    const [code] = await exited;
    return code;
  }
}
