import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';

/** Where a request really came from, and what host its sender asked for. */
export interface ClientAddress {
  /** The client's IP address. */
  readonly address: string;
  readonly host: string | undefined;
}

/** Decides whose `X-Forwarded-For` and `X-Forwarded-Host` count. */
export class ProxyTrust {
  readonly #trustsNobody: boolean;
  readonly #hops: number;
  readonly #trusted = new BlockList();

  /** @param trust how many proxies stand in front of this server, or their addresses and CIDR ranges */
  constructor(trust: number | readonly string[]) {
    this.#trustsNobody = trust === 0 || (typeof trust === 'object' && trust.length === 0);
    this.#hops = typeof trust === 'number' ? trust : 0;
    if (typeof trust === 'number') return;
    for (const entry of trust) {
      const [address = '', prefix] = entry.split('/');
      const family = isIPv6(address) ? 'ipv6' : 'ipv4';
      if (prefix === undefined) this.#trusted.addAddress(address, family);
      else this.#trusted.addSubnet(address, Number(prefix), family);
    }
  }

  /** Walks from the peer of the socket back through the proxies that are trusted; the first that is not is the client. */
  clientAddressOf({ headers, socket }: IncomingMessage): ClientAddress {
    const peer = plainAddress(socket.remoteAddress ?? '');
    if (this.#trustsNobody) return { address: peer, host: headers.host };
    const chain = [peer, ...forwardedFor(headers['x-forwarded-for'])];
    let at = 0;
    while (at < chain.length - 1 && this.#isTrusted(chain[at]!, at)) at += 1;
    const forwardedHost = this.#isTrusted(peer, 0) ? first(headers['x-forwarded-host']) : undefined;
    return { address: chain[at]!, host: forwardedHost ?? headers.host };
  }

  #isTrusted(address: string, position: number): boolean {
    if (position < this.#hops) return true;
    return isIP(address) !== 0 && this.#trusted.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  }
}

/** The forwarded addresses, nearest proxy's word first; what is no address ends the chain. */
function forwardedFor(header: string | string[] | undefined): string[] {
  const addresses = String(header ?? '')
    .split(',')
    .map((entry) => plainAddress(entry.trim()))
    .toReversed();
  const end = addresses.findIndex((address) => isIP(address) === 0);
  return end < 0 ? addresses : addresses.slice(0, end);
}

function first(header: string | string[] | undefined): string | undefined {
  return (
    String(header ?? '')
      .split(',', 1)[0]!
      .trim() || undefined
  );
}

/** An IPv4 address that came in over an IPv6 socket is written as IPv4. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
}
