/**
 * As much of Electron as the example uses: it loads one page, which asks everything that may be asked, says what it was told,
 * and quits. As Electron does, it becomes ready when the main module has run to its end: one that awaits that never ends.
 */

import { pathToFileURL } from 'node:url';

type Handler = (event: unknown, ...args: unknown[]) => unknown;

const handlers = new Map<string, Handler>();
const quitListeners: (() => void)[] = [];

export const app = {
  on: (_event: 'will-quit', listener: () => void) => void quitListeners.push(listener),
  whenReady: async () => void (await import(pathToFileURL(process.argv[1]!).href)),
};

export const ipcMain = {
  handle: (channel: string, handler: Handler) => void handlers.set(channel, handler),
};

export class BrowserWindow {
  static getAllWindows(): BrowserWindow[] {
    return [];
  }

  readonly webContents = { send: () => undefined };

  /** The page's part. What crosses is cloned, as Electron does. */
  async loadURL(): Promise<void> {
    for (const [channel, handler] of handlers) {
      const answer = structuredClone(await handler({}));
      console.log(`${channel}: ${answer instanceof Uint8Array ? `${answer.length} bytes` : answer}`);
    }
    for (const listener of quitListeners) listener();
    console.log('quit');
  }
}
