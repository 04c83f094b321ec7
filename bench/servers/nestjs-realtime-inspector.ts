import { INSPECTOR } from './inspector.js';
import { serveRealtime } from './realtime-app.js';

await serveRealtime(undefined, {}, [INSPECTOR]);
