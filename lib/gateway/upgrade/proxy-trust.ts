import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ClientAddress } from '../../core/connection/client-address.js';
import { unmapped } from '../../core/connection/network-address.js';

/** Decides whose `X-Forwarded-For`, `X-Forwarded-Host` and `X-Forwarded-Proto` count. */
export class ProxyTrust {
  /** True when no such header counts. */
  readonly trustsNobody: boolean;
  readonly #hops: number;
  readonly #trusted = new BlockList();

  /** @param trust how many proxies stand in front of this server, or their addresses and CIDR ranges */
  constructor(trust: number | readonly string[]) {
    this.trustsNobody = trust === 0 || (typeof trust === 'object' && trust.length === 0);
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
    const peer = unmapped(socket.remoteAddress ?? '');
    const { encrypted: isSecure = false } = socket as Partial<TLSSocket>;
    if (this.trustsNobody) return { address: peer, host: headers.host, isSecure };
    const chain = [peer, ...forwardedFor(headers['x-forwarded-for'])];
    let at = 0;
    while (at < chain.length - 1 && this.#isTrusted(chain[at]!, at)) at += 1;
    if (!this.#isTrusted(peer, 0)) return { address: chain[at]!, host: headers.host, isSecure };
    return {
      address: chain[at]!,
      host: first(headers['x-forwarded-host']) ?? headers.host,
      // Some proxies write `wss` for what begins as a WebSocket.
      isSecure: isSecure || /^(https|wss)$/i.test(first(headers['x-forwarded-proto']) ?? ''),
    };
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
    .map(addressIn)
    .toReversed();
  const end = addresses.findIndex((address) => isIP(address) === 0);
  return end < 0 ? addresses : addresses.slice(0, end);
}

/** Some proxies write a port behind the address, IPv6 in brackets, or quotes around it: `"[2001:db8::1]:443"`. */
function addressIn(entry: string): string {
  const text = /^\s*"?(.*?)"?\s*$/.exec(entry)![1]!;
  const [, bracketed, plain] = /^\[([^\]]*)\](?::\d*)?$|^([^:]*):\d+$/.exec(text) ?? [];
  return unmapped((bracketed ?? plain ?? text).split('%', 1)[0]!);
}

function first(header: string | string[] | undefined): string | undefined {
  return (
    String(header ?? '')
      .split(',', 1)[0]!
      .trim() || undefined
  );
}
