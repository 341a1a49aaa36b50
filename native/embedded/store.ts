/**
 * The embedded Steam's answer to requestStoreAuthURL: a URL that looks like Steam's and leads nowhere.
 */

/** Reserved for ever: no name under `.invalid` resolves. */
const EMBEDDED_HOST = 'embedded.hotmic.invalid';

/** The longest URL that Steam's callback holds, without the terminating zero. */
const MAX_URL_BYTES = 511;

/** What the URL contains. */
export interface StoreVisit {
  readonly redirect: string;
  readonly steamId: bigint;
  readonly appId: number;
  /** Random bytes, so that no two URLs are the same. */
  readonly token: Uint8Array;
}

/** The URL, with `redirect` in its query; null when it would be longer than 511 bytes. */
export function storeAuthUrl({ redirect, steamId, appId, token }: StoreVisit): string | null {
  if (redirect.length > MAX_URL_BYTES) return null;
  const digits = Array.from(token, (byte) => byte.toString(16).padStart(2, '0')).join('');
  // Half a surrogate pair cannot be encoded. A colon and a slash need not be, and the redirect stays readable.
  const target = encodeURIComponent(redirect.replace(/\p{Surrogate}/gu, '\ufffd')).replace(
    /%(3A|2F)/g,
    decodeURIComponent,
  );
  const query = `steamid=${steamId}&appid=${appId}&token=${digits}&redirect=${target}`;
  const url = `https://${EMBEDDED_HOST}/login?${query}`;
  return url.length <= MAX_URL_BYTES ? url : null;
}
