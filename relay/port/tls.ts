/**
 * The certificate and key of a TLS port, read from their files and held against each other before uWebSockets gets
 * their names: it reads the files itself, and where it does not like them it says no more than that.
 *
 * Reasons name a file and what is wrong with it, and never what is in a key.
 */

import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { codeOf, HotmicError, systemReason } from '../../voice/error.js';
import { readUpTo } from '../system/bounded_file.js';

/** Where a relay's certificate is. PEM, all of it; links are followed. */
export interface RelayTls {
  /** The relay's certificate, and behind it those of who issued it: `fullchain.pem`. */
  readonly certFile: string;
  /** Its private key: `privkey.pem`. */
  readonly keyFile: string;
  /** The passphrase of the key, on the file's first line. Default none: the key is not encrypted. */
  readonly passphraseFile?: string;
  /** How often the files are looked at for a change, in ms, 10 to 3600000; it shows after two looks. Default 5000. */
  readonly lookEveryMs?: number;
}

/** A pair of certificate and key that fit together. There is nothing secret in it but the passphrase. */
export interface Certificate {
  readonly files: RelayTls;
  readonly passphrase: string | null;
  /** Whom it is for: names and addresses as the certificate has them, such as `DNS:relay.example`. */
  readonly names: string;
  readonly expiresUnixSeconds: number;
  /** SHA-256 over certificates and public key: two with the same one serve the same. */
  readonly identity: string;
}

/** Of one file. A chain of ten has less than 30 kB. */
const MAX_FILE_BYTES = 256 * 1024;
/** uWebSockets copies it into 1024 bytes, and does not count. */
const MAX_PASSPHRASE_BYTES = 512;
const MIN_RSA_BITS = 2048;
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Older than TLS 1.2 is refused by uWebSockets itself. Of that, what has forward secrecy and an AEAD; all of TLS 1.3. */
export const TLS_CIPHERS = ['ECDSA', 'RSA']
  .flatMap((key) =>
    ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305'].map((aead) => `ECDHE-${key}-${aead}`),
  )
  .join(':');

/**
 * Reads and checks the pair. Reads files in the caller's thread: about a millisecond.
 *
 * @param unixSeconds What time it is: a certificate that has expired, or is not valid yet, is refused.
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
      throw refusal(
        certFile,
        'the certificate of the key is not the first in it, wants it before its issuers',
      );
    }
    throw refusal(keyFile, `the key does not belong to the certificate in ${certFile}, wants its own`);
  }
  const validFrom = Date.parse(leaf.validFrom) / 1000;
  const expiresUnixSeconds = Date.parse(leaf.validTo) / 1000;
  if (!(unixSeconds < expiresUnixSeconds)) {
    throw refusal(certFile, `the certificate expired at ${leaf.validTo}, wants one that is valid`);
  }
  if (!(unixSeconds >= validFrom)) {
    throw refusal(certFile, `the certificate is not valid before ${leaf.validFrom}, wants one that is`);
  }
  try {
    createSecureContext({ cert: chainText, key: keyText, ...(passphrase !== null && { passphrase }) });
  } catch (thrown) {
    throw refusal(certFile, `Node's TLS does not take it with its key (${codeOf(thrown) ?? 'no code'})`);
  }
  const identity = createHash('sha256');
  for (const { raw } of chain) identity.update(raw);
  return {
    files,
    passphrase,
    names: leaf.subjectAltName ?? leaf.subject,
    expiresUnixSeconds,
    identity: identity.digest('hex'),
  };
}

/** The error for a pair that uWebSockets refused although it looked well. */
export function refusedByServer({ certFile, keyFile }: RelayTls): HotmicError {
  return refusal(
    certFile,
    `uWebSockets does not take it with the key in ${keyFile}; ` +
      'wants RSA, P-256, P-384 or P-521, and of an encrypted key no scrypt',
  );
}

/** The error for `file`. Without a cause: the system's own text might quote it. */
export function refusal(file: string, reason: string): HotmicError {
  return new HotmicError('ERR_HOTMIC_TLS', `Cannot use ${file} for TLS: ${reason}`);
}

function readChain(file: string, text: string): readonly X509Certificate[] {
  const blocks = text.match(PEM_CERTIFICATE);
  if (!blocks) throw refusal(file, 'there is no certificate in it, wants PEM: -----BEGIN CERTIFICATE-----');
  return blocks.map((block, i) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw refusal(file, `certificate ${i + 1} of ${blocks.length} in it is malformed, wants X.509`);
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
          ? 'the key is encrypted, wants the file of its passphrase as well'
          : `the passphrase in ${passphraseFile} does not open it, wants the right one`;
      throw refusal(keyFile, why);
    }
    throw refusal(keyFile, 'there is no private key in it, wants PEM: -----BEGIN PRIVATE KEY-----');
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type !== 'rsa' && type !== 'ec') throw refusal(keyFile, `the key is ${type}, wants RSA or ECDSA`);
  if (type === 'rsa' && (details?.modulusLength ?? 0) < MIN_RSA_BITS) {
    throw refusal(keyFile, `the key has ${details?.modulusLength} bits, wants at least ${MIN_RSA_BITS}`);
  }
  return key;
}

function readPassphrase(file: string): string {
  // Editors that write a byte-order mark do not show it: it is no part of the passphrase.
  const passphrase = readText(file)
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/, 1)[0]!;
  const { length } = Buffer.from(passphrase);
  if (length === 0 || length > MAX_PASSPHRASE_BYTES || passphrase.includes('\0')) {
    throw refusal(
      file,
      `its first line has ${length} bytes, wants a passphrase of 1 to ${MAX_PASSPHRASE_BYTES}`,
    );
  }
  return passphrase;
}

/** The file's text. A byte-order mark is refused by name: uWebSockets reads the file itself, and passes over a block that begins with one. */
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

/** What became of a certificate that was to be taken into use. */
export type CertificateEvent =
  | {
      readonly kind: 'certificate-loaded';
      /** Whom it is for, such as `DNS:relay.example`. */
      readonly names: string;
      /** The end of its validity, in unix time. */
      readonly expiresUnixSeconds: number;
    }
  /** The files were read again as told, and hold the one in use. */
  | { readonly kind: 'certificate-unchanged' }
  /** The one before stays in use. */
  | { readonly kind: 'certificate-refused'; readonly code: string; readonly detail: string };

/** What is counted of the certificate. */
export interface CertificateCounts {
  /** The end of validity of the one in use, in unix time. */
  readonly expiresUnixSeconds: number;
  /** Those taken into use behind the first. */
  readonly loaded: number;
  /** Attempts that left the one before in use. */
  readonly refused: number;
}
