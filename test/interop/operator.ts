/** What an operator and a game's backend do: run `hotmic` in a separate process, and mint tokens with jose as docs/tokens.md shows. */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { Test } from 'tap';

// The command, not a module: the tests reach Hotmic only by its process and its port.
const HOTMIC = fileURLToPath(new URL('../../cli/main.js', import.meta.url));

/** The longest that a process of these tests lives, in ms. */
const MAX_RUN_MS = 180_000;

export interface Command {
  readonly child: ChildProcessWithoutNullStreams;
  /** The first match in its output, past or future, on either stream. Rejects if the process ends without one. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  readonly ended: Promise<{ readonly code: number | null; readonly output: string }>;
}

/** Runs `hotmic` with `args`; killed when the test is over. */
export function hotmic(t: Test, ...args: readonly string[]): Command {
  const child = spawn(process.execPath, [HOTMIC, ...args], { stdio: 'pipe' });
  child.stdin.on('error', () => undefined).end();
  let output = '';
  let hasEnded = false;
  const wake = new Set<() => void>();
  const wakeAll = () => {
    for (const look of [...wake]) look();
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('latin1').on('data', (text: string) => {
      // PCM on standard output is not searched; the text that is kept is bounded.
      if (output.length < 1 << 20) output += text;
      wakeAll();
    });
  }
  const timer = setTimeout(() => child.kill('SIGKILL'), MAX_RUN_MS);
  t.teardown(() => child.kill('SIGKILL'));
  const ended = new Promise<{ code: number | null; output: string }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      hasEnded = true;
      resolve({ code, output });
      wakeAll();
    });
  });
  const printed = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(output);
        if (!match && !hasEnded) return;
        wake.delete(look);
        if (match) resolve(match);
        else reject(new Error(`hotmic ${args.join(' ')} ended without ${pattern}: ${output}`));
      };
      wake.add(look);
      look();
    });
  return { child, printed, ended };
}

/** A relay on a free port. */
export async function startRelay(t: Test, ...args: readonly string[]): Promise<Command & { url: string }> {
  const command = hotmic(t, 'relay', '--port', '0', ...args);
  const [, url] = await command.printed(/Relay listens at (\S+)/);
  return { ...command, url: url! };
}

export interface Grant {
  readonly lobby: string;
  readonly speak?: boolean;
  readonly listen?: boolean;
  readonly moderator?: boolean;
  readonly priority?: boolean;
  readonly channels?: readonly string[];
}

export interface Backend {
  /** The relay's key file: `{ "keys": [ … ] }`. */
  readonly keySet: string;
  mint(steamId: string, grant: Grant, seconds?: number): Promise<string>;
}

/** A game's backend with its own key. */
export async function startBackend(kid = 'interop'): Promise<Backend> {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'EdDSA' };
  return {
    keySet: JSON.stringify({ keys: [jwk] }),
    mint: (steamId, grant, seconds = 900) =>
      new SignJWT({ hotmic: grant })
        .setProtectedHeader({ alg: 'EdDSA', kid })
        .setSubject(steamId)
        .setAudience('hotmic')
        .setExpirationTime(Math.floor(Date.now() / 1000) + seconds)
        .sign(privateKey),
  };
}
