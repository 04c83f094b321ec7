import { Injectable } from '@nestjs/common';
import type { CloseCodeName } from '../../core/protocol/close-code.js';
import type { AuthCommand } from '../../core/protocol/command.js';
import { createConnection, type RealtimeConnection } from '../../core/connection/connection.js';
import { judgeRenewal, type TokenInUse } from '../../core/identity/renewal.js';
import type { RightsOrder } from '../../core/routing/envelope.js';
import type { WireError } from '../../core/protocol/error-code.js';
import { toWireError } from '../../handlers/wire-error.js';
import type { Authenticated } from '../../ports/authenticator.js';
import type { ConnectInfo } from '../../ports/connect-info.js';
import { ConnectionRegistry } from '../../ports/connection-registry.js';
import { RealtimeSettings } from '../../options/realtime.options.js';
import { closeCodeOf } from '../../core/protocol/error-close.js';
import { Handshake, type Accepted } from './handshake.js';

/** The outcome of an `auth` command that opens a connection. */
export type FirstOutcome =
  | { readonly ok: true; readonly authenticated: Authenticated }
  | { readonly ok: false; readonly error: WireError; readonly closeCode: CloseCodeName };

/** The outcome of an `auth` command that renews the token of a connection. */
export type RenewalOutcome =
  | { readonly ok: true; readonly authenticated: Authenticated; readonly connection: RealtimeConnection }
  | { readonly ok: false; readonly error: WireError };

/** The active token of a session, as far as a renewal depends on it. */
export interface SessionTokenState extends TokenInUse {
  /** Rights that the application has set in place of those in the token. */
  readonly overridden?: Pick<RightsOrder, 'roles' | 'permissions'> | undefined;
}

const OLDER = 'The token is older than the active one or than a change of rights; get a new one.';

const USER_FULL = {
  code: 'LIMIT_EXCEEDED',
  message: 'The user has reached the maximum number of connections.',
} as const;

/** Judges the tokens of `auth` commands. A bad token is an outcome, never a rejection. */
@Injectable()
export class AuthCommands {
  constructor(
    private readonly handshake: Handshake,
    private readonly registry: ConnectionRegistry,
    private readonly settings: RealtimeSettings,
  ) {}

  /** The refusal of another connection of a user on this node; `undefined` while the user is below the limit. */
  fullFor(userId: string): Pick<WireError, 'code' | 'message'> | undefined {
    return this.connectionsOf(userId) >= this.settings.limits.maxConnectionsPerUser ? USER_FULL : undefined;
  }

  /** Returns the number of connections that a user has on this node. */
  connectionsOf(userId: string): number {
    return this.registry.idsOfUser(userId).size;
  }

  /** Verifies the token of a first command. Does not count the user's connections yet; {@link withinLimit} does. */
  async first(command: AuthCommand, info: ConnectInfo): Promise<FirstOutcome> {
    const authenticated = await this.#verify(command, info);
    if ('code' in authenticated) {
      return { ok: false, error: authenticated, closeCode: closeCodeOf(authenticated.code) };
    }
    return { ok: true, authenticated };
  }

  /**
   * Refuses a user who has reached the maximum number of connections. Call it in the same turn that creates the connection:
   * of several tokens that are verified concurrently, each would pass an earlier check.
   */
  withinLimit(outcome: FirstOutcome): FirstOutcome {
    const full = outcome.ok ? this.fullFor(outcome.authenticated.identity.userId) : undefined;
    return full ? { ok: false, error: { ...full, action: 'auth' }, closeCode: 'CONNECTION_LIMIT' } : outcome;
  }

  /**
   * Verifies a newer token for a connection. It must be for the same user; its roles, permissions and expiry may differ.
   * @param inUse reads the active token of the connection; called after the verification, during which it may change
   * @param address IP address of the client, if known
   */
  async renewal(
    command: AuthCommand,
    { id, userId, createdAt }: RealtimeConnection,
    inUse: () => SessionTokenState = () => ({}),
    address?: string,
  ): Promise<RenewalOutcome> {
    const authenticated = await this.#verify(command, { purpose: 'renew', ...(address && { address }) });
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

  async #verify({ token }: AuthCommand, info: ConnectInfo): Promise<Accepted | WireError> {
    try {
      return await this.handshake.authenticate(token, info);
    } catch (error) {
      return toWireError(error, { action: 'auth' });
    }
  }
}
