/**
 * Files of this package that Node finds beside its modules: the codec, the capture worker, the addon. A bundler that takes hotmic into
 * its one file leaves them behind; whoever looks for one is told so, instead of a path that nobody knows.
 */

import { existsSync } from 'node:fs';
import { HotmicError } from '../voice/error.js';

/**
 * The file at `find`, which is `() => new URL('./…', import.meta.url)`: as CommonJS there is no such URL.
 *
 * @param what Its name in the error.
 * @throws HotmicError ERR_HOTMIC_BUNDLED when it is not there.
 */
export function packageFile(what: string, find: () => URL): URL {
  let url: URL | null = null;
  try {
    url = find();
  } catch {
    // Bundled as CommonJS: import.meta.url is not there.
  }
  if (url !== null && existsSync(url)) return url;
  const where = url === null ? 'this module has no URL' : `it is not at ${url.pathname}`;
  throw new HotmicError(
    'ERR_HOTMIC_BUNDLED',
    `Cannot find ${what} of hotmic: ${where}. If a bundler has taken hotmic in, keep hotmic external (docs/user.md); else install it again`,
  );
}
