/**
 * Which addresses are this machine's own, in every form of text that they come in.
 *
 * uWebSockets writes an IPv6 peer in full (`0000:…:0001`), people write `::1`, a dual-stack socket sees an
 * IPv4 peer as `::ffff:127.0.0.1` or `::ffff:7f00:1`. What is not surely loopback is not loopback.
 */

/**
 * Whether `address` is in 127.0.0.0/8, is ::1, or is the first mapped into IPv6. Names are never addresses.
 */
export function isLoopbackAddress(address: string): boolean {
  const v4 = parseIpv4(address);
  if (v4) return v4[0] === 127;
  const groups = parseIpv6(address);
  if (!groups) return false;
  const leading = groups.slice(0, 5).every((group) => group === 0);
  if (!leading) return false;
  if (groups[5] === 0) return groups[6] === 0 && groups[7] === 1;
  return groups[5] === 0xffff && groups[6]! >> 8 === 127;
}

/**
 * Whether a host, as a URL or an option has it, is loopback: an address, bracketed or not, or `localhost`.
 */
export function isLoopbackHost(host: string): boolean {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  return bare.toLowerCase() === 'localhost' || isLoopbackAddress(bare);
}

function parseIpv4(text: string): number[] | null {
  // No leading zeros: some readers take 0127 for octal, and two readers that disagree are a hole.
  if (!/^(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})$/.test(text)) return null;
  const parts = text.split('.').map(Number);
  return parts.every((part) => part <= 255) ? parts : null;
}

function parseIpv6(text: string): number[] | null {
  if (text.length > 45) return null;
  let rest = text;
  const dotted = /^(.*:)([0-9.]*\.[0-9.]*)$/.exec(text);
  if (dotted) {
    const v4 = parseIpv4(dotted[2]!);
    if (!v4) return null;
    const high = (v4[0]! << 8) | v4[1]!;
    const low = (v4[2]! << 8) | v4[3]!;
    rest = `${dotted[1]}${high.toString(16)}:${low.toString(16)}`;
  }
  const halves = rest.split('::');
  if (halves.length > 2) return null;
  const [head, tail] = halves.map(parseGroups);
  if (!head) return null;
  if (halves.length === 1) return head.length === 8 ? head : null;
  if (!tail || head.length + tail.length > 7) return null;
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

function parseGroups(text: string): number[] | null {
  if (text === '') return [];
  const groups = text.split(':');
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return null;
  return groups.map((group) => Number.parseInt(group, 16));
}
