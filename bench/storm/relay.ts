/** A relay in a separate process, started as an operator does: with tokens and all checks. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { newKey } from '../../relay/admission/mint_token.js';
import type { TokenJwk } from '../../relay/admission/token_keys.js';

const CLI = fileURLToPath(new URL('../../cli/main.js', import.meta.url));

/** Limits for many addresses: here all clients connect from the loopback address. */
const LIMITS = [
  ...['--address-limit', 'connections=1000000', '--address-limit', 'connectionsPerSecond=1000000'],
  ...['--address-limit', 'connectionBurst=1000000', '--address-limit', 'credentialsPerSecond=1000000'],
  ...['--address-limit', 'credentialBurst=1000000', '--limit', 'connections=20000'],
  ...['--address-limit', 'participants=20000', '--address-limit', 'lobbies=20000'],
  ...['--limit', 'participants=20000'],
];

export class TokenRelay {
  readonly url: string;
  /** The key that signs its tokens. */
  readonly key: TokenJwk;
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(url: string, key: TokenJwk, process: ChildProcess, folder: string) {
    this.url = url;
    this.key = key;
    this.#process = process;
    this.#folder = folder;
  }

  static async start(more: readonly string[] = []): Promise<TokenRelay> {
    const { privateKey, keySet } = await newKey('EdDSA', 'bench');
    const folder = mkdtempSync(join(tmpdir(), 'hotmic-bench-'));
    const keys = join(folder, 'keys.json');
    writeFileSync(keys, JSON.stringify(keySet));
    const args = [
      CLI,
      'relay',
      '--token-keys',
      keys,
      '--port',
      '0',
      '--log-level',
      'error',
      ...LIMITS,
      ...more,
    ];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise<never>((_, reject) => {
      child.once('exit', (code) => reject(new Error(`the relay ended with ${code}`)));
    });
    ended.catch(() => undefined);
    const listening = new Promise<string>((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const url = /Relay listens at (\S+)/.exec(line)?.[1];
        if (url) resolve(url);
      });
    });
    const url = await Promise.race([listening, ended]);
    return new TokenRelay(url, privateKey, child, folder);
  }

  get pid(): number {
    return this.#process.pid!;
  }

  async end(): Promise<void> {
    const gone = new Promise((resolve) => this.#process.once('exit', resolve));
    if (this.#process.exitCode === null) {
      this.#process.kill('SIGTERM');
      await gone;
    }
    rmSync(this.#folder, { recursive: true });
  }
}
