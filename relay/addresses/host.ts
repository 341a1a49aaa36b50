/** A host as an option, a flag or a URL writes it. */

/** Without the brackets that a URL puts around an IPv6 address; `localhost`, in any case, is 127.0.0.1. */
export function readHost(text: string): string {
  const host = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  return host.toLowerCase() === 'localhost' ? '127.0.0.1' : host;
}

/** The host as a URL has it: an IPv6 address in brackets. */
export function hostInUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
