import { serveRealtime } from './realtime-app.js';

await serveRealtime(undefined, { history: { size: 2_000, ttlMs: 3_600_000 } });
