import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { RealtimeService } from 'nestjs-realtime';

const STEP_PERCENT = 4;
const STEP_MS = 200;

/** To one connection: a job reports its progress only to the tab that started it. */
@Injectable()
export class JobsService implements OnModuleDestroy {
  private readonly logger = new Logger(JobsService.name);
  private readonly shutdown = new AbortController();

  constructor(private readonly realtime: RealtimeService) {}

  onModuleDestroy(): void {
    this.shutdown.abort();
  }

  /** Starts a job and returns its id at once. */
  start(connectionId: string): string {
    const jobId = randomUUID();
    this.run(jobId, connectionId).catch((error: unknown) => {
      if (!this.shutdown.signal.aborted) this.logger.error(error);
    });
    return jobId;
  }

  private async run(jobId: string, connectionId: string): Promise<void> {
    for (let percent = 0; percent <= 100; percent += STEP_PERCENT) {
      const { recipients, complete } = await this.realtime.sendToConnection(connectionId, {
        type: 'job.progress',
        payload: { jobId, percent },
      });
      const tabIsGone = complete && recipients === 0;
      if (tabIsGone) return;
      await sleep(STEP_MS, undefined, { signal: this.shutdown.signal });
    }
  }
}
