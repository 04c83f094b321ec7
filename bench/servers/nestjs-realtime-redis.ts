import { redisBackend } from 'nestjs-realtime/redis';
import { serveRealtime } from './realtime-app.js';
import { redisUrl } from './redis-url.js';

/** A node of many; each send is answered by the nodes that it reached. */
await serveRealtime({ backend: redisBackend({ url: redisUrl() }) });
