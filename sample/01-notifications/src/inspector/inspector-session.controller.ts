import type { ServerResponse } from 'node:http';
import { Controller, Headers, HttpCode, Post, Res, UseGuards } from '@nestjs/common';
import { RealtimeAuthGuard, RequireRoles } from 'nestjs-realtime';
import { cookieWith, INSPECTOR_PATH } from './inspector-cookie.js';

/** Turns the token of an admin into the cookie that the inspector asks for. */
@Controller('inspector-session')
@UseGuards(RealtimeAuthGuard)
export class InspectorSessionController {
  @Post()
  @HttpCode(200)
  @RequireRoles('admin')
  open(
    @Headers('authorization') authorization: string,
    @Res({ passthrough: true }) response: ServerResponse,
  ): { path: string } {
    response.setHeader('Set-Cookie', cookieWith(authorization.replace(/^Bearer /i, '')));
    return { path: INSPECTOR_PATH };
  }
}
