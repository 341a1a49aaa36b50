/** The URL of a relay. */

import { HotmicError } from '../voice/error.js';

/** Reads the URL of a relay. @throws HotmicError ERR_HOTMIC_URL. */
export function parseRelayUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isRelayUrl = url && (url.protocol === 'ws:' || url.protocol === 'wss:') && url.hash === '';
  if (!isRelayUrl) {
    throw new HotmicError(
      'ERR_HOTMIC_URL',
      `Cannot connect to "${text}": wants a URL such as ws://127.0.0.1:7800`,
    );
  }
  return url;
}

/** Where a relay sends us; null for what is no URL of a relay, or would give up TLS. */
export function urlToGoTo(text: string, from: URL): URL | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.hash !== '') return null;
  return url.protocol === 'wss:' || (url.protocol === 'ws:' && from.protocol === 'ws:') ? url : null;
}
