/**
 * Certificates for tests: an authority that nobody else trusts, and what it signs. Node reads X.509 and does not write it; of
 * the format (RFC 5280, in DER) this writes what a relay's certificate needs, and no more.
 */

import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/** The fields of a certificate; the rest is as a relay needs it. */
export interface Wanted {
  /** Its common name: how tests tell one from another. */
  readonly name: string;
  /** Its validity, in seconds from now. Default from an hour ago to a day from now. */
  readonly from?: number;
  readonly to?: number;
  /** Default on P-256. */
  readonly keys?: Keys;
}

/** PEM, all of it. */
export interface Issued {
  readonly name: string;
  /** Its own, and behind it the authority's. */
  readonly chain: string;
  readonly key: string;
  readonly keys: Keys;
}

export interface Authority {
  /** What a client has to trust, in PEM. */
  readonly certificate: string;
  /** Signs one for relay.test, localhost, 127.0.0.1 and ::1. */
  issue(wanted: Wanted): Issued;
}

export interface Keys {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const DAY_S = 86_400;

export function ecKeys(namedCurve = 'P-256'): Keys {
  return generateKeyPairSync('ec', { namedCurve });
}

/** A new authority. Keys and serial numbers are random: nothing that a test compares. */
export function newAuthority(): Authority {
  const issuer = { name: 'Hotmic test authority', keys: ecKeys() };
  const own = certificateOf(
    { name: issuer.name, keys: issuer.keys, from: -DAY_S, to: DAY_S },
    issuer,
    // basicConstraints, critical: it is an authority.
    extension([2, 5, 29, 19], der(0x30, der(0x01, [0xff])), 'critical'),
  );
  return {
    certificate: own,
    issue: ({ name, from = -3600, to = DAY_S, keys = ecKeys() }) => {
      const names = der(
        0x30,
        der(0x82, Buffer.from('relay.test')),
        der(0x82, Buffer.from('localhost')),
        der(0x87, [127, 0, 0, 1]),
        der(0x87, [...new Array(15).fill(0), 1]),
      );
      const chain = certificateOf({ name, from, to, keys }, issuer, extension([2, 5, 29, 17], names)) + own;
      const key = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
      return { name, chain, key, keys };
    },
  };
}

function certificateOf(
  subject: Required<Wanted>,
  issuer: { readonly name: string; readonly keys: Keys },
  extensions: Buffer,
): string {
  // ecdsa-with-SHA256
  const algorithm = der(0x30, oid([1, 2, 840, 10045, 4, 3, 2]));
  const toBeSigned = der(
    0x30,
    der(0xa0, der(0x02, [2])),
    der(0x02, Buffer.concat([Buffer.from([0x40]), randomBytes(15)])),
    algorithm,
    commonName(issuer.name),
    der(0x30, time(subject.from), time(subject.to)),
    commonName(subject.name),
    subject.keys.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(0x30, extensions)),
  );
  const signature = sign('sha256', toBeSigned, issuer.keys.privateKey);
  const whole = der(0x30, toBeSigned, algorithm, der(0x03, [0], signature));
  const lines = whole.toString('base64').replace(/(.{64})/g, '$1\n');
  return `-----BEGIN CERTIFICATE-----\n${lines.trimEnd()}\n-----END CERTIFICATE-----\n`;
}

/** One value of DER: its tag, its length, its contents. */
function der(tag: number, ...contents: (Uint8Array | readonly number[])[]): Buffer {
  const body = Buffer.concat(contents.map((content) => Uint8Array.from(content)));
  const { length } = body;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

function oid([first = 0, second = 0, ...rest]: readonly number[]): Buffer {
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const sevens = [part & 0x7f];
    for (let left = part >> 7; left > 0; left >>= 7) sevens.unshift((left & 0x7f) | 0x80);
    bytes.push(...sevens);
  }
  return der(0x06, bytes);
}

function commonName(name: string): Buffer {
  return der(0x30, der(0x31, der(0x30, oid([2, 5, 4, 3]), der(0x0c, Buffer.from(name)))));
}

/** GeneralizedTime, `secondsFromNow`. */
function time(secondsFromNow: number): Buffer {
  const text = new Date(Date.now() + secondsFromNow * 1000).toISOString();
  return der(0x18, Buffer.from(`${text.replace(/[-:T]|\.\d+/g, '')}`));
}

function extension(id: readonly number[], value: Buffer, weight: 'critical' | 'plain' = 'plain'): Buffer {
  const critical = weight === 'critical' ? [der(0x01, [0xff])] : [];
  return der(0x30, oid(id), ...critical, der(0x04, value));
}
