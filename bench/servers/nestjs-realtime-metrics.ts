import { RealtimePrometheusModule } from 'nestjs-realtime/prometheus';
import { Registry } from 'prom-client';
import { serveRealtime } from './realtime-app.js';

/** How often the metrics are scraped, in milliseconds: more often than by any Prometheus. */
const SCRAPE_MS = 1_000;

const registry = new Registry();
setInterval(() => void registry.metrics(), SCRAPE_MS).unref();
await serveRealtime(undefined, {}, [RealtimePrometheusModule.forRoot({ registry })]);
