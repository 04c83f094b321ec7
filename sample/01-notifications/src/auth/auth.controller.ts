import { Body, Controller, Get, HttpCode, Post, UnauthorizedException, UseGuards } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { CurrentUser, RealtimeAuthGuard, type RealtimeUser } from 'nestjs-realtime';
import { DEMO_USERS, type DemoUser } from './demo-users.js';
import { LoginDto } from './login.dto.js';

/** Hands out the token that opens both the HTTP API and the WebSocket. */
@Controller()
export class AuthController {
  constructor(private readonly jwt: JwtService) {}

  @Post('login')
  @HttpCode(200)
  async login(@Body() { name }: LoginDto): Promise<{ token: string; user: DemoUser }> {
    const user = DEMO_USERS.get(name);
    if (!user) throw new UnauthorizedException(`There is no user "${name}"; try ${[...DEMO_USERS.keys()].join(', ')}`);
    return { token: await this.jwt.signAsync({ sub: user.name, roles: [user.role] }), user };
  }

  /** The page asks this before it connects: a browser does not tell why a WebSocket was refused, an HTTP 401 does. */
  @Get('me')
  @UseGuards(RealtimeAuthGuard)
  me(@CurrentUser() { userId }: RealtimeUser): DemoUser | undefined {
    return DEMO_USERS.get(userId);
  }
}
