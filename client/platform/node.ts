/** A client in Node, Bun and Deno. */

import { loadCodec } from '../../wasm/load.js';
import { monotonicMs } from '../clock.js';
import type { Platform } from './platform.js';

export const PLATFORM: Platform = {
  now: monotonicMs,
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  random: Math.random,
  transport: async () => (await import('../transport/ws.js')).openWsTransport,
  startCodec: () => loadCodec(),
};
