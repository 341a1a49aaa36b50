/**
 * The path at which players reach the relay: `/`, or one such as `/voice` where a proxy serves other things at `/`. A slash at its end makes no
 * difference, neither here nor in a request.
 */

/** What a path may be. Nothing in it means something else in a URL, or to uWebSockets' router. */
export const VOICE_PATH = /^\/(?:[\w.~-]+\/)*(?:[\w.~-]+\/?)?$/;

/** For messages and documents. */
export const VOICE_PATH_EXPECTED =
  'a path such as /voice, of letters, digits, ., ~, _ and -, but not /healthz';

/** Null for one that cannot be used. */
export function readVoicePath(text: string): string | null {
  const isDotted = text.split('/').some((part) => part === '.' || part === '..');
  if (text.length > 256 || isDotted || !VOICE_PATH.test(text)) return null;
  const path = text === '/' ? text : text.replace(/\/$/, '');
  return path === '/healthz' ? null : path;
}

/** The option's path, without a slash at its end. @throws RangeError for one that cannot be used. */
export function voicePath(text = '/'): string {
  const path = readVoicePath(text);
  if (path !== null) return path;
  throw new RangeError(
    `Cannot start the relay: path is ${JSON.stringify(text)}, expected ${VOICE_PATH_EXPECTED}`,
  );
}
