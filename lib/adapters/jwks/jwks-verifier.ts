import type { CompactVerifyResult } from 'jose';
import type { JwtClaims } from '../../core/identity/claims.js';
import { explainUnexpectedClaims, MAX_TOKEN_LENGTH } from '../../core/identity/expected-claims.js';
import { RealtimeError } from '../../errors/realtime.error.js';
import type { Clock } from '../../ports/clock.js';
import { JwtVerifier } from '../../ports/jwt-verifier.js';
import { loadJose, type Jose } from './jose.js';
import { jwksSettingsOf, type JwksOptions, type JwksSettings } from './jwks-options.js';
import { refusal, refusalReasonOf } from './jwks-refusal.js';
import { RemoteKeySet } from './remote-key-set.js';

/** Three parts in the alphabet of base64url; decoders put up with more. */
const COMPACT_JWS = /^[\w-]+\.[\w-]+\.[\w-]+$/;

interface Provider {
  readonly settings: JwksSettings;
  readonly keys: RemoteKeySet;
}

/**
 * Verifies the tokens of identity providers with the keys that they publish, by `jose`: signature, `algorithms`, issuer,
 * audience and not-before time. `exp` is left to the caller, as the port says. A token whose header has `crit` is refused.
 *
 * Which provider's keys are asked for is decided by the token's `iss`, which must be one of the configured issuers, and
 * each provider has a key set of its own. Nothing else in a token (`jku`, `x5u`, `jwk`) has a say in where keys come from.
 *
 * Every rejection is the same to a client; its `cause` has a `name` that says why, such as `SignatureInvalid` or
 * `KeyUnknown`, and nothing of the token. `UNAVAILABLE` means that the provider cannot be asked and that no key at hand
 * will do; its `cause` says what the provider did, and the log says so too, once.
 * @publicApi
 */
export class JwksVerifier extends JwtVerifier {
  readonly #jose: Jose;
  readonly #clock: Clock;
  readonly #providers: ReadonlyMap<unknown, Provider>;

  private constructor(jose: Jose, settings: readonly JwksSettings[], clock: Clock) {
    super();
    this.#jose = jose;
    this.#clock = clock;
    this.#providers = new Map(
      settings.map((own) => [own.issuer, { settings: own, keys: new RemoteKeySet(jose, own, clock) }]),
    );
  }

  /**
   * Makes a verifier. No provider is asked for anything yet.
   * @param options of one provider, or of several
   * @throws RealtimeConfigurationError for wrong options, and when `jose` is not installed
   */
  static async create(options: JwksOptions | readonly JwksOptions[], clock: Clock): Promise<JwksVerifier> {
    const settings = jwksSettingsOf(options);
    return new JwksVerifier(await loadJose(), settings, clock);
  }

  async verify(token: string): Promise<JwtClaims> {
    if (typeof token !== 'string' || token.length > MAX_TOKEN_LENGTH || !COMPACT_JWS.test(token)) {
      throw refusal('TokenMalformed');
    }
    // Not yet believed, but the signature covers the very text that they are read from.
    const claims = this.#read(token);
    const provider = this.#providers.get(claims['iss']);
    if (!provider) throw refusal('IssuerMismatch');
    const { protectedHeader } = await this.#checkSignature(token, provider);
    if ('crit' in protectedHeader) throw refusal('CriticalHeader');
    const { issuer, audience, clockToleranceS: toleranceS } = provider.settings;
    const fault = explainUnexpectedClaims(claims, { issuer, audience, toleranceS }, new Date(this.#clock.now()));
    if (fault) throw refusal(fault);
    return claims;
  }

  #read(token: string): JwtClaims {
    try {
      return this.#jose.decodeJwt(token);
    } catch (error) {
      throw refusal(refusalReasonOf(error));
    }
  }

  async #checkSignature(token: string, { settings, keys }: Provider): Promise<CompactVerifyResult> {
    try {
      return await this.#jose.compactVerify(token, (header, jws) => keys.keyFor(header, jws), {
        algorithms: settings.algorithms,
      });
    } catch (error) {
      throw error instanceof RealtimeError ? error : refusal(refusalReasonOf(error));
    }
  }
}
