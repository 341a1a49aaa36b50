/** What a certificate and its key have to be, and what is said when they are not. Never what is in a key. */

import { execFileSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readCertificate } from '../../../relay/port/tls.js';
import { ecKeys, type Issued, newAuthority } from '../../kit/certificates.js';

const authority = newAuthority();
const good = authority.issue({ name: 'good' });
const now = Math.floor(Date.now() / 1000);

/** The files of one, in the folder of the test. */
function filesOf(t: Test, { chain, key }: Pick<Issued, 'chain' | 'key'>, passphrase?: string) {
  const folder = t.testdir({ 'chain.pem': chain, 'key.pem': key, pass: passphrase ?? '' });
  const passphraseFile = join(folder, 'pass');
  return {
    certFile: join(folder, 'chain.pem'),
    keyFile: join(folder, 'key.pem'),
    ...(passphrase !== undefined && { passphraseFile }),
  };
}

function encrypted(passphrase: string): string {
  const options = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase } as const;
  return createPrivateKey(good.key).export(options) as string;
}

/** That the pair is refused with this, and that nothing of the key is in what is said. */
function refuses(t: Test, files: Parameters<typeof readCertificate>[0], message: RegExp, at = now): void {
  let thrown: unknown;
  try {
    readCertificate(files, at);
  } catch (error) {
    thrown = error;
  }
  t.match(thrown, { code: 'ERR_HOTMIC_TLS', message });
  const { message: said = '', stack = '', cause } = thrown as Error;
  t.equal(cause, undefined);
  const secret = good.key.split('\n')[1]!.slice(0, 20);
  t.notMatch(said + stack, secret);
  t.notMatch(said + stack, 'open sesame');
}

t.test('a matching pair gives its names and its expiry', async (t) => {
  const certificate = readCertificate(filesOf(t, good), now);
  t.match(certificate.names, /DNS:relay\.test, DNS:localhost, IP Address:127\.0\.0\.1/);
  t.ok(Math.abs(certificate.expiresUnixSeconds - (now + 86_400)) < 60);
  t.equal(certificate.identity, readCertificate(filesOf(t, good), now).identity);
  t.not(certificate.identity, readCertificate(filesOf(t, authority.issue({ name: 'good' })), now).identity);
});

t.test('RSA, P-384, P-521 and encrypted keys are accepted as well', async (t) => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  for (const keys of [rsa, ecKeys('P-384'), ecKeys('P-521')]) {
    readCertificate(filesOf(t, authority.issue({ name: 'x', keys })), now);
  }
  const key = encrypted('open sesame');
  t.equal(readCertificate(filesOf(t, { ...good, key }, 'open sesame\n'), now).passphrase, 'open sesame');
  t.equal(
    readCertificate(filesOf(t, { ...good, key }, 'open sesame\r\nmore'), now).passphrase,
    'open sesame',
  );
});

t.test("a key that is not the certificate's is named, and a chain in the wrong order", async (t) => {
  const other = authority.issue({ name: 'other' });
  refuses(t, filesOf(t, { ...good, key: other.key }), /key\.pem for TLS: .*does not belong to .*chain\.pem/);
  const [own, issuer] = good.chain.split(/(?<=END CERTIFICATE-----\n)/);
  const turned = `${issuer}${own}`;
  refuses(t, filesOf(t, { ...good, chain: turned }), /chain\.pem .*not the first in it/);
});

t.test('a certificate is valid from the first second to the one before the last', async (t) => {
  const files = filesOf(t, good);
  const { expiresUnixSeconds: end } = readCertificate(files, now);
  readCertificate(files, end - 1);
  refuses(t, files, /chain\.pem for TLS: the certificate expired at /, end);
  readCertificate(files, end - 90_000);
  refuses(t, files, /is not valid before /, end - 90_001);
});

t.test('malformed content is reported with its file', async (t) => {
  const { chain, key } = good;
  const cases: [Partial<Issued>, RegExp][] = [
    [{ chain: '' }, /chain\.pem for TLS: there is no certificate in it/],
    [{ chain: key }, /chain\.pem .*no certificate/],
    [{ chain: chain.replace(/MI/, 'XX') }, /certificate 1 of 2 in it is malformed/],
    [{ chain: chain.slice(0, -200) + chain.slice(-27) }, /certificate 2 of 2 in it is malformed/],
    [{ key: chain }, /key\.pem for TLS: there is no private key/],
    [{ key: '' }, /key\.pem .*no private key/],
    [{ key: key.slice(0, 80) }, /key\.pem .*no private key/],
    [{ key: encrypted('open sesame') }, /key\.pem for TLS: the key is encrypted, expected a passphrase file/],
    [{ chain: 'x'.repeat(300_000) }, /chain\.pem .*too long, expected at most 262144 bytes/],
  ];
  for (const [changed, message] of cases) refuses(t, filesOf(t, { ...good, ...changed }), message);
});

t.test('a byte-order mark, or UTF-16, is named with what to do about it', async (t) => {
  const mark = '\uFEFF';
  const wide = (text: string) => Buffer.from(mark + text, 'utf16le');
  const write = (name: string, bytes: string | Buffer) => {
    const files = filesOf(t, good);
    writeFileSync(name === 'chain' ? files.certFile : files.keyFile, bytes);
    return files;
  };
  for (const bytes of [mark + good.chain, wide(good.chain)])
    refuses(
      t,
      write('chain', bytes),
      /chain\.pem for TLS: it begins with a byte-order mark.*save it as UTF-8 without/,
    );
  for (const bytes of [mark + good.key, wide(good.key)])
    refuses(t, write('key', bytes), /key\.pem for TLS: it begins with a byte-order mark/);
  readCertificate(filesOf(t, { ...good, key: encrypted('open sesame') }, `${mark}open sesame\r\n`), now);
});

t.test('a wrong or malformed passphrase is not quoted', async (t) => {
  const key = encrypted('open sesame');
  refuses(t, filesOf(t, { ...good, key }, 'open sesame!'), /passphrase in .*pass does not decrypt it/);
  refuses(t, filesOf(t, { ...good, key }, ''), /pass for TLS: its first line has 0 bytes/);
  refuses(
    t,
    filesOf(t, { ...good, key }, 'x'.repeat(513)),
    /first line has 513 bytes, expected a passphrase/,
  );
});

t.test('keys that clients refuse are refused here', async (t) => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
  refuses(t, filesOf(t, authority.issue({ name: 'x', keys: weak })), /has 1024 bits, expected at least 2048/);
  const ed = generateKeyPairSync('ed25519');
  refuses(t, filesOf(t, authority.issue({ name: 'x', keys: ed })), /key is ed25519, expected RSA or ECDSA/);
});

t.test('a missing file, a folder and a pipe are reported, and block nothing', async (t) => {
  const files = filesOf(t, good);
  const folder = join(t.testdirName, 'folder');
  mkdirSync(folder);
  refuses(t, { ...files, certFile: join(folder, 'none') }, /none for TLS: it does not exist \(ENOENT\)/);
  refuses(t, { ...files, keyFile: folder }, /folder for TLS: expected a regular file/);
  writeFileSync(join(folder, 'file'), '');
  refuses(t, { ...files, keyFile: join(folder, 'file', 'x') }, /a part of the path is not a folder/);
  const pipe = join(folder, 'pipe');
  try {
    execFileSync('mkfifo', [pipe]);
  } catch {
    t.comment('no mkfifo here: the pipe is left out');
    return;
  }
  refuses(t, { ...files, certFile: pipe }, /pipe for TLS: expected a regular file/);
});
