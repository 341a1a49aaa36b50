/** A client in Node, Bun and Deno. */

import { loadCodec } from '../../wasm/load.js';
import { monotonicMs } from '../clock.js';
import type { Platform } from './platform.js';
import { TIMERS } from './timers.js';

export const PLATFORM: Platform = {
  ...TIMERS,
  now: monotonicMs,
  transport: async () => (await import('../transport/ws.js')).openWsTransport,
  startCodec: () => loadCodec(),
};
