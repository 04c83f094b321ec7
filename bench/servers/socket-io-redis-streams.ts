import { createAdapter } from '@socket.io/redis-streams-adapter';
import { Redis } from 'ioredis';
import { serveSocketIo } from './plain-socket-io.js';
import { redisUrl } from './redis-url.js';

/** Messages go through a stream in Redis. */
await serveSocketIo({ adapter: createAdapter(new Redis(redisUrl())) });
