/** A client in a browser's page or worker. */

import { loadCodec } from '../../wasm/load_browser.js';
import { openBrowserTransport } from '../transport/browser.js';
import type { Platform } from './platform.js';
import { TIMERS } from './timers.js';

export const PLATFORM: Platform = {
  ...TIMERS,
  // Of this page or worker: another one's clock starts at another time.
  now: () => performance.now(),
  transport: async () => openBrowserTransport,
  startCodec: () => loadCodec(),
};
