/** A client in a browser's page or worker. */

import { loadCodec } from '../../wasm/load_browser.js';
import { openBrowserTransport } from '../transport/browser.js';
import type { Platform } from './platform.js';

export const PLATFORM: Platform = {
  // Of this page or worker: another one's clock starts at another time.
  now: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  random: Math.random,
  transport: async () => openBrowserTransport,
  startCodec: () => loadCodec(),
};
