/** When the files of a certificate are read again. The instants and what the files look like are made up, but for the last. */

import { mkdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { CertificateWatch, markOf } from '../../../relay/port/certificate_watch.js';

const A = ['cert a', 'key a'];
const B = ['cert b', 'key b'];

t.test('files that do not change are not read', async (t) => {
  const watch = new CertificateWatch(A);
  for (let now = 0; now < 1e9; now += 1e6) t.notOk(watch.isDue(A, now));
});

t.test('a change is read once, when the files looked the same twice', async (t) => {
  const watch = new CertificateWatch(A);
  t.notOk(watch.isDue(['cert b', 'key a'], 5000), 'the certificate is new, the key not yet');
  t.notOk(watch.isDue(B, 10_000));
  t.ok(watch.isDue(B, 15_000));
  watch.done(B, 'loaded', 15_000);
  for (let now = 20_000; now < 1e6; now += 5000) t.notOk(watch.isDue(B, now));
});

t.test('files that change at each look are not read until they settle', async (t) => {
  const watch = new CertificateWatch(A);
  for (let i = 0; i < 100; i++) t.notOk(watch.isDue([`cert ${i}`, 'key'], i * 5000));
  t.ok(watch.isDue(['cert 99', 'key'], 500_000));
});

t.test('a refused certificate is tried again after a minute, or when it changes', async (t) => {
  const watch = new CertificateWatch(A);
  watch.isDue(B, 0);
  t.ok(watch.isDue(B, 5000));
  watch.done(B, 'refused', 5000);
  t.notOk(watch.isDue(B, 64_999));
  t.ok(watch.isDue(B, 65_000));
  watch.done(B, 'refused', 65_000);
  watch.isDue(A, 70_000);
  t.ok(watch.isDue(A, 75_000));
  watch.done(A, 'unchanged', 75_000);
  t.notOk(watch.isDue(A, 1e9));
});

t.test(
  'after a new certificate the next waits a minute, because the memory of each is never freed',
  async (t) => {
    const watch = new CertificateWatch(A);
    watch.isDue(B, 0);
    t.ok(watch.isDue(B, 5000));
    watch.done(B, 'loaded', 5000);
    watch.isDue(A, 10_000);
    t.notOk(watch.isDue(A, 64_999));
    t.ok(watch.isDue(A, 65_000));
  },
);

t.test(
  'written over, renamed over, links swapped, a folder of links swapped: each changes the mark',
  async (t) => {
    const folder = t.testdir({ 'tls.crt': 'one', archive: { '1.pem': 'one', '2.pem': 'two' } });
    const at = (...path: string[]) => join(folder, ...path);
    const mark = (path: string) => markOf(statSync(path, { bigint: true, throwIfNoEntry: false }) ?? null);
    const changes = (path: string, change: () => void, how: string) => {
      const before = mark(path);
      t.equal(mark(path), before);
      change();
      t.not(mark(path), before, how);
    };
    changes(at('tls.crt'), () => writeFileSync(at('tls.crt'), 'three'), 'written over');
    writeFileSync(at('next'), 'three');
    changes(at('tls.crt'), () => renameSync(at('next'), at('tls.crt')), 'renamed over, as long and as old');
    // As certbot has it: live/fullchain.pem -> ../archive/fullchain1.pem.
    symlinkSync(at('archive', '1.pem'), at('live.pem'));
    const relink = () => {
      symlinkSync(at('archive', '2.pem'), at('link'));
      renameSync(at('link'), at('live.pem'));
    };
    changes(at('live.pem'), relink, 'a link swapped');
    // As Kubernetes has it: tls.crt -> ..data/tls.crt, ..data -> ..1.
    for (const version of ['..1', '..2']) {
      mkdirSync(at(version));
      writeFileSync(at(version, 'tls.crt'), 'same');
    }
    symlinkSync('..1', at('..data'));
    symlinkSync('..data/tls.crt', at('mounted.crt'));
    const swap = () => {
      symlinkSync('..2', at('..next'));
      renameSync(at('..next'), at('..data'));
    };
    changes(at('mounted.crt'), swap, 'the folder swapped');
    changes(at('mounted.crt'), () => rmSync(at('..2', 'tls.crt')), 'gone');
    t.equal(mark(at('mounted.crt')), 'absent');
  },
);
