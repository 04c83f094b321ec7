import {
  BadRequestException,
  Controller,
  Get,
  NotFoundException,
  Optional,
  Param,
  Query,
  Req,
  Res,
  ServiceUnavailableException,
  UseGuards,
  VERSION_NEUTRAL,
  type Type,
} from '@nestjs/common';
import { explainTopic } from '../core/topic/topic.js';
import { FleetInspection } from '../delivery/fleet-inspection.js';
import { json, reply, type HttpReply } from './inspector-reply.js';
import type { InspectorSettings } from './inspector-options.js';
import { PAGE_FILES, pageHtml, type PageFile } from './page/page-files.js';
import { userView } from './user-view.js';

/** The common part of requests of Express and Fastify. */
interface HttpRequest {
  readonly originalUrl?: string;
  readonly url: string;
}

/** One segment of a path, perhaps with escapes. */
const SEGMENT = /^[\w.~%-]+$/;

/** Longest user id and topic that can be asked for, in characters. */
const MAX_LENGTH = 1_024;

/**
 * Makes the controller of one inspector: its path and its guard stand in decorators. It answers by itself, so that interceptors of
 * the application that wrap what handlers return do not change the page.
 */
export function inspectorController({ path, guard, tail }: InspectorSettings): Type {
  @Controller({ path, version: VERSION_NEUTRAL })
  @UseGuards(guard)
  class InspectorController {
    // Optional, so that the module can say what is missing.
    constructor(@Optional() private readonly fleet: FleetInspection) {}

    @Get()
    page(@Req() { originalUrl, url }: HttpRequest, @Res() response: HttpReply): void {
      reply(response, 'text/html', pageHtml(folderOf(originalUrl ?? url), tail));
    }

    @Get('fleet.json')
    async nodes(@Query('tail') topic: unknown, @Res() response: HttpReply): Promise<void> {
      if (topic === undefined) return json(response, await available(this.fleet.read({})));
      if (tail === 'off')
        throw new BadRequestException('The tail is off: RealtimeInspectorModule.forRoot({ tail: true }).');
      const name = textOf('tail', topic);
      const [problem] = explainTopic(name);
      if (problem) throw new BadRequestException(`tail ${problem.message}`);
      json(response, await available(this.fleet.read({ tail: name, payloads: tail === 'payloads' })));
    }

    @Get('user.json')
    async user(@Query('id') id: unknown, @Res() response: HttpReply): Promise<void> {
      json(response, userView(await available(this.fleet.connectionsOf(textOf('id', id)))));
    }

    @Get(':file')
    asset(@Param('file') name: string, @Res() response: HttpReply): void {
      const file: PageFile | undefined = PAGE_FILES.get(name);
      if (!file) throw new NotFoundException();
      reply(response, file.type, file.text);
    }
  }
  return InspectorController;
}

/** The folder of the page's files, relative to the page: its own last segment, unless its address ends with a slash. */
function folderOf(url: string): string {
  const [path = ''] = url.split('?', 1);
  const last = path.slice(path.lastIndexOf('/') + 1);
  return SEGMENT.test(last) ? `${last}/` : '';
}

function textOf(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '' && value.length <= MAX_LENGTH) return value;
  throw new BadRequestException(`${name} must be a text of 1 to ${MAX_LENGTH} characters`);
}

async function available<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    throw new ServiceUnavailableException('The nodes cannot be asked at the moment.', { cause });
  }
}
