/**
 * The page that the relay serves at `/`: files that `web/build.ts` made, held in memory, each in three encodings. A request is answered from there; no
 * path of a request ever reaches a file system.
 */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { HotmicError, messageOf } from '../../../voice/error.js';
import type { HttpAnswer, PlainRequest } from '../sockets/layer.js';

/** From the compiled file of this one. */
const FOLDER = new URL('../../../web/site/', import.meta.url);

/** What `web/build.ts` writes about the files. */
interface SiteDescription {
  readonly files: readonly { readonly path: string; readonly type: string; readonly file: string }[];
  /** Of what is in the HTML file, as Content-Security-Policy has it. */
  readonly scriptHash: string;
  readonly styleHash: string;
}

type Encoding = 'br' | 'gzip' | 'identity';

interface Page {
  readonly type: string;
  readonly tag: string;
  readonly cache: string;
  readonly bodies: Readonly<Record<Encoding, Uint8Array>>;
}

/** The HTML file may be another one tomorrow. The others have a hash of their content in their names. */
const ASK_AGAIN = 'no-cache';
const FOR_GOOD = 'public, max-age=31536000, immutable';
/** Who can join by the page: `anyone` with a SteamID that they make up, in development; guests, who may speak or only listen; or who has a token. */
export type SiteEntry = 'anyone' | 'guests' | 'listeners' | 'tokens';

/** Where the HTML file says what the relay is like. */
const RELAY_PLACE = '"relay":null';

export class Site {
  readonly #pages: ReadonlyMap<string, Page>;
  readonly #headers: readonly (readonly [name: string, value: string])[];

  /**
   * Reads the site.
   *
   * @param relay The path of its WebSocket, and who can join.
   * @throws HotmicError `ERR_HOTMIC_FILE` when it was not built.
   */
  static load(relay: { readonly path: string; readonly entry: SiteEntry }, folder: URL = FOLDER): Site {
    try {
      const description = JSON.parse(readFileSync(new URL('site.json', folder), 'utf8')) as SiteDescription;
      const pages = description.files.map(({ path, type, file }) => {
        const read = (ending: string) => readFileSync(new URL(file + ending, folder));
        const isHtml = path === '';
        const bodies = isHtml
          ? encoded(
              read('')
                .toString()
                .replace(RELAY_PLACE, () => `"relay":${JSON.stringify(relay)}`),
            )
          : { br: read('.br'), gzip: read('.gz'), identity: read('') };
        const cache = isHtml ? ASK_AGAIN : FOR_GOOD;
        return [`/${path}`, { type, cache, bodies, tag: tagOf(bodies.identity) }] as const;
      });
      return new Site(new Map(pages), description);
    } catch (thrown) {
      const place = fileURLToPath(folder);
      throw new HotmicError('ERR_HOTMIC_FILE', `Cannot read the page in ${place}: ${messageOf(thrown)}`, {
        cause: thrown,
      });
    }
  }

  private constructor(pages: ReadonlyMap<string, Page>, { scriptHash, styleHash }: SiteDescription) {
    this.#pages = pages;
    const policy = [
      "default-src 'none'",
      `script-src 'self' 'sha256-${scriptHash}' 'wasm-unsafe-eval'`,
      `style-src 'sha256-${styleHash}'`,
      "worker-src 'self'",
      "connect-src 'self'",
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; ');
    this.#headers = [
      ['content-security-policy', policy],
      // Isolated from other pages, so that audio thread and worker can share memory.
      ['cross-origin-opener-policy', 'same-origin'],
      ['cross-origin-embedder-policy', 'require-corp'],
      ['cross-origin-resource-policy', 'same-origin'],
      ['permissions-policy', 'microphone=(self)'],
      ['referrer-policy', 'no-referrer'],
      ['x-content-type-options', 'nosniff'],
      ['vary', 'accept-encoding'],
    ];
  }

  /** The answer; null for a path that it does not have. */
  answer({ path, acceptEncoding, ifNoneMatch }: PlainRequest): HttpAnswer | null {
    const page = this.#pages.get(path);
    if (!page) return null;
    const { type, tag, cache, bodies } = page;
    const headers = [...this.#headers, ['cache-control', cache], ['etag', tag]] as const;
    if (ifNoneMatch.split(',').some((given) => given.trim().replace(/^W\//, '') === tag))
      return { status: '304 Not Modified', headers, body: '' };
    const encoding = encodingFor(acceptEncoding);
    const about = [
      ['content-type', type],
      ...(encoding === 'identity' ? [] : [['content-encoding', encoding]]),
    ];
    return {
      status: '200 OK',
      headers: [...headers, ...(about as [string, string][])],
      body: bodies[encoding],
    };
  }
}

function encoded(text: string): Page['bodies'] {
  const identity = Buffer.from(text);
  return { br: brotliCompressSync(identity), gzip: gzipSync(identity, { level: 9 }), identity };
}

function tagOf(bytes: Uint8Array): string {
  return `"${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}"`;
}

/** The smallest that the client takes. A weight of 0 means no; other weights are not compared. */
function encodingFor(acceptEncoding: string): Encoding {
  const taken = acceptEncoding.split(',').flatMap((one) => {
    const [name = '', ...parameters] = one.split(';').map((part) => part.trim().toLowerCase());
    return parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter)) ? [] : [name];
  });
  if (taken.includes('br')) return 'br';
  return taken.includes('gzip') ? 'gzip' : 'identity';
}
