/** Files beside the modules, where a bundler has moved the modules: the error that says so, and Vite's dev server. */

import t from 'tap';
import { packageFile } from '../../wasm/package_file.js';
import { viteDevUrl } from '../../wasm/vite_dev.js';

t.test('a file that a bundler has left behind is told with what to do', async (t) => {
  t.equal(packageFile('this test', () => new URL(import.meta.url)).href, import.meta.url);
  for (const find of [() => new URL('./nowhere.js', import.meta.url), () => new URL('./x.js', undefined)]) {
    t.throws(() => packageFile('the codec', find), {
      code: 'ERR_HOTMIC_BUNDLED',
      message: /^Cannot find the codec of hotmic: .* keep hotmic external \(docs\/user\.md\)/,
    });
  }
});

t.test('outside the prebundle of a dev server nobody is asked where the codec is', async (t) => {
  for (const url of ['file:///app/main.js', 'https://game.example/assets/index-abc.js']) {
    t.equal(await viteDevUrl(url, 'hotmic/codec.wasm'), null);
  }
});

t.test("Vite's dev server is asked by the name that the package exports, under its base", async (t) => {
  const asked: string[] = [];
  t.intercept(globalThis, 'fetch', {
    value: async (url: string) => {
      asked.push(url);
      return new Response('export default "/game/node_modules/hotmic/codec.wasm"');
    },
  });
  const module = 'http://127.0.0.1:5173/game/node_modules/.vite/deps/hotmic_codec.js?v=1';
  const found = await viteDevUrl(module, 'hotmic/codec.wasm');
  t.equal(found, 'http://127.0.0.1:5173/game/node_modules/hotmic/codec.wasm');
  t.same(asked, ['http://127.0.0.1:5173/game/@id/hotmic/codec.wasm?import&url']);
});
