/** The URL of a relay. */

import { HotmicError } from '../../voice/error.js';

/** Reads the URL of a relay. @throws HotmicError ERR_HOTMIC_URL. */
export function parseRelayUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isRelayUrl = url && (url.protocol === 'ws:' || url.protocol === 'wss:') && url.hash === '';
  if (!isRelayUrl) {
    // Errors must not reveal a password.
    const shown = url && (url.username !== '' || url.password !== '') ? shownUrl(url) : text;
    throw new HotmicError(
      'ERR_HOTMIC_URL',
      `Cannot connect to "${shown}": expected a URL such as ws://127.0.0.1:7800`,
    );
  }
  return url;
}

/** A URL for messages and logs: without user name and password. */
export function shownUrl(url: URL): string {
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  return shown.href;
}
