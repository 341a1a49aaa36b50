/**
 * Where Vite's dev server has the codec. Up to Vite 7 it bundles packages beforehand into `node_modules/.vite/deps/` and leaves behind the
 * files beside them, so that `new URL('…', import.meta.url)` leads nowhere. Vite itself is asked where the file is: by the name
 * under which the package exports it.
 */

/** A module of Vite's prebundle: what stands before is the server, and its `base`. */
const PREBUNDLED = /^(https?:\/\/.*?)\/(?:@fs\/|node_modules\/)[^?]*\/deps\/[^/?]+/;

/** What Vite answers: a module whose default export is the file's path. */
const ANSWER = /export default "([^"\\]+)"/;

/**
 * The codec's URL on the dev server whose prebundle `moduleUrl` is in; null when it is in none, or the server does not say.
 *
 * @param name As package.json exports it: `hotmic/codec.wasm`.
 */
export async function viteDevUrl(moduleUrl: string, name: string): Promise<string | null> {
  const server = PREBUNDLED.exec(moduleUrl)?.[1];
  if (server === undefined) return null;
  try {
    const response = await fetch(`${server}/@id/${name}?import&url`);
    const path = response.ok ? ANSWER.exec(await response.text())?.[1] : undefined;
    return path === undefined ? null : new URL(path, moduleUrl).href;
  } catch {
    return null;
  }
}
