/** What the Electron example uses of Electron, which is not installed here. */

declare module 'electron' {
  export const app: {
    on(event: 'will-quit', listener: () => void): void;
    whenReady(): Promise<void>;
  };
  export const ipcMain: {
    handle(channel: string, listener: (event: unknown, ...args: unknown[]) => unknown): void;
  };
  export class BrowserWindow {
    static getAllWindows(): BrowserWindow[];
    constructor(options: { width: number; height: number });
    readonly webContents: { send(channel: string, ...args: unknown[]): void };
    loadURL(url: string): Promise<void>;
  }
}
