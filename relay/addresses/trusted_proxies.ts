/**
 * The proxies that are trusted to name a client's address, as addresses and CIDR blocks. Parsed once, at the start.
 */

import { type Address, parseAddress } from './addresses.js';

/** Content delivery networks publish some hundred blocks. */
const MAX_TRUSTED_PROXIES = 1000;

interface Block extends Address {
  readonly prefixBits: number;
}

export class TrustedProxies {
  readonly #blocks: readonly Block[];

  /**
   * @param entries Each an address (`::1`) or a block (`10.0.0.0/8`) whose bits after the prefix are 0.
   * @throws RangeError for anything else, naming the entry; and for more than 1000 entries.
   */
  constructor(entries: readonly string[]) {
    if (entries.length > MAX_TRUSTED_PROXIES)
      throw new RangeError(
        `Cannot trust proxies: ${entries.length} entries, expected at most ${MAX_TRUSTED_PROXIES}`,
      );
    this.#blocks = entries.map((entry) => {
      const fault = trustedProxyFault(entry);
      if (fault !== null)
        throw new RangeError(`Cannot trust proxy ${JSON.stringify(entry.slice(0, 100))}: ${fault}`);
      return blockOf(entry)!;
    });
  }

  /** An IPv4 address is never in an IPv6 block, however wide, except in blocks of mapped addresses, which are IPv4. */
  includes(address: Address): boolean {
    return this.#blocks.some(
      (block) =>
        block.family === address.family &&
        block.groups.every((group, at) => group === maskedGroup(address.groups[at]!, at, block.prefixBits)),
    );
  }
}

/** What is wrong with an entry, and what was expected; null for a valid one. */
export function trustedProxyFault(entry: string): string | null {
  const block = blockOf(entry);
  if (!block) return 'expected an address or a block, such as 192.0.2.7, 10.0.0.0/8 or fd00::/8';
  if (block.prefixBits === 0) return 'it would trust every address, expected a prefix of 1 or more';
  const isMasked = block.groups.every((group, at) => group === maskedGroup(group, at, block.prefixBits));
  return isMasked
    ? null
    : 'there are bits after the prefix, expected the first address of the block or a longer prefix';
}

function blockOf(entry: string): Block | null {
  const match = /^([^/]+)(?:\/(0|[1-9][0-9]{0,2}))?$/.exec(entry);
  const address = match ? parseAddress(match[1]!) : null;
  if (!match || !address) return null;
  const bits = address.family === 4 ? 32 : 128;
  if (match[2] === undefined) return { ...address, prefixBits: bits };
  // The prefix of a mapped block counts IPv6 bits.
  const isMapped = address.family === 4 && match[1]!.includes(':');
  const prefixBits = Number(match[2]) - (isMapped ? 96 : 0);
  return prefixBits >= 0 && prefixBits <= bits ? { ...address, prefixBits } : null;
}

function maskedGroup(group: number, at: number, prefixBits: number): number {
  const kept = Math.min(Math.max(prefixBits - 16 * at, 0), 16);
  return group & (0xffff << (16 - kept)) & 0xffff;
}
