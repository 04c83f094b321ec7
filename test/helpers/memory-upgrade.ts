import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** An upgrade request that no network has carried: its parts, and the bytes that were written to its socket. */
export interface MemoryUpgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** The bytes written so far, as Latin-1. */
  written(): string;
}

/** Creates an upgrade request; by default a valid `GET` of `/ws` without a token. */
export function memoryUpgrade(
  url = '/ws',
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
): MemoryUpgrade {
  const request = Object.assign(new IncomingMessage(new Socket()), { url, method });
  Object.assign(request.headers, {
    host: 'example.com',
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
  });
  let text = '';
  const socket = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString('latin1');
      done();
    },
  });
  return { request, socket, written: () => text };
}
