/**
 * The certificate and key of a TLS port, read from their files and checked against each other before uWebSockets gets
 * their names: it reads the files itself, and reports no reason when it refuses them.
 *
 * Reasons name a file and what is wrong with it, and never the content of a key.
 */

import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { codeOf, HotmicError } from '../../voice/error.js';
import { systemReason } from '../../voice/system_reason.js';
import { readUpTo } from '../system/bounded_file.js';

/** The files of a relay's certificate, all in PEM. Links are followed. */
export interface RelayTls {
  /** The relay's certificate, followed by those of its issuers: `fullchain.pem`. */
  readonly certFile: string;
  /** Its private key: `privkey.pem`. */
  readonly keyFile: string;
  /** A file with the key's passphrase on its first line. Default: the key is not encrypted. */
  readonly passphraseFile?: string;
  /** Interval at which the files are checked for a change, in ms, 10 to 3600000; a change is used after two checks. Default 5000. */
  readonly lookEveryMs?: number;
}

/** A matching pair of certificate and key. `keyPem` and the passphrase are secret. */
export interface Certificate {
  readonly files: RelayTls;
  /** What the files contain. */
  readonly chainPem: string;
  readonly keyPem: string;
  readonly passphrase: string | null;
  /** Names and addresses in the form of the certificate, such as `DNS:relay.example`. */
  readonly names: string;
  readonly expiresUnixSeconds: number;
  /** SHA-256 over the certificates. Pairs with the same identity are the same. */
  readonly identity: string;
}

/** Longest file. A chain of ten has less than 30 kB. */
const MAX_FILE_BYTES = 256 * 1024;
/** uWebSockets copies it into a buffer of 1024 bytes without checking its length. */
const MAX_PASSPHRASE_BYTES = 512;
const MIN_RSA_BITS = 2048;
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** uWebSockets itself refuses versions before TLS 1.2. These are the suites of TLS 1.2 with forward secrecy and an AEAD; TLS 1.3 is unrestricted. */
export const TLS_CIPHERS = ['ECDSA', 'RSA']
  .flatMap((key) =>
    ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305'].map((aead) => `ECDHE-${key}-${aead}`),
  )
  .join(':');
/**
 * Those of uWebSockets.js. Node's OpenSSL would also accept P-521 and finite fields of up to 8192 bits, which cost a server a hundred times as
 * much.
 */
export const TLS_GROUPS = 'X25519:P-256:P-384';

/**
 * Reads and checks the pair. Reads files in the caller's thread: about a millisecond.
 *
 * @param unixSeconds The current time: a certificate that has expired, or is not valid yet, is refused.
 * @throws HotmicError `ERR_HOTMIC_TLS`, naming the file and what is wrong with it.
 */
export function readCertificate(files: RelayTls, unixSeconds: number): Certificate {
  const { certFile, keyFile, passphraseFile } = files;
  const chainText = readPem(certFile);
  const chain = readChain(certFile, chainText);
  const passphrase = passphraseFile === undefined ? null : readPassphrase(passphraseFile);
  const keyText = readPem(keyFile);
  const key = readKey(files, keyText, passphrase);
  const leaf = chain[0]!;
  if (!leaf.checkPrivateKey(key)) {
    if (chain.some((certificate) => certificate.checkPrivateKey(key))) {
      throw refusal(certFile, "the key's certificate is not the first in it, expected it before its issuers");
    }
    throw refusal(keyFile, `the key does not belong to the certificate in ${certFile}`);
  }
  const validFrom = Date.parse(leaf.validFrom) / 1000;
  const expiresUnixSeconds = Date.parse(leaf.validTo) / 1000;
  if (!(unixSeconds < expiresUnixSeconds)) {
    throw refusal(certFile, `the certificate expired at ${leaf.validTo}`);
  }
  if (!(unixSeconds >= validFrom)) {
    throw refusal(certFile, `the certificate is not valid before ${leaf.validFrom}`);
  }
  try {
    createSecureContext({ cert: chainText, key: keyText, ...(passphrase !== null && { passphrase }) });
  } catch (thrown) {
    throw refusal(certFile, `Node's TLS does not accept it with its key (${codeOf(thrown) ?? 'no code'})`);
  }
  const identity = createHash('sha256');
  for (const { raw } of chain) identity.update(raw);
  return {
    files,
    chainPem: chainText,
    keyPem: keyText,
    passphrase,
    names: leaf.subjectAltName ?? leaf.subject,
    expiresUnixSeconds,
    identity: identity.digest('hex'),
  };
}

/** The error for `file`. Without a cause: the system's own text might quote it. */
export function refusal(file: string, reason: string): HotmicError {
  return new HotmicError('ERR_HOTMIC_TLS', `Cannot use ${file} for TLS: ${reason}`);
}

function readChain(file: string, text: string): readonly X509Certificate[] {
  const blocks = text.match(PEM_CERTIFICATE);
  if (!blocks)
    throw refusal(file, 'there is no certificate in it, expected PEM: -----BEGIN CERTIFICATE-----');
  return blocks.map((block, i) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw refusal(file, `certificate ${i + 1} of ${blocks.length} in it is malformed, expected X.509`);
    }
  });
}

function readKey(files: RelayTls, text: string, passphrase: string | null): KeyObject {
  const { keyFile, passphraseFile } = files;
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: text, format: 'pem', ...(passphrase !== null && { passphrase }) });
  } catch {
    if (/ENCRYPTED/.test(text)) {
      const why =
        passphrase === null
          ? 'the key is encrypted, expected a passphrase file'
          : `the passphrase in ${passphraseFile} does not decrypt it`;
      throw refusal(keyFile, why);
    }
    throw refusal(keyFile, 'there is no private key in it, expected PEM: -----BEGIN PRIVATE KEY-----');
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type !== 'rsa' && type !== 'ec') throw refusal(keyFile, `the key is ${type}, expected RSA or ECDSA`);
  if (type === 'rsa' && (details?.modulusLength ?? 0) < MIN_RSA_BITS) {
    throw refusal(keyFile, `the key has ${details?.modulusLength} bits, expected at least ${MIN_RSA_BITS}`);
  }
  return key;
}

function readPassphrase(file: string): string {
  // Editors that write a byte-order mark do not show it, so it is not part of the passphrase.
  const passphrase = readText(file)
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/, 1)[0]!;
  const { length } = Buffer.from(passphrase);
  if (length === 0 || length > MAX_PASSPHRASE_BYTES || passphrase.includes('\0')) {
    throw refusal(
      file,
      `its first line has ${length} bytes, expected a passphrase of 1 to ${MAX_PASSPHRASE_BYTES}`,
    );
  }
  return passphrase;
}

/** The file's text. A byte-order mark is refused: uWebSockets reads the file itself, and skips a block that begins with one. */
function readPem(file: string): string {
  const text = readText(file);
  if (text.startsWith('\uFEFF') || /^(?:\uFFFD\uFFFD|.\0|\0.)/s.test(text)) {
    throw refusal(
      file,
      'it begins with a byte-order mark or is UTF-16, expected PEM in ASCII: save it as UTF-8 without a byte-order mark',
    );
  }
  return text;
}

function readText(file: string): string {
  try {
    // A pipe would block the relay until somebody writes into it.
    if (!statSync(file).isFile()) throw refusal(file, 'expected a regular file');
    const bytes = readUpTo(file, MAX_FILE_BYTES);
    if (!bytes) throw refusal(file, `it is too long, expected at most ${MAX_FILE_BYTES} bytes`);
    return bytes.toString('utf8');
  } catch (thrown) {
    throw thrown instanceof HotmicError ? thrown : refusal(file, systemReason(thrown));
  }
}

/** The outcome of reading a certificate. */
export type CertificateEvent =
  | {
      readonly kind: 'certificate-loaded';
      /** The names in it, such as `DNS:relay.example`. */
      readonly names: string;
      /** When it expires, in unix time. */
      readonly expiresUnixSeconds: number;
    }
  /** The files were read on request, and contain the certificate in use. */
  | { readonly kind: 'certificate-unchanged' }
  /** The previous one stays in use. */
  | { readonly kind: 'certificate-refused'; readonly code: string; readonly detail: string };

/** Counts about the certificate. */
export interface CertificateCounts {
  /** When the one in use expires, in unix time. */
  readonly expiresUnixSeconds: number;
  /** New certificates used after the first. */
  readonly loaded: number;
  /** Attempts after which the previous one stayed in use. */
  readonly refused: number;
}
