import { serveRealtime } from './realtime-app.js';

await serveRealtime();
