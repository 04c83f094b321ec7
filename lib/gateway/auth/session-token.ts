import type { AuthCommand } from '../../core/protocol/command.js';
import { tokenLife } from '../../core/identity/token-life.js';
import type { Authenticated } from '../../ports/authenticator.js';
import type { RenewalOutcome } from './auth-commands.js';
import type { SessionServices } from '../session/session-services.js';
import type { Session } from '../session/session.js';

/** The token that a session lives by: how long it holds, whether it was revoked, and the next one. */
export class SessionToken {
  #isRevoked: Authenticated['isRevoked'];
  #isRenewing = false;
  #isExpiryAnnounced = false;

  constructor(
    private readonly session: Session,
    private readonly services: SessionServices,
  ) {}

  /** From now on the session lives by this one. */
  accept({ isRevoked }: Authenticated): void {
    this.#isRevoked = isRevoked;
    this.#isExpiryAnnounced = false;
  }

  /** What the client is told of when it needs another token: nothing where the connection outlives this one. */
  endOf({ expiresAt }: Authenticated): Pick<Authenticated, 'expiresAt'> {
    return expiresAt && !this.services.settings.authorize.allowExpired ? { expiresAt } : {};
  }

  /** Warns a client once before it comes to that. */
  hasExpired(expiresAt: Date, now: number): boolean {
    const { authorize, clockToleranceS } = this.services.settings;
    if (authorize.allowExpired) return false;
    const life = tokenLife(expiresAt, now, clockToleranceS);
    if (life === 'expiring' && !this.#isExpiryAnnounced) {
      this.#isExpiryAnnounced = true;
      this.session.replies.push({ kind: 'expiring', expiresAt });
    }
    return life === 'expired';
  }

  /** Judges a newer token of the same user. @returns nothing when it was refused, and the client was told, or is gone */
  async renew(command: AuthCommand): Promise<Extract<RenewalOutcome, { ok: true }> | undefined> {
    const { replies, connection } = this.session;
    if (this.#isRenewing || connection === undefined) {
      const message = 'Another token is being verified.';
      replies.refuse({ code: 'RATE_LIMITED', action: 'auth', message, retryAfterMs: 1_000 }, command.id);
      return undefined;
    }
    this.#isRenewing = true;
    const outcome = await this.services.authentication.renewal(command, connection);
    this.#isRenewing = false;
    if (this.session.isClosed) return undefined;
    if (!outcome.ok) {
      replies.refuse(outcome.error, command.id);
      return undefined;
    }
    this.accept(outcome.authenticated);
    return outcome;
  }

  /** When nobody can tell, the session goes on until somebody can, or its token ends. */
  async endIfRevoked(): Promise<void> {
    const asked = this.#isRevoked;
    const isRevoked = await asked?.().catch(() => false);
    // A token that was renewed meanwhile was asked about by itself.
    if (isRevoked && asked === this.#isRevoked) this.session.disconnect('INVALID_TOKEN', 'the token has been revoked');
  }
}
