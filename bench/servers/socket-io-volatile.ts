import { serveSocketIo } from './plain-socket-io.js';

await serveSocketIo({}, true);
