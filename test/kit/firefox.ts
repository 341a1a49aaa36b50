/** A headless Firefox, where there is one, driven by WebDriver BiDi: playwright-core drives only builds of its own. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';
import { findProgram } from './chromium.js';

/** What a page tells the test. */
export interface FirefoxEvents {
  /** The page called `control` with this. */
  readonly onControl: (what: string) => void;
  /** An error that the page did not catch. */
  readonly onError: (text: string) => void;
}

export interface FirefoxPage {
  /** The string that this expression gives, or its promise. @throws Error for what the page throws. */
  evaluate(expression: string): Promise<string>;
  close(): Promise<void>;
}

export interface Firefox {
  /** Opens a page that has a function `control`, and waits until it has loaded. One page at a time. */
  open(url: string, events: FirefoxEvents): Promise<FirefoxPage>;
  close(): Promise<void>;
}

/** The parts of BiDi's messages that are read here. */
interface Message {
  readonly id?: number;
  readonly type: 'success' | 'error' | 'event';
  readonly message?: string;
  readonly method?: string;
  readonly params?: { readonly channel: string; readonly data: { readonly value: string } };
  readonly result?: unknown;
}

type Evaluated =
  | { readonly type: 'success'; readonly result: { readonly value: string } }
  | { readonly type: 'exception'; readonly exceptionDetails: { readonly text: string } };

/** The path of a Firefox, from HOTMIC_FIREFOX or the PATH; null if neither has one. */
export function findFirefox(): string | null {
  return findProgram('HOTMIC_FIREFOX', ['firefox-esr', 'firefox']);
}

/** Starts it without a window, with a profile of its own. */
export async function startFirefox(executable: string): Promise<Firefox> {
  const profile = mkdtempSync(join(tmpdir(), 'hotmic-firefox-'));
  const args = [
    '--headless',
    '--no-remote',
    '--profile',
    profile,
    '--remote-debugging-port=0',
    'about:blank',
  ];
  const child = spawn(executable, args, {
    env: { ...process.env, HOME: profile },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const over = once(child, 'close');
  const session = await connect(`${await addressOf(child.stderr)}/session`);
  await session.call('session.new', { capabilities: {} });
  await session.call('session.subscribe', { events: ['script.message'] });
  const channel = (name: string) => ({ type: 'channel', value: { channel: name } });
  await session.call('script.addPreloadScript', {
    functionDeclaration: `(tell, fail) => {
      globalThis.control = async (what) => tell(what);
      addEventListener('error', ({ message }) => fail(message));
      addEventListener('unhandledrejection', ({ reason }) => fail(String(reason)));
    }`,
    arguments: [channel('control'), channel('error')],
  });
  return {
    open: async (url, { onControl, onError }) => {
      session.onEvent = ({ params }) => {
        const { channel, data } = params!;
        if (channel === 'control') onControl(data.value);
        else if (channel === 'error') onError(data.value);
      };
      const { context } = (await session.call('browsingContext.create', { type: 'tab' })) as {
        context: string;
      };
      await session.call('browsingContext.navigate', { context, url, wait: 'complete' });
      return {
        evaluate: async (expression) => {
          const run = { expression, target: { context }, awaitPromise: true };
          const evaluated = (await session.call('script.evaluate', run)) as Evaluated;
          if (evaluated.type === 'exception') throw new Error(evaluated.exceptionDetails.text);
          return evaluated.result.value;
        },
        close: async () => {
          await session.call('browsingContext.close', { context });
        },
      };
    },
    close: async () => {
      await session.call('browser.close', {});
      await over;
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

/** Where Firefox listens, which it prints. */
async function addressOf(output: NodeJS.ReadableStream): Promise<string> {
  const lines: string[] = [];
  for await (const line of createInterface(output)) {
    const found = /^WebDriver BiDi listening on (ws:\S+)/.exec(line)?.[1];
    if (found !== undefined) {
      // It must not block on a full pipe.
      output.resume();
      return found;
    }
    lines.push(line);
  }
  throw new Error(`Cannot start Firefox: it ended: ${lines.join('; ')}`);
}

/** A line to its BiDi: commands are answered by number. */
async function connect(url: string) {
  const socket = new WebSocket(url);
  await once(socket, 'open');
  const waiting = new Map<number, (message: Message) => void>();
  const session = {
    onEvent: (_message: Message): void => undefined,
    call: async (method: string, params: object): Promise<unknown> => {
      const id = waiting.size === 0 ? 1 : Math.max(...waiting.keys()) + 1;
      const answered = new Promise<Message>((resolve) => waiting.set(id, resolve));
      socket.send(JSON.stringify({ id, method, params }));
      const { type, message, result } = await answered;
      if (type === 'error') throw new Error(`Cannot do ${method} in Firefox: ${message}`);
      return result;
    },
  };
  socket.on('message', (data) => {
    const message = JSON.parse(String(data)) as Message;
    if (message.id === undefined) session.onEvent(message);
    else {
      waiting.get(message.id)?.(message);
      waiting.delete(message.id);
    }
  });
  socket.on('close', () => {
    for (const answer of waiting.values()) answer({ type: 'error', message: 'the connection was closed' });
    waiting.clear();
  });
  return session;
}
