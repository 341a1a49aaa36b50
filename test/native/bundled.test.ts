/** Modules that a bundler has moved away from the files beside them: the error names the bundler, and not a missing Steam. */

import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';

t.test(
  'the error in a bundled main process says to keep hotmic external, and not that the addon is missing',
  async (t) => {
    const folder = t.testdir({ 'package.json': '{"type":"module"}' });
    for (const module of ['native/real/addon.js', 'voice/error.js', 'wasm/package_file.js']) {
      cpSync(join('dist', module), join(folder, module));
    }
    t.notOk(existsSync(join(folder, 'native/real/steam.js')));
    const moved = (await import(pathToFileURL(join(folder, 'native/real/addon.js')).href)) as {
      loadAddon: () => unknown;
    };
    t.throws(() => moved.loadAddon(), {
      code: 'ERR_HOTMIC_BUNDLED',
      message: /keep hotmic external \(docs\/user\.md\)/,
    });
  },
);
