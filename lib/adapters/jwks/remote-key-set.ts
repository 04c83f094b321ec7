import type { CryptoKey, FlattenedJWSInput, JSONWebKeySet, JWSHeaderParameters } from 'jose';
import { RealtimeError } from '../../errors/realtime.error.js';
import type { Clock } from '../../ports/clock.js';
import type { Jose } from './jose.js';
import type { JwksSettings } from './jwks-options.js';
import { fetchKeySet, KeySetError } from './key-set-fetch.js';
import { SafeLogger } from '../../errors/safe-logger.js';

/** Pause after a failed fetch while no keys are cached, in milliseconds. */
const RETRY_MS = 1_000;

/**
 * The cached keys of one provider. They are fetched when first needed and used until they are too old. If a token names an
 * unknown key, they are fetched again, but at most once per cooldown.
 *
 * `jose` selects and imports keys. Its own remote key set is not used, because it fetches again for every token while a
 * provider fails, reads answers of any size, and stops fetching when the machine's clock is set back.
 */
export class RemoteKeySet {
  readonly #logger = new SafeLogger('JwksVerifier');
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
   * Returns the key that a token's header names.
   * @throws the errors of `jose` if there is no such key; RealtimeError `UNAVAILABLE` if the keys cannot be fetched
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

  /** Fetches the keys, unless a fetch failed less than `pauseMs` ago. Concurrent callers share one fetch. */
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
      failure = error instanceof KeySetError ? error.message : 'answered with an invalid key set';
    }
    this.#triedAt = this.clock.now();
    this.#report(failure);
    this.#failure = failure;
  }

  /** Logs only changes, because a provider may be unavailable for long. */
  #report(failure: string | undefined): void {
    if (failure === this.#failure) return;
    if (failure) this.#logger.warn(this.#described(failure));
    else this.#logger.log(this.#described('answers again'));
  }

  #described(what: string): string {
    const { issuer, jwksUrl } = this.settings;
    // Without the query, which may contain secrets.
    return `The key set of ${issuer} at ${jwksUrl.origin}${jwksUrl.pathname} ${what}`;
  }

  #unavailable(pauseMs: number): RealtimeError {
    return new RealtimeError('UNAVAILABLE', 'The token cannot be verified at the moment; try again.', {
      retryAfterMs: Math.max(0, this.#triedAt + pauseMs - this.clock.now()),
      cause: new KeySetError(this.#described(this.#failure!)),
    });
  }

  /** True if less than `ms` passed since a time. A time in the future means that the clock was set back. */
  #isWithin(ms: number, since: number): boolean {
    const elapsed = this.clock.now() - since;
    return elapsed >= 0 && elapsed < ms;
  }
}
