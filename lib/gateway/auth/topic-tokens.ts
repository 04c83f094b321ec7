import { Injectable } from '@nestjs/common';
import type { WireError } from '../../core/protocol/error-code.js';
import { judgeTopicToken } from '../../core/topic/topic-token.js';
import { describeFailure } from '../../core/protocol/auth-failure.js';
import type { JwtClaims } from '../../core/identity/claims.js';
import { RealtimeError } from '../../errors/realtime.error.js';
import { TokenHooks } from '../../errors/token-hooks.js';
import { Clock } from '../../ports/clock.js';
import type { ConnectInfo } from '../../ports/connect-info.js';
import { JwtVerifier } from '../../ports/jwt-verifier.js';
import { RealtimeSettings } from '../../options/realtime.options.js';
import { Deadline } from './deadline.js';
import { SafeLogger } from '../../errors/safe-logger.js';

/** The verdict on a topic token: the end of the grant, or the error for the client. */
export type TopicGrant =
  | {
      readonly ok: true;
      readonly expiresAt: Date;
      /** Checks whether the token was revoked since; present if the application can tell. Rejects if it cannot at the moment. */
      readonly isRevoked?: () => Promise<boolean>;
    }
  | { readonly ok: false; readonly error: WireError };

/** Verifies topic tokens, with the same verifier and the same revocation check as connection tokens. */
@Injectable()
export class TopicTokens {
  readonly #logger = new SafeLogger(TopicTokens.name);
  readonly #deadline: Deadline;
  readonly #hooks: TokenHooks;

  constructor(
    private readonly verifier: JwtVerifier,
    private readonly clock: Clock,
    private readonly settings: RealtimeSettings,
  ) {
    this.#deadline = new Deadline(settings.limits.authTimeoutMs, unknown);
    this.#hooks = new TokenHooks(this.#logger, () => clock.now());
  }

  /**
   * Verifies a token for a user and a topic. Never rejects: every failure is returned as the error for the client.
   * @param address IP address of the client, if known
   */
  async judge(token: string, topic: string, userId: string, address?: string): Promise<TopicGrant> {
    const at = { action: 'subscribe', topic };
    try {
      const { claims, isRevoked } = await this.#deadline.within(
        this.#verify(token, { purpose: 'topic', ...(address && { address }) }),
      );
      const { clockToleranceS: toleranceS } = this.settings;
      const verdict = judgeTopicToken(claims, { topic, userId, toleranceS }, new Date(this.clock.now()));
      if (verdict === 'good')
        return { ok: true, expiresAt: new Date(claims.exp! * 1000), ...(isRevoked && { isRevoked }) };
      return { ok: false, error: { ...(verdict === 'expired' ? EXPIRED : REFUSED), ...at } };
    } catch (error) {
      const code = error instanceof RealtimeError ? error.code : undefined;
      if (code === 'TOKEN_EXPIRED') return { ok: false, error: { ...EXPIRED, ...at } };
      if (code === 'UNAVAILABLE') return { ok: false, error: { ...UNKNOWN, ...at } };
      this.#logger.debug(`Topic token refused: ${describeFailure(error)}`);
      return { ok: false, error: { ...REFUSED, ...at } };
    }
  }

  async #verify(token: string, info: ConnectInfo): Promise<{ claims: JwtClaims; isRevoked?: () => Promise<boolean> }> {
    const claims = await this.#hooks.run('JwtVerifier', () => this.verifier.verify(token, info));
    const { isRevoked: hook } = this.settings;
    if (!hook) return { claims };
    const isRevoked = async () => this.#hooks.run('isRevoked', () => hook(claims));
    await this.#hooks.assertNotRevoked(isRevoked);
    return { claims, isRevoked };
  }
}

const REFUSED: WireError = { code: 'FORBIDDEN', message: 'The token does not grant access to this topic.' };
const EXPIRED: WireError = { code: 'TOKEN_EXPIRED', message: 'The token for this topic has expired; get a new one.' };
const UNKNOWN: WireError = { code: 'UNAVAILABLE', message: 'The token cannot be verified at the moment; try again.' };

function unknown(): RealtimeError {
  return new RealtimeError('UNAVAILABLE', UNKNOWN.message);
}
