/** Files beside the modules, where a bundler has moved the modules: the error that says so, and Vite's dev server. */

import t from 'tap';
import { packageFile } from '../../wasm/package_file.js';
import { viteDevUrl } from '../../wasm/vite_dev.js';

t.test('the error for a file that a bundler left behind says what to do', async (t) => {
  t.equal(packageFile('this test', () => new URL(import.meta.url)).href, import.meta.url);
  for (const find of [() => new URL('./nowhere.js', import.meta.url), () => new URL('./x.js', undefined)]) {
    t.throws(() => packageFile('the codec', find), {
      code: 'ERR_HOTMIC_BUNDLED',
      message: /^Cannot find the codec of hotmic: .* keep hotmic external \(docs\/user\.md\)/,
    });
  }
});

t.test("the codec is looked for beside Vite's prebundle, under its base, and nowhere else", async (t) => {
  const file = 'hotmic_wasm_bg.wasm';
  for (const url of ['file:///app/main.js', 'https://game.example/assets/index-abc.js']) {
    t.equal(viteDevUrl(url, file), null);
  }
  const module = 'http://127.0.0.1:5173/game/node_modules/.vite/deps/hotmic_codec.js?v=1';
  const found = 'http://127.0.0.1:5173/game/node_modules/hotmic/dist/wasm/pkg/hotmic_wasm_bg.wasm';
  t.equal(viteDevUrl(module, file), found);
});
