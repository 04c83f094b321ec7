import { redisBackend } from 'nestjs-realtime/redis';
import { serveRealtime } from './realtime-app.js';
import { redisUrl } from './redis-url.js';

await serveRealtime({ backend: redisBackend({ url: redisUrl() }) }, { presence: true });
