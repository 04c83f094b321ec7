import { INSPECTOR } from './inspector.js';
import { serveRealtime } from './realtime-app.js';

/** As often as the page. */
const POLL_MS = 2_000;

const url = await serveRealtime(undefined, {}, [INSPECTOR]);

// This process pays for both sides of the request.
setInterval(() => void fetch(`${url}/realtime/fleet.json?tail=room:1`).then((response) => response.text()), POLL_MS);
