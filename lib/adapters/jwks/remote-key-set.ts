import { Logger } from '@nestjs/common';
import type { CryptoKey, FlattenedJWSInput, JSONWebKeySet, JWSHeaderParameters } from 'jose';
import { RealtimeError } from '../../errors/realtime.error.js';
import type { Clock } from '../../ports/clock.js';
import type { Jose } from './jose.js';
import type { JwksSettings } from './jwks-options.js';
import { fetchKeySet, KeySetError } from './key-set-fetch.js';

/** How long a provider is left alone after it failed while no keys are at hand, in milliseconds. */
const RETRY_MS = 1_000;

/**
 * The keys of one provider: fetched when they are first needed, used until they are too old, and fetched again before
 * that when a token names a key that is not among them, but not more often than once in a cooldown.
 *
 * Choosing and importing keys is done by `jose`; its own remote key set is not used, because it asks a failing provider
 * again with every token, reads answers of any size, and takes a machine's clock that is set back for a reason to wait.
 */
export class RemoteKeySet {
  readonly #logger = new Logger('JwksVerifier');
  #keys: ReturnType<Jose['createLocalJWKSet']> | undefined;
  #loadedAt = 0;
  /** The end of the last fetch. */
  #triedAt = 0;
  #failure: string | undefined;
  #loading: Promise<void> | undefined;

  constructor(
    private readonly jose: Jose,
    private readonly settings: JwksSettings,
    private readonly clock: Clock,
  ) {}

  /**
   * The key that a token's header names.
   * @throws the errors of `jose` when there is no such key; RealtimeError `UNAVAILABLE` when nobody can tell
   */
  async keyFor(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    const { cooldownMs, cacheMaxAgeMs } = this.settings;
    if (!this.#keys || !this.#isWithin(cacheMaxAgeMs, this.#loadedAt)) {
      await this.#load(Math.min(RETRY_MS, cooldownMs));
    }
    try {
      return await this.#keys!(header, token);
    } catch (error) {
      if (!(error instanceof this.jose.errors.JWKSNoMatchingKey)) throw error;
      const isUpToDate = !this.#failure && this.#isWithin(cooldownMs, this.#triedAt);
      if (isUpToDate) throw error;
      await this.#load(cooldownMs);
      return this.#keys!(header, token);
    }
  }

  /** Fetches the keys, unless that failed less than `pauseMs` ago; who comes meanwhile waits for the same answer. */
  async #load(pauseMs: number): Promise<void> {
    if (!this.#loading) {
      if (this.#failure && this.#isWithin(pauseMs, this.#triedAt)) throw this.#unavailable(pauseMs);
      this.#loading = this.#fetch().finally(() => (this.#loading = undefined));
    }
    await this.#loading;
    if (this.#failure) throw this.#unavailable(pauseMs);
  }

  async #fetch(): Promise<void> {
    const { jwksUrl, timeoutMs } = this.settings;
    let failure: string | undefined;
    try {
      this.#keys = this.jose.createLocalJWKSet((await fetchKeySet(jwksUrl, timeoutMs)) as JSONWebKeySet);
      this.#loadedAt = this.clock.now();
    } catch (error) {
      failure = error instanceof KeySetError ? error.message : 'answered with what is no key set';
    }
    this.#triedAt = this.clock.now();
    this.#report(failure);
    this.#failure = failure;
  }

  /** Logs what is news: a provider may be away for long. */
  #report(failure: string | undefined): void {
    if (failure === this.#failure) return;
    if (failure) this.#logger.warn(this.#described(failure));
    else this.#logger.log(this.#described('answers again'));
  }

  #described(what: string): string {
    const { issuer, jwksUrl } = this.settings;
    // Without the query, which may be meant for nobody's eyes.
    return `The key set of ${issuer} at ${jwksUrl.origin}${jwksUrl.pathname} ${what}`;
  }

  #unavailable(pauseMs: number): RealtimeError {
    return new RealtimeError('UNAVAILABLE', 'The token cannot be verified at the moment; try again.', {
      retryAfterMs: Math.max(0, this.#triedAt + pauseMs - this.clock.now()),
      cause: new KeySetError(this.#described(this.#failure!)),
    });
  }

  /** True for less than `ms` after a moment; a moment that is yet to come was before the clock was set back. */
  #isWithin(ms: number, since: number): boolean {
    const elapsed = this.clock.now() - since;
    return elapsed >= 0 && elapsed < ms;
  }
}
