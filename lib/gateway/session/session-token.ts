import type { RealtimeConnection } from '../../core/connection/connection.js';
import { authError, authorize, type AuthError } from '../../core/identity/authorization.js';
import type { AuthCommand } from '../../core/protocol/command.js';
import { tokenLife } from '../../core/identity/token-life.js';
import type { Authenticated } from '../../ports/authenticator.js';
import type { NeutralContext } from '../../handlers/neutral-context.js';
import type { RealtimeSettings } from '../../options/realtime.options.js';
import type { Clock } from '../../ports/clock.js';
import type { AuthCommands, SessionTokenState } from '../auth/auth-commands.js';
import type { Client } from './client.js';

interface Services {
  readonly clock: Pick<Clock, 'now'>;
  readonly settings: Pick<RealtimeSettings, 'authorize' | 'clockToleranceS'>;
  readonly authentication: Pick<AuthCommands, 'renewal'>;
  readonly neutral: Pick<NeutralContext, 'run'>;
}

/** The part of a token's verification that a session keeps. */
type Token = Pick<Authenticated, 'isRevoked' | 'issuedAt'> & { readonly fingerprint?: string };

/** The active token of a session: its expiry, revocation and renewal. */
export class SessionToken {
  #isRevoked: Authenticated['isRevoked'];
  #state: SessionTokenState;
  #isRenewing = false;
  #isExpiryAnnounced = false;

  constructor(
    private readonly client: Client,
    private readonly services: Services,
    { isRevoked, issuedAt, fingerprint }: Token,
  ) {
    this.#isRevoked = isRevoked;
    this.#state = { fingerprint, issuedAt };
  }

  /** Notes that the application has replaced the token's rights, so that the same token does not bring them back. */
  rightsChanged({ roles, permissions }: NonNullable<SessionTokenState['overridden']>): void {
    const overridden = { ...this.#state.overridden, ...(roles && { roles }), ...(permissions && { permissions }) };
    this.#state = { ...this.#state, rightsChangedAt: this.services.clock.now(), overridden };
  }

  /** The reason why a connection may not stay with its present rights; `undefined` if it may. Does not check the expiry. */
  refusalOf(connection: RealtimeConnection): AuthError | undefined {
    const requirements = { ...this.services.settings.authorize, allowExpired: true };
    const decision = authorize(connection, requirements, new Date(this.services.clock.now()));
    return decision.allowed ? undefined : authError(decision.refusal);
  }

  /** The expiry sent to the client; empty if the connection may outlive the token. */
  get end(): Pick<Authenticated, 'expiresAt'> {
    const { expiresAt } = this.client.connection;
    return expiresAt && !this.services.settings.authorize.allowExpired ? { expiresAt } : {};
  }

  /** True once the token has expired. Warns the client once before. */
  hasExpired(expiresAt: Date, now: number): boolean {
    const { authorize: required, clockToleranceS } = this.services.settings;
    if (required.allowExpired) return false;
    const life = tokenLife(expiresAt, now, clockToleranceS);
    if (life === 'expiring' && !this.#isExpiryAnnounced) {
      this.#isExpiryAnnounced = true;
      this.client.replies.push({ kind: 'expiring', expiresAt });
    }
    return life === 'expired';
  }

  /**
   * Verifies a newer token of the same user.
   * @returns the connection that results from the token; nothing if the token was refused, and the client received an error,
   *   or if the client is gone
   */
  async renew(command: AuthCommand): Promise<RealtimeConnection | undefined> {
    const { replies, connection, address } = this.client;
    if (this.#isRenewing) {
      const message = 'Another token is being verified.';
      replies.refuse({ code: 'RATE_LIMITED', action: 'auth', message, retryAfterMs: 1_000 }, command.id);
      return undefined;
    }
    this.#isRenewing = true;
    const outcome = await this.services.authentication.renewal(command, connection, () => this.#state, address);
    this.#isRenewing = false;
    if (this.client.isClosed) return undefined;
    if (!outcome.ok) {
      replies.refuse(outcome.error, command.id);
      return undefined;
    }
    this.#accept(outcome.authenticated);
    return outcome.connection;
  }

  /** Replaces the token by a newer one. Rights that the application has set end with the token for which it set them. */
  #accept({ isRevoked, issuedAt, fingerprint }: Token): void {
    const { fingerprint: before, rightsChangedAt, overridden } = this.#state;
    const isSame = fingerprint !== undefined && fingerprint === before;
    this.#isRevoked = isRevoked;
    this.#state = { fingerprint, issuedAt, rightsChangedAt, overridden: isSame ? overridden : undefined };
    this.#isExpiryAnnounced = false;
  }

  /** Ends the connection if its token was revoked. While the check fails, the session continues. */
  async endIfRevoked(): Promise<void> {
    const asked = this.#isRevoked;
    if (!asked) return;
    // An `Authenticator` of the application may throw where it should reject.
    const isRevoked = await this.services.neutral.run(async () => asked()).catch(() => false);
    // A token that was renewed meanwhile has its own revocation check.
    if (isRevoked && asked === this.#isRevoked) this.client.disconnect('INVALID_TOKEN', 'the token has been revoked');
  }
}
