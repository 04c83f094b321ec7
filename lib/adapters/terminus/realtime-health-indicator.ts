import { Injectable } from '@nestjs/common';
import type { HealthIndicatorResult } from '@nestjs/terminus';
import type { HealthStatus, RealtimeHealth } from '../../core/metrics/health.js';
import { HealthSource } from '../../ports/health-source.js';
import { loadTerminus } from './terminus.js';

/**
 * The rules by which the health of a node is judged.
 * @publicApi
 */
export interface RealtimeHealthIndicatorOptions {
  /** The status of a node that cannot be reached by the others. Default `degraded`: it serves its own connections. */
  readonly detached?: 'degraded' | 'down';
}

/**
 * A health indicator for `@nestjs/terminus` 11 or 12: the health of this node, with its reasons. Add it to the providers of a
 * module.
 *
 * ```ts
 * this.health.check([() => this.realtime.isHealthy('realtime')]);
 * ```
 * @publicApi
 */
@Injectable()
export class RealtimeHealthIndicator {
  /** @internal */
  constructor(private readonly source: HealthSource) {}

  /**
   * Returns the result under a key, with the reasons: `code`, `message` and `since`. Terminus 11 knows no `degraded`: the
   * result is `up` there, with the reasons.
   * @throws RealtimeConfigurationError if `@nestjs/terminus` is not installed
   */
  async isHealthy<const Key extends string = 'realtime'>(
    key: Key = 'realtime' as Key,
    { detached = 'degraded' }: RealtimeHealthIndicatorOptions = {},
  ): Promise<HealthIndicatorResult<Key>> {
    const { HealthIndicatorService } = await loadTerminus();
    const health = this.source.read();
    const session = new HealthIndicatorService().check(key);
    const data = { reasons: health.reasons.map((reason) => ({ ...reason, since: reason.since.toISOString() })) };
    const status = statusOf(health, detached);
    if (status === 'down') return session.down(data);
    if (status === 'up') return session.up();
    return 'degraded' in session ? session.degraded(data) : (session as Session<Key>).up(data);
  }
}

/** The part of Terminus 11 that is used. */
interface Session<Key extends string> {
  up(data: object): HealthIndicatorResult<Key>;
}

function statusOf({ status, reasons }: RealtimeHealth, detached: 'degraded' | 'down'): HealthStatus {
  return detached === 'down' && reasons.some(({ code }) => code === 'DETACHED') ? 'down' : status;
}
