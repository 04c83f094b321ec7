// As much as is used here of packages that only this folder installs, so that its sources can be checked without them.

declare module 'ioredis' {
  export class Redis {
    constructor(url: string);
    psubscribe(pattern: string): Promise<unknown>;
    publish(channel: string, message: string): Promise<number>;
    on(event: 'pmessage', listener: (pattern: string, channel: string, message: string) => void): this;
    on(event: 'error', listener: (error: Error) => void): this;
  }
}

declare module '@socket.io/redis-adapter' {
  import type { Redis } from 'ioredis';
  import type { ServerOptions } from 'socket.io';

  export function createAdapter(pubClient: Redis, subClient: Redis): ServerOptions['adapter'];
}

declare module '@socket.io/redis-streams-adapter' {
  import type { Redis } from 'ioredis';
  import type { ServerOptions } from 'socket.io';

  export function createAdapter(client: Redis): ServerOptions['adapter'];
}
