import { Injectable } from '@nestjs/common';
import type { CloseCodeName } from '../../core/protocol/close-code.js';
import type { AuthCommand } from '../../core/protocol/command.js';
import { createConnection, type RealtimeConnection } from '../../core/connection/connection.js';
import { judgeRenewal, type TokenInUse } from '../../core/identity/renewal.js';
import type { RightsOrder } from '../../core/routing/envelope.js';
import type { WireError } from '../../core/protocol/error-code.js';
import { toWireError } from '../../handlers/wire-error.js';
import type { Authenticated } from '../../ports/authenticator.js';
import { ConnectionRegistry } from '../../ports/connection-registry.js';
import { RealtimeSettings } from '../../options/realtime.options.js';
import { closeCodeOf } from '../../core/protocol/error-close.js';
import { Handshake, type Accepted } from './handshake.js';

/** What became of a token that was the first command. */
export type FirstOutcome =
  | { readonly ok: true; readonly authenticated: Authenticated }
  | { readonly ok: false; readonly error: WireError; readonly closeCode: CloseCodeName };

/** What became of a newer token. */
export type RenewalOutcome =
  | { readonly ok: true; readonly authenticated: Authenticated; readonly connection: RealtimeConnection }
  | { readonly ok: false; readonly error: WireError };

/** What a session knows of the token that it lives by. */
export interface SessionTokenState extends TokenInUse {
  /** What the application has put in place of the token's rights. */
  readonly overridden?: Pick<RightsOrder, 'roles' | 'permissions'> | undefined;
}

const OLDER = 'The token is older than the one in use, or than a change of rights; get a new one.';

const USER_FULL = { code: 'LIMIT_EXCEEDED', message: 'The user has as many connections as one may have.' } as const;

/** Judges the tokens that come in `auth` commands. Never rejects for a bad one. */
@Injectable()
export class AuthCommands {
  constructor(
    private readonly handshake: Handshake,
    private readonly registry: ConnectionRegistry,
    private readonly settings: RealtimeSettings,
  ) {}

  /** Why a user may not have one connection more on this node; nothing while that is allowed. */
  fullFor(userId: string): Pick<WireError, 'code' | 'message'> | undefined {
    const count = this.registry.idsOfUser(userId).size;
    return count >= this.settings.limits.maxConnectionsPerUser ? USER_FULL : undefined;
  }

  /** A token in place of one in the request. The user's connections are still to be counted: {@link withinLimit}. */
  async first(command: AuthCommand): Promise<FirstOutcome> {
    const authenticated = await this.#verify(command);
    if ('code' in authenticated) {
      return { ok: false, error: authenticated, closeCode: closeCodeOf(authenticated.code) };
    }
    return { ok: true, authenticated };
  }

  /**
   * Turns one away who has as many connections as one may have. To be called in the same turn that makes the connection:
   * tokens that are verified side by side would all find room before.
   */
  withinLimit(outcome: FirstOutcome): FirstOutcome {
    const full = outcome.ok ? this.fullFor(outcome.authenticated.identity.userId) : undefined;
    return full ? { ok: false, error: { ...full, action: 'auth' }, closeCode: 'CONNECTION_LIMIT' } : outcome;
  }

  /**
   * A newer token for a connection: of the same user, with whatever roles, permissions and expiry it has.
   * @param inUse tells, once the token is verified, what the connection lives by then
   */
  async renewal(
    command: AuthCommand,
    { id, userId, createdAt }: RealtimeConnection,
    inUse: () => SessionTokenState = () => ({}),
  ): Promise<RenewalOutcome> {
    const authenticated = await this.#verify(command);
    if ('code' in authenticated) return { ok: false, error: authenticated };
    const { identity, expiresAt } = authenticated;
    if (identity.userId !== userId) {
      return { ok: false, error: { code: 'FORBIDDEN', action: 'auth', message: 'The token is for another user.' } };
    }
    const { overridden, ...token } = inUse();
    const verdict = judgeRenewal(token, authenticated, this.settings.clockToleranceS);
    if (verdict === 'older') return { ok: false, error: { code: 'TOKEN_EXPIRED', action: 'auth', message: OLDER } };
    const rights = verdict === 'same' ? overridden : undefined;
    const connection = createConnection({ id, ...identity, ...rights, createdAt, ...(expiresAt && { expiresAt }) });
    return { ok: true, authenticated, connection };
  }

  async #verify({ token }: AuthCommand): Promise<Accepted | WireError> {
    try {
      return await this.handshake.authenticate(token);
    } catch (error) {
      return toWireError(error, { action: 'auth' });
    }
  }
}
