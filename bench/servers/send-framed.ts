import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { Sender } from './ws-parts.js';

const FRAMING = { fin: true, opcode: 1, mask: false, rsv1: false, readOnly: true };

/** Frames a text once; each socket gets the same buffer, behind the back of `ws`. */
export function sendFramed(clients: Iterable<WebSocket>, json: string): void {
  const frame = Buffer.concat(Sender.frame(Buffer.from(json), FRAMING));
  for (const client of clients) {
    if (client.readyState !== WebSocket.OPEN) continue;
    // oxlint-disable-next-line no-underscore-dangle -- ws has no other way to write what is framed already
    (client as unknown as { readonly _socket: Socket })._socket.write(frame);
  }
}
