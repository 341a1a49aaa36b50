/**
 * The path of the voice WebSocket: `/`, or one such as `/voice` where a proxy serves other things at `/`. A trailing slash makes no
 * difference, neither here nor in a request.
 */

/** The characters of a path: none of them has a special meaning in a URL or in uWebSockets' router. */
export const VOICE_PATH = /^\/(?:[\w.~-]+\/)*(?:[\w.~-]+\/?)?$/;

/** For messages and documents. */
export const VOICE_PATH_EXPECTED =
  'a path such as /voice, of letters, digits, ., ~, _ and -, but not /healthz';

/** The path without a trailing slash; null for one that cannot be used. */
export function readVoicePath(text: string): string | null {
  const isDotted = text.split('/').some((part) => part === '.' || part === '..');
  if (text.length > 256 || isDotted || !VOICE_PATH.test(text)) return null;
  const path = text === '/' ? text : text.replace(/\/$/, '');
  return path === '/healthz' ? null : path;
}

/** The option's path, without a trailing slash. @throws RangeError for one that cannot be used. */
export function voicePath(text = '/'): string {
  const path = readVoicePath(text);
  if (path !== null) return path;
  throw new RangeError(
    `Cannot start the relay: path is ${JSON.stringify(text)}, expected ${VOICE_PATH_EXPECTED}`,
  );
}
