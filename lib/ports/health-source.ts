import type { RealtimeHealth } from '../core/metrics/health.js';

/** Tells the health of this node. It asks no other node, never throws and answers at any time. */
export abstract class HealthSource {
  /** Returns the health of this moment. The first call starts the measurement of the event-loop delay. */
  abstract read(): RealtimeHealth;
}
