import { serveRealtime } from './realtime-app.js';

await serveRealtime(undefined, { presence: true });
