import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
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

/** What a gateway of the application's own answers to "echo" in Nest's own protocol. */
export async function echoed(app: ListeningApp, path: string): Promise<unknown> {
  const client = await app.connectTo(path);
  client.send({ event: 'echo', data: 'hi' });
  return client.next();
}
