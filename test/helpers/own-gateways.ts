import { MessageBody, SubscribeMessage, WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { ListeningApp } from './listening-app.js';

/** A gateway of the application's own, which has nothing to do with the package. */
@WebSocketGateway({ path: '/own' })
export class OwnGateway {
  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): { event: string; data: unknown } {
    return { event: 'echoed', data };
  }
}

/** One that says nothing about its path. */
@WebSocketGateway()
export class PathlessGateway {
  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): { event: string; data: unknown } {
    return { event: 'echoed', data };
  }
}

/** Returns the answer of an application's own gateway to "echo" in Nest's protocol. */
export async function echoed(app: ListeningApp, path: string): Promise<unknown> {
  const client = await app.connectTo(path);
  client.send({ event: 'echo', data: 'hi' });
  return client.next();
}

/** A gateway for socket.io, as its documentation shows it: it reads the handshake of each client. */
@WebSocketGateway()
export class SocketIoGateway implements OnGatewayConnection {
  readonly seen: unknown[] = [];

  handleConnection(client: { handshake: { query: Record<string, unknown> } }): void {
    this.seen.push(client.handshake.query['as']);
  }

  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): { event: string; data: unknown } {
    return { event: 'echoed', data };
  }
}

/** One with a namespace. */
@WebSocketGateway({ namespace: 'shop' })
export class NamespaceGateway {
  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): { event: string; data: unknown } {
    return { event: 'echoed in shop', data };
  }
}

/**
 * The answer of a socket.io gateway to "echo": the packet after the digits of its type, as JSON.
 * @param namespace such as `/shop`; default: the main one
 */
export async function socketIoEchoed(app: { readonly url: string }, namespace = ''): Promise<unknown> {
  const prefix = namespace && `${namespace},`;
  const socket = new WebSocket(`${app.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket&as=ann`);
  const packets: string[] = [];
  socket.on('message', (data: Buffer) => packets.push(data.toString()));
  const received = async (start: string) => {
    const signal = AbortSignal.timeout(5_000);
    for (;;) {
      const packet = packets.find((each) => each.startsWith(start));
      if (packet !== undefined) return packet.slice(start.length);
      await once(socket, 'message', { signal });
    }
  };
  try {
    await received('0');
    socket.send(`40${prefix}`);
    await received(`40${prefix}`);
    socket.send(`42${prefix}["echo","hi"]`);
    return JSON.parse(await received(`42${prefix}`));
  } finally {
    socket.terminate();
  }
}
