/**
 * Builds the page into dist/web/site: one HTML file with the page's style and script in it, and the files that it loads when somebody joins, under
 * names with a hash of their content. Each is there in three encodings. `site.json` says what is what, for the relay that serves it.
 *
 *     node dist/web/build.js
 */

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const SITE = 'dist/web/site';
const TARGETS = ['chrome110', 'firefox115', 'safari16.4'];

/** A file of the site, as `site.json` describes it. */
interface SiteFile {
  readonly path: string;
  readonly type: string;
  readonly file: string;
}

async function bundle(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: TARGETS,
    minify: true,
    legalComments: 'none',
    tsconfig: 'web/tsconfig.json',
    // The codec's file is named by the page, and never looked for beside a bundle.
    loader: { '.wasm': 'empty' },
    write: false,
    logLevel: 'warning',
  });
  return outputFiles[0]!.text;
}

function hashOf(bytes: string | Uint8Array, encoding: 'hex' | 'base64'): string {
  return createHash('sha256').update(bytes).digest(encoding);
}

function write(name: string, bytes: Uint8Array): void {
  writeFileSync(`${SITE}/${name}`, bytes);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  writeFileSync(`${SITE}/${name}.br`, brotliCompressSync(bytes, { params }));
  writeFileSync(`${SITE}/${name}.gz`, gzipSync(bytes, { level: 9 }));
}

const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.wasm': 'application/wasm' };

/** Writes a file under a name with its hash. */
function asset(name: string, content: string | Uint8Array): SiteFile {
  const bytes = Buffer.from(content);
  const extension = extname(name);
  const file = `${basename(name, extension)}-${hashOf(bytes, 'hex').slice(0, 16)}${extension}`;
  write(file, bytes);
  return { path: `assets/${file}`, type: TYPES[extension]!, file };
}

rmSync(SITE, { recursive: true, force: true });
mkdirSync(SITE, { recursive: true });
const assets = {
  worker: asset('worker.js', await bundle('web/worker/worker.ts')),
  worklets: asset('worklets.js', await bundle('web/sound/worklets.ts')),
  codec: asset('codec.wasm', readFileSync('wasm/pkg/hotmic_wasm_bg.wasm')),
  processing: asset('processing.wasm', readFileSync('wasm/pkg/hotmic_processing.wasm')),
};
const script = await bundle('web/page/index.tsx');
const style = readFileSync('web/page/style.css', 'utf8');
const paths = Object.fromEntries(Object.entries(assets).map(([name, { path }]) => [name, path]));
const filled = {
  '/* style.css */': style,
  // The relay fills in what it is like.
  '{"//": "assets"}': JSON.stringify({ relay: null, ...paths }),
  // Nothing in a script may end it.
  '/* index.tsx */': script.replaceAll('</script', '<\\/script'),
};
let html = readFileSync('web/page/index.html', 'utf8');
for (const [place, content] of Object.entries(filled)) html = html.replace(place, () => content);
writeFileSync(`${SITE}/index.html`, html);

/** What stands between these tags, to the letter. */
function inside(open: string, close: string): string {
  const begin = html.indexOf(`<${open}>`) + open.length + 2;
  return html.slice(begin, html.indexOf(`</${close}>`, begin));
}

writeFileSync(
  `${SITE}/site.json`,
  JSON.stringify({
    files: [{ path: '', type: 'text/html; charset=utf-8', file: 'index.html' }, ...Object.values(assets)],
    scriptHash: hashOf(inside('script type="module"', 'script'), 'base64'),
    styleHash: hashOf(inside('style', 'style'), 'base64'),
  }),
);
