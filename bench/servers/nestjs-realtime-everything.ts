import { serveRealtime } from './realtime-app.js';

await serveRealtime(undefined, { presence: true, history: { size: 100, ttlMs: 300_000 } });
