import { healthProblems, healthStatus, type HealthCode, type HealthSnapshot, type RealtimeHealth } from './health.js';

/** Remembers since when each reason has held. */
export class HealthRecord {
  #since: ReadonlyMap<HealthCode, Date> = new Map();

  /**
   * Judges a snapshot. Call it periodically, too: a reason that comes and goes between two calls is not seen.
   * @param now the present time
   */
  judge(snapshot: HealthSnapshot, now: Date): RealtimeHealth {
    const reasons = healthProblems(snapshot).map((problem) => ({
      ...problem,
      since: this.#since.get(problem.code) ?? now,
    }));
    this.#since = new Map(reasons.map(({ code, since }) => [code, since]));
    return { status: healthStatus(reasons), reasons };
  }
}
