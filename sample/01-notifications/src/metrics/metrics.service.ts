import { performance } from 'node:perf_hooks';
import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { RealtimeService } from 'nestjs-realtime';

const INTERVAL_MS = 1000;

/** To a role: every admin sees once a second how the process is doing. */
@Injectable()
export class MetricsService implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(MetricsService.name);
  private timer?: NodeJS.Timeout;
  private eventLoop = performance.eventLoopUtilization();

  constructor(private readonly realtime: RealtimeService) {}

  onModuleInit(): void {
    this.timer = setInterval(() => {
      this.send().catch((error: unknown) => this.logger.warn(error));
    }, INTERVAL_MS);
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  private async send(): Promise<void> {
    const before = this.eventLoop;
    this.eventLoop = performance.eventLoopUtilization();
    const { connections } = await this.realtime.counts();
    await this.realtime.sendToRole('admin', {
      type: 'metrics',
      payload: {
        connections,
        memoryMiB: process.memoryUsage.rss() / 2 ** 20,
        eventLoopPercent: 100 * performance.eventLoopUtilization(this.eventLoop, before).utilization,
      },
    });
  }
}
