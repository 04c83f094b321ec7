import { servePlainWs } from './plain-ws.js';
import { sendFramed } from './send-framed.js';

/** Serialised and framed once. */
await servePlainWs(sendFramed);
