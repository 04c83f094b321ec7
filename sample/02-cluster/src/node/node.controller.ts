import type { ServerResponse } from 'node:http';
import { Controller, Delete, Get, HttpCode, Res } from '@nestjs/common';
import { RealtimeService } from 'nestjs-realtime';
import { NODES } from '../environment.js';

/** Lists the nodes for the page, and kills one on request. */
@Controller()
export class NodeController {
  constructor(private readonly realtime: RealtimeService) {}

  @Get('nodes')
  list(): readonly string[] {
    return NODES;
  }

  /** How this node is; `isAttached` says whether it reaches the others, as a health check would ask. */
  @Get('node')
  node(): { pid: number; isAttached: boolean } {
    return { pid: process.pid, isAttached: this.realtime.isAttached };
  }

  /**
   * Ends this process as a crash would, without notice. Only for a demonstration; that it is no POST keeps the pages of
   * other origins from asking for it.
   */
  @Delete('node')
  @HttpCode(202)
  kill(@Res({ passthrough: true }) response: ServerResponse): void {
    response.once('finish', () => process.kill(process.pid, 'SIGKILL'));
  }
}
