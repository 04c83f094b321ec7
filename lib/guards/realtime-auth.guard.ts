import { IncomingMessage, STATUS_CODES } from 'node:http';
import {
  ForbiddenException,
  Injectable,
  Optional,
  ServiceUnavailableException,
  UnauthorizedException,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { authError, authorize, type Principal } from '../core/identity/authorization.js';
import { tokenFromAuthorization } from '../core/identity/token.js';
import { requirementsOf } from './requirement-metadata.js';
import { RealtimeConfigurationError } from '../errors/realtime-configuration.error.js';
import type { ErrorCode } from '../core/protocol/error-code.js';
import type { RealtimeError } from '../errors/realtime.error.js';
import { SafeLogger } from '../errors/safe-logger.js';
import { TokenHooks } from '../errors/token-hooks.js';
import { realtimeContextOf } from '../decorators/realtime-context.js';
import { Authenticator } from '../ports/authenticator.js';
import { ClientAddresses } from '../ports/client-addresses.js';
import type { ConnectInfo } from '../ports/connect-info.js';
import type { RealtimeUser } from './realtime-user.js';

/** The common part of requests and responses of Express and Fastify. */
interface HttpRequest {
  readonly headers: { readonly authorization?: string };
  /** Node's own request, with Fastify; Express extends it. */
  readonly raw?: IncomingMessage;
  user?: unknown;
}
interface HttpResponse {
  header(name: string, value: string): unknown;
}

/** Requests that are already authenticated, because the guard may be bound globally, to a class and to its method. */
const authenticated = new WeakMap<HttpRequest, RealtimeUser>();

/**
 * Allows authenticated users that have the rights required by `@RequireRoles()` and `@RequirePermissions()`.
 *
 * - **HTTP** (Express and Fastify): verifies the token of `Authorization: Bearer` and sets `request.user` to a
 *   {@link RealtimeUser}. It answers 401 with `WWW-Authenticate: Bearer` if the token is missing or invalid, 403 if roles or
 *   permissions are missing, and 503 if the token cannot be verified at the moment. The body's `errorCode` is the error code
 *   that a socket would receive.
 * - **Topic handlers and connection hooks:** the connection was authenticated when it was opened, so only its roles and
 *   permissions are checked. `@OnJoin()`, `@OnLeave()` and `@OnPresenceUpdate()` always pass, because no client requests them.
 *
 * Bind it with `@UseGuards()` or globally as `APP_GUARD`. It supports no other kind of context (GraphQL, microservices,
 * other WebSocket gateways) and throws a `RealtimeConfigurationError` there.
 * @publicApi
 */
@Injectable()
export class RealtimeAuthGuard implements CanActivate {
  readonly #hooks = new TokenHooks(new SafeLogger(RealtimeAuthGuard.name), Date.now);

  constructor(
    private readonly authenticator: Authenticator,
    private readonly reflector: Reflector,
    @Optional() private readonly addresses?: ClientAddresses,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const realtime = realtimeContextOf(context);
    // Joins, leaves and updates are events of the server, not requests of a client.
    if (realtime && !realtime.connection) return true;
    const subject = realtime?.connection ?? (await this.#userOf(context));
    // Expiry was checked during authentication.
    const requirements = { ...requirementsOf(this.reflector, context), allowExpired: true };
    const authorization = authorize(subject, requirements, new Date());
    if (authorization.allowed) return true;
    const { code, message } = authError(authorization.refusal);
    throw new ForbiddenException(bodyOf(403, message, code));
  }

  async #userOf(context: ExecutionContext): Promise<Principal> {
    if (context.getType<string>() !== 'http') {
      throw new RealtimeConfigurationError(
        `${context.getClass().name}.${context.getHandler().name}: RealtimeAuthGuard supports HTTP routes and topic handlers, ` +
          `not the context type "${context.getType<string>()}" that it was called for; bind another guard there.`,
      );
    }
    const request = context.switchToHttp().getRequest<HttpRequest>();
    const known = authenticated.get(request);
    if (known) return known;
    try {
      const user = await this.#authenticate(tokenFromAuthorization(request.headers.authorization), request);
      authenticated.set(request, user);
      request.user = user;
      return user;
    } catch (error) {
      if (error instanceof UnauthorizedException) {
        context.switchToHttp().getResponse<HttpResponse>().header('WWW-Authenticate', 'Bearer');
      }
      throw error;
    }
  }

  async #authenticate(token: string | undefined, request: HttpRequest): Promise<RealtimeUser> {
    if (token === undefined) {
      const message = 'A token is required: "Authorization: Bearer <token>".';
      throw new UnauthorizedException(bodyOf(401, message, 'UNAUTHENTICATED'));
    }
    try {
      const { identity, expiresAt } = await this.authenticator.authenticate(token, { info: this.#infoOf(request) });
      const { userId, roles, permissions, metadata } = identity;
      // An application's own `Authenticator` may give lists.
      return {
        userId,
        roles: new Set(roles),
        permissions: new Set(permissions),
        metadata,
        ...(expiresAt && { expiresAt }),
      };
    } catch (error) {
      throw refusalOf(this.#hooks.failure(error, 'Authenticator'));
    }
  }

  #infoOf(request: HttpRequest): ConnectInfo {
    const raw = request instanceof IncomingMessage ? request : request.raw;
    if (!raw) return { purpose: 'http' };
    const address = this.addresses?.clientAddressOf(raw).address;
    return { purpose: 'http', request: raw, ...(address && { address }) };
  }
}

/** Returns errors with fixed texts, because the cause may come from an application's own `Authenticator`. */
function refusalOf(cause: RealtimeError): Error {
  switch (cause.code) {
    case 'UNAVAILABLE':
      return new ServiceUnavailableException(
        bodyOf(503, 'Tokens cannot be verified at the moment; try again.', 'UNAVAILABLE'),
        { cause },
      );
    case 'FORBIDDEN':
      return new ForbiddenException(bodyOf(403, 'This user is not allowed to do this.', 'FORBIDDEN'), { cause });
    case 'TOKEN_EXPIRED':
      return new UnauthorizedException(bodyOf(401, authError({ kind: 'expired' }).message, 'TOKEN_EXPIRED'), { cause });
    default:
      return new UnauthorizedException(bodyOf(401, 'The token is not valid.', 'UNAUTHENTICATED'), { cause });
  }
}

/** The body that Nest makes, with the error code in it: Nest 11 does not add the `errorCode` of an exception's options. */
function bodyOf(statusCode: 401 | 403 | 503, message: string, errorCode: ErrorCode) {
  return { statusCode, error: STATUS_CODES[statusCode], message, errorCode };
}
