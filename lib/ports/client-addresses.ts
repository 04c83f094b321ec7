import type { IncomingMessage } from 'node:http';
import type { ClientAddress } from '../core/connection/client-address.js';

/**
 * Determines the address of a client behind the trusted proxies, for sockets and HTTP routes alike.
 * @internal
 */
export abstract class ClientAddresses {
  abstract clientAddressOf(request: IncomingMessage): ClientAddress;
}
