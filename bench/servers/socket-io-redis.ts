import { createAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import { serveSocketIo } from './plain-socket-io.js';
import { redisUrl } from './redis-url.js';

/** Messages go through Redis's pub/sub. */
await serveSocketIo({ adapter: createAdapter(new Redis(redisUrl()), new Redis(redisUrl())) });
