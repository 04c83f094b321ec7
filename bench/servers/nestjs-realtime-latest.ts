import { serveRealtime } from './realtime-app.js';

/** Of 200 updates a second, with 100 keys, so many give each reader a tenth. */
const maxRateHz = 0.2;

const key = ({ payload }: { readonly payload?: unknown }) => String((payload as { readonly seq: number }).seq % 100);

await serveRealtime(undefined, { delivery: { slow: 'latest', maxRateHz, key } });
