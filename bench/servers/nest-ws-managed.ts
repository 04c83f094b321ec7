import { serveNestWs } from './nest-ws-app.js';

await serveNestWs('managed');
