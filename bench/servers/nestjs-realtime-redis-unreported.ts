import { redisBackend } from 'nestjs-realtime/redis';
import { serveRealtime } from './realtime-app.js';
import { redisUrl } from './redis-url.js';

/** A node of many; no send is answered. */
await serveRealtime({ backend: redisBackend({ url: redisUrl() }), report: false });
