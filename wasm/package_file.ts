/**
 * Files of this package that Node finds beside its modules: the codec, the capture worker, the addon. A bundler that includes hotmic in
 * its output leaves them behind. The error says so, instead of showing a path that means nothing to the reader.
 */

import { existsSync } from 'node:fs';
import { HotmicError } from '../voice/error.js';

/**
 * The file at `find`, which is `() => new URL('./…', import.meta.url)`: in CommonJS there is no such URL.
 *
 * @param what Its name in the error.
 * @throws HotmicError ERR_HOTMIC_BUNDLED when it is missing.
 */
export function packageFile(what: string, find: () => URL): URL {
  let url: URL | null = null;
  try {
    url = find();
  } catch {
    // Bundled as CommonJS: there is no import.meta.url.
  }
  if (url !== null && existsSync(url)) return url;
  const where = url === null ? 'this module has no URL' : `it is not at ${url.pathname}`;
  throw new HotmicError(
    'ERR_HOTMIC_BUNDLED',
    `Cannot find ${what} of hotmic: ${where}. If a bundler has included hotmic, keep hotmic external (docs/user.md); otherwise install it again`,
  );
}
