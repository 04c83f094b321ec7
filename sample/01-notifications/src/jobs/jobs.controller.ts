import { Body, Controller, ForbiddenException, HttpCode, Post, UseGuards } from '@nestjs/common';
import { CurrentUser, RealtimeAuthGuard, RealtimeService, type RealtimeUser } from 'nestjs-realtime';
import { JobsService } from './jobs.service.js';
import { StartJobDto } from './start-job.dto.js';

/** Starts a job whose progress goes to the tab that asked for it. */
@Controller('jobs')
@UseGuards(RealtimeAuthGuard)
export class JobsController {
  constructor(
    private readonly realtime: RealtimeService,
    private readonly jobs: JobsService,
  ) {}

  @Post()
  @HttpCode(202)
  async start(@Body() { connectionId }: StartJobDto, @CurrentUser() user: RealtimeUser): Promise<{ jobId: string }> {
    const own = await this.realtime.connectionsOf(user.userId);
    if (!own.some(({ id }) => id === connectionId)) throw new ForbiddenException('This is no connection of yours');
    return { jobId: this.jobs.start(connectionId) };
  }
}
