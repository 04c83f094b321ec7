import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ClientAddress } from '../../core/connection/client-address.js';
import { unmapped } from '../../core/connection/network-address.js';
import { ClientAddresses } from '../../ports/client-addresses.js';

/** Decides which proxies are trusted to set `X-Forwarded-For`, `X-Forwarded-Host` and `X-Forwarded-Proto`. */
export class ProxyTrust extends ClientAddresses {
  /** True if no proxy is trusted, so that these headers are ignored. */
  readonly trustsNobody: boolean;
  readonly #hops: number;
  readonly #trusted = new BlockList();

  /** @param trust the number of proxies in front of this server, or their addresses and CIDR ranges */
  constructor(trust: number | readonly string[]) {
    super();
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

  /** Walks from the socket's peer back along the forwarded addresses; the first untrusted address is the client. */
  clientAddressOf({ headers, socket }: IncomingMessage): ClientAddress {
    const peer = unmapped(socket.remoteAddress ?? '');
    const { encrypted: isSecure = false } = socket as Partial<TLSSocket>;
    if (this.trustsNobody) return { address: peer, host: headers.host, isSecure };
    const chain = [peer, ...forwardedFor(headers['x-forwarded-for'])];
    let at = 0;
    while (at < chain.length - 1 && this.#isTrusted(chain[at]!, at)) at += 1;
    const address = copied(chain[at]!);
    if (!this.#isTrusted(peer, 0)) return { address, host: headers.host, isSecure };
    return {
      address,
      host: first(headers['x-forwarded-host']) ?? headers.host,
      // Some proxies write `wss` for WebSocket handshakes.
      isSecure: isSecure || /^(https|wss)$/i.test(first(headers['x-forwarded-proto']) ?? ''),
    };
  }

  #isTrusted(address: string, position: number): boolean {
    if (position < this.#hops) return true;
    return isIP(address) !== 0 && this.#trusted.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  }
}

/** A copy of a text. V8 keeps a part of a header as a reference to the whole header, which connections would retain. */
function copied(text: string): string {
  return Buffer.from(text).toString();
}

/** The forwarded addresses, the one from the nearest proxy first. An entry that is not an address ends the chain. */
function forwardedFor(header: string | string[] | undefined): string[] {
  const addresses = String(header ?? '')
    .split(',')
    .map(addressIn)
    .toReversed();
  const end = addresses.findIndex((address) => isIP(address) === 0);
  return end < 0 ? addresses : addresses.slice(0, end);
}

/** The address in an entry. Some proxies append a port, put IPv6 in brackets or add quotes: `"[2001:db8::1]:443"`. */
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
