import type { CompactVerifyResult } from 'jose';
import type { JwtClaims } from '../../core/identity/claims.js';
import { explainUnexpectedClaims, isExpectedType, MAX_TOKEN_LENGTH } from '../../core/identity/expected-claims.js';
import { RealtimeError } from '../../errors/realtime.error.js';
import type { Clock } from '../../ports/clock.js';
import { JwtVerifier } from '../../ports/jwt-verifier.js';
import { loadJose, type Jose } from './jose.js';
import { jwksSettingsOf, type JwksOptions, type JwksSettings } from './jwks-options.js';
import { refusal, refusalReasonOf } from './jwks-refusal.js';
import { RemoteKeySet } from './remote-key-set.js';

/** Three parts in the alphabet of base64url. Decoders would accept other characters too. */
const COMPACT_JWS = /^[\w-]+\.[\w-]+\.[\w-]+$/;

interface Provider {
  readonly settings: JwksSettings;
  readonly keys: RemoteKeySet;
}

/**
 * Verifies tokens with the published keys of identity providers, by `jose`: signature, `algorithms`, issuer, audience and
 * not-before time. The caller checks `exp`, as the port requires. A token with a `crit` header is refused.
 *
 * The token's `iss` selects the provider; it must be one of the configured issuers, and each provider has its own key set.
 * Nothing else in a token (`jku`, `x5u`, `jwk`) influences the source of keys.
 *
 * Every rejection is the same for clients. Its `cause` has the reason as its `name`, such as `SignatureInvalid` or
 * `KeyUnknown`, and contains no part of the token. `UNAVAILABLE` means that the provider cannot be reached and that no
 * cached key matches; its `cause` and one log line describe the failure.
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
   * Creates a verifier. It does not fetch keys yet.
   * @param options options of one provider, or of several
   * @throws RealtimeConfigurationError for invalid options, and if `jose` is not installed
   */
  static async create(options: JwksOptions | readonly JwksOptions[], clock: Clock): Promise<JwksVerifier> {
    const settings = jwksSettingsOf(options);
    return new JwksVerifier(await loadJose(), settings, clock);
  }

  async verify(token: string): Promise<JwtClaims> {
    if (typeof token !== 'string' || token.length > MAX_TOKEN_LENGTH || !COMPACT_JWS.test(token)) {
      throw refusal('TokenMalformed');
    }
    // The claims are not trusted yet, but the signature covers the same text.
    const claims = this.#read(token);
    const provider = this.#providers.get(claims['iss']);
    if (!provider) throw refusal('IssuerMismatch');
    const { protectedHeader } = await this.#checkSignature(token, provider);
    if ('crit' in protectedHeader) throw refusal('CriticalHeader');
    if (!isExpectedType(protectedHeader, provider.settings.typ)) throw refusal('TypeMismatch');
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
