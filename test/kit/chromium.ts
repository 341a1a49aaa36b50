/**
 * A headless Chromium, where there is one, and a server on the loopback that gives it what a bundler would: the compiled files,
 * with `hotmic/…` led to the door that package.json names for browsers.
 */

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

/** What a route of the test's own answers. */
export interface Route {
  readonly status?: number;
  readonly type: string;
  readonly body: Uint8Array | string;
}

export interface TestServer {
  /** Its origin, without a slash at the end. */
  readonly url: string;
  /** The paths asked for since `requests` was last emptied. */
  readonly requests: string[];
  close(): Promise<void>;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

const ARGUMENTS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update'],
];

/** The path of a Chromium, from HOTMIC_CHROMIUM or the PATH; null if neither has one. */
export function findChromium(): string | null {
  const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
  return findProgram('HOTMIC_CHROMIUM', names);
}

/** What the variable names, or the first of these on the PATH; null if neither has one. */
export function findProgram(variable: string, names: readonly string[]): string | null {
  const { [variable]: given } = process.env;
  if (given) return given;
  for (const name of names) {
    const found = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' });
    if (found.status === 0) return found.stdout.trim();
  }
  return null;
}

/** Starts it without a window. @param jsFlags For V8, as in `--js-flags`. @param more Arguments of the browser's own. */
export function startChromium(
  executablePath: string,
  jsFlags = '',
  more: readonly string[] = [],
): Promise<Browser> {
  const args = [...ARGUMENTS, ...(jsFlags === '' ? [] : [`--js-flags=${jsFlags}`]), ...more];
  return chromium.launch({ executablePath, args, headless: true });
}

/** What `import 'hotmic/…'` means under these conditions, as a path in dist/, by the first match as Node has it. */
export function resolveDoor(specifier: string, conditions: readonly string[]): string {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: Record<string, Target> };
  let target: Target | undefined = exports[specifier.replace(/^hotmic/, '.')];
  while (typeof target === 'object') {
    target = Object.entries(target).find(([name]) => name === 'default' || conditions.includes(name))?.[1];
  }
  if (target === undefined)
    throw new Error(`package.json exports no ${specifier} for ${conditions.join(', ')}`);
  return target.replace(/^\.\/dist/, '');
}

type Target = string | { readonly [condition: string]: Target };

/** Serves dist/ and `routes` at 127.0.0.1. */
export async function serveDist(routes: Readonly<Record<string, Route>>): Promise<TestServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    requests.push(pathname);
    const { status = 200, type, body } = routes[pathname] ?? fileRoute(pathname);
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
    response.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** A compiled file, its imports led as for a browser. */
function fileRoute(pathname: string): Route {
  const type = TYPES[extname(pathname)];
  try {
    if (type === undefined) throw new Error('not a kind of file that is served');
    // The path is that of a URL: it holds no `..` any more.
    const body = readFileSync(join('dist', normalize(pathname)));
    if (!pathname.endsWith('.js')) return { type, body };
    const text = body
      .toString()
      .replace(/(from\s*['"])(hotmic(?:\/\w+)?)(['"])/g, (_, before, name, after) => {
        return `${before}${resolveDoor(name, ['browser', 'import'])}${after}`;
      });
    return { type, body: text };
  } catch (error) {
    return { status: 404, type: 'text/plain', body: String(error) };
  }
}
