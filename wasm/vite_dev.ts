/**
 * Where Vite's dev server has the codec. Up to Vite 7 it bundles packages in advance into `node_modules/.vite/deps/` and leaves behind the
 * files beside them, so that `new URL('…', import.meta.url)` leads nowhere. The package itself is beside `.vite`, and is served.
 */

/** A module of Vite's prebundle: before it come the server, its `base`, and the folder of packages. */
const PREBUNDLED = /^(https?:\/\/[^?]*?\/node_modules\/)\.vite\/deps[^/?]*\//;

/**
 * The codec's URL on the dev server whose prebundle contains `moduleUrl`; null outside a prebundle.
 *
 * @param file In `wasm/pkg/`.
 */
export function viteDevUrl(moduleUrl: string, file: string): string | null {
  const packages = PREBUNDLED.exec(moduleUrl)?.[1];
  return packages === undefined ? null : `${packages}hotmic/dist/wasm/pkg/${file}`;
}
