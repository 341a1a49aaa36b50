/** What a link to the page says: the lobby, a name, and a token in the fragment, which never reaches a server's log. Pure. */

export interface Invitation {
  readonly lobby: string;
  readonly name: string;
  /** Secret. */
  readonly token: string | null;
}

const DEFAULT_LOBBY = 'lobby';

/** Reads the page's URL. */
export function readLink(href: string): Invitation {
  const url = new URL(href);
  const fragment = new URLSearchParams(url.hash.slice(1));
  return {
    lobby: url.searchParams.get('lobby')?.slice(0, 64) || DEFAULT_LOBBY,
    name: url.searchParams.get('name')?.slice(0, 64) ?? '',
    token: fragment.get('token'),
  };
}

/** The relay's WebSocket, at this path of the page's own host. */
export function relayUrl(href: string, path: string): string {
  const url = new URL(path, href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

/** The URL without its token, for the address bar. */
export function withoutToken(href: string): string {
  const url = new URL(href);
  url.hash = '';
  return url.href;
}

/** A link to this lobby, without a name or a token. */
export function linkTo(href: string, lobby: string): string {
  const url = new URL(withoutToken(href));
  url.searchParams.delete('name');
  url.searchParams.set('lobby', lobby);
  return url.href;
}
