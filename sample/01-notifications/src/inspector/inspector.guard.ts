import type { IncomingMessage } from 'node:http';
import { Injectable, UnauthorizedException, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Authenticator } from 'nestjs-realtime';
import { tokenOfCookie } from './inspector-cookie.js';

/** Lets admins see the inspector. A browser opens a page without an `Authorization` header, so the token comes in a cookie. */
@Injectable()
export class InspectorGuard implements CanActivate {
  constructor(private readonly authenticator: Authenticator) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { headers } = context.switchToHttp().getRequest<IncomingMessage>();
    const token = tokenOfCookie(headers.cookie);
    if (token === undefined) throw new UnauthorizedException('Log in as carol, and open the inspector from her page.');
    try {
      const { identity } = await this.authenticator.authenticate(token);
      return new Set(identity.roles).has('admin');
    } catch {
      throw new UnauthorizedException('The login has expired.');
    }
  }
}
