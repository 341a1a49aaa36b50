/** What the relay answers at `/` and below: from memory, in the form that the client takes, and nothing else of the disk. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { Site } from '../../../../relay/port/page/site.js';

const PLAIN = { acceptEncoding: '', ifNoneMatch: '' };

function siteOf(t: Test): Site {
  const folder = mkdtempSync(join(tmpdir(), 'hotmic-site-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const files = {
    'index.html': '<script>{"relay":null}</script>',
    'page-1.js': 'identity',
    'page-1.js.br': 'brotli',
    'page-1.js.gz': 'gzip',
    'secret.txt': 'secret',
    'site.json': JSON.stringify({
      files: [
        { path: '', type: 'text/html; charset=utf-8', file: 'index.html' },
        { path: 'assets/page-1.js', type: 'text/javascript', file: 'page-1.js' },
      ],
      scriptHash: 'SCRIPT',
      styleHash: 'STYLE',
    }),
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return Site.load({ path: '/voice', entry: 'guests' }, pathToFileURL(`${folder}/`));
}

function headersOf(site: Site, path: string, acceptEncoding = ''): Readonly<Record<string, string>> {
  const { headers = [] } = site.answer({ ...PLAIN, path, acceptEncoding })!;
  return Object.fromEntries(headers);
}

t.test('the document says what the relay is like, and is asked for again each time', async (t) => {
  const site = siteOf(t);
  const answer = site.answer({ ...PLAIN, path: '/' })!;
  t.equal(
    Buffer.from(answer.body).toString(),
    '<script>{"relay":{"path":"/voice","entry":"guests"}}</script>',
  );
  t.equal(headersOf(site, '/')['cache-control'], 'no-cache');
});

t.test('a file comes in the best form that the client takes', async (t) => {
  const site = siteOf(t);
  for (const [acceptEncoding, form] of [
    ['gzip, deflate, br, zstd', 'brotli'],
    ['BR;q=0.5 , gzip', 'brotli'],
    ['gzip', 'gzip'],
    ['br;q=0, gzip;q=1.0', 'gzip'],
    ['br;q=0.000', 'identity'],
    ['brotli', 'identity'],
    ['', 'identity'],
  ] as const) {
    const answer = site.answer({
      path: '/assets/page-1.js',
      acceptEncoding: acceptEncoding!,
      ifNoneMatch: '',
    })!;
    t.equal(Buffer.from(answer.body).toString(), form, acceptEncoding);
  }
  t.equal(headersOf(site, '/assets/page-1.js', 'br')['content-encoding'], 'br');
  t.equal(headersOf(site, '/assets/page-1.js')['content-encoding'], undefined);
});

t.test('what the client has already is not sent again', async (t) => {
  const site = siteOf(t);
  const { etag } = headersOf(site, '/');
  for (const ifNoneMatch of [etag!, `"other", W/${etag}`]) {
    const answer = site.answer({ path: '/', acceptEncoding: 'br', ifNoneMatch });
    t.match(answer, { status: '304 Not Modified', body: '' });
  }
  t.match(site.answer({ ...PLAIN, path: '/', ifNoneMatch: '"other"' }), { status: '200 OK' });
});

t.test('nothing but the listed files is served, whatever the path', async (t) => {
  const site = siteOf(t);
  for (const path of [
    ...['/secret.txt', '/assets/secret.txt', '/assets/../secret.txt', '/assets/%2e%2e/secret.txt'],
    ...['/index.html', '/page-1.js', '//', '', '/assets/page-1.js.br', '/site.json', '/__proto__'],
  ])
    t.equal(site.answer({ ...PLAIN, path }), null, path);
});

t.test('every answer isolates the page, and lets it load from its relay alone', async (t) => {
  const site = siteOf(t);
  for (const path of ['/', '/assets/page-1.js']) {
    const headers = headersOf(site, path);
    t.match(headers, {
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'cross-origin-resource-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    const policy = headers['content-security-policy']!;
    t.match(policy, /^default-src 'none'; script-src 'self' 'sha256-SCRIPT' 'wasm-unsafe-eval';/);
    t.notMatch(policy, /unsafe-inline|'unsafe-eval'|https?:|\*/);
  }
  t.match(headersOf(site, '/assets/page-1.js')['cache-control']!, /max-age=31536000, immutable/);
});

t.test('a page that was not built is an error with its folder', async (t) => {
  t.throws(() => Site.load({ path: '/', entry: 'tokens' }, pathToFileURL('/nowhere/')), {
    code: 'ERR_HOTMIC_FILE',
    message: /\/nowhere\//,
  });
});
