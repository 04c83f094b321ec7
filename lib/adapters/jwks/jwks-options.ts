import { describeProblems, type Problem } from '../../core/base/problem.js';
import { RealtimeConfigurationError } from '../../errors/realtime-configuration.error.js';

/** The algorithms of public keys. A published key set cannot contain shared secrets. */
const JWKS_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

/**
 * A signature algorithm of identity providers (RFC 7518, 3.1; RFC 8037; RFC 9864).
 * @publicApi
 */
export type JwksAlgorithm = (typeof JWKS_ALGORITHMS)[number];

/**
 * An identity provider: its name, the address of its keys, and the tokens of it that are accepted.
 * @publicApi
 */
export interface JwksOptions {
  /** The `iss` of its tokens, compared exactly. */
  issuer: string;
  /**
   * Address of its published keys (RFC 7517): `jwks_uri` in its `/.well-known/openid-configuration`. Must be `https:`,
   * except for this machine.
   */
  jwksUrl: string | URL;
  /** Accepted signature algorithms; never taken from a token. */
  algorithms: readonly JwksAlgorithm[];
  /**
   * Accepted `aud`, or a list of which one must match. If omitted, every token of the provider is accepted, including
   * tokens for other applications.
   */
  audience?: string | readonly string[];
  /**
   * Accepted `typ` of a token's header, or a list of which one must match (RFC 8725, 3.11), such as `at+jwt`. If omitted, it is
   * not checked.
   */
  typ?: string | readonly string[];
  /** Tolerated difference between its clock and ours in checks of `nbf`, in seconds, 0 to 300. Default 5. */
  clockToleranceS?: number;
  /** Minimum time between fetches caused by unknown keys, in milliseconds, so that tokens with invented keys cannot cause more. Default 30,000. */
  cooldownMs?: number;
  /** Maximum age of keys before they must be fetched again, in milliseconds. Default 600,000. */
  cacheMaxAgeMs?: number;
  /** Timeout of a fetch, in milliseconds. Default 5,000. */
  timeoutMs?: number;
}

/** The options of one provider with all defaults filled in. */
export interface JwksSettings {
  readonly issuer: string;
  readonly jwksUrl: URL;
  readonly algorithms: string[];
  readonly audience: readonly string[] | undefined;
  readonly typ?: readonly string[] | string;
  readonly clockToleranceS: number;
  readonly cooldownMs: number;
  readonly cacheMaxAgeMs: number;
  readonly timeoutMs: number;
}

const DEFAULTS = { clockToleranceS: 5, cooldownMs: 30_000, cacheMaxAgeMs: 600_000, timeoutMs: 5_000 };

const NAMES = ['issuer', 'jwksUrl', 'algorithms', 'audience', 'typ', ...Object.keys(DEFAULTS)];

const MAX_CLOCK_TOLERANCE_S = 300;

/** Maximum duration of a Node timer. */
const MAX_DURATION_MS = 2_147_483_647;

/**
 * Fills in the defaults.
 * @param options options of one provider, or of several
 * @throws RealtimeConfigurationError that names each invalid option and its correction
 */
export function jwksSettingsOf(options: JwksOptions | readonly JwksOptions[]): readonly JwksSettings[] {
  const problems = explainJwksOptions(options);
  if (problems.length > 0) throw new RealtimeConfigurationError(`jwksVerifier: ${describeProblems(problems)}`);
  return [options].flat().map(({ issuer, jwksUrl, algorithms, audience, ...rest }) => {
    const given = Object.entries(rest).filter(([, value]) => value !== undefined);
    return {
      issuer,
      jwksUrl: new URL(jwksUrl),
      algorithms: [...algorithms],
      audience: audience === undefined ? undefined : [audience].flat(),
      ...DEFAULTS,
      ...Object.fromEntries(given),
    };
  });
}

/** Returns all problems of the options, each with the correction. */
export function explainJwksOptions(options: unknown): readonly Problem[] {
  if (!Array.isArray(options)) return explainOne(options);
  if (options.length === 0) return [{ at: 'options', message: 'must name at least one provider' }];
  const issuers = options.map((option: unknown) => (Object(option) as Partial<JwksOptions>).issuer);
  return options.flatMap((option, i) => [
    ...explainOne(option).map(({ at, message }) => ({ at: `[${i}].${at}`, message })),
    ...(issuers[i] !== undefined && issuers.indexOf(issuers[i]) < i
      ? [{ at: `[${i}].issuer`, message: 'appears twice in the list: keep one of them' }]
      : []),
  ]);
}

function explainOne(options: unknown): Problem[] {
  if (typeof options !== 'object' || options === null) {
    return [{ at: 'options', message: 'must be an object like { issuer, jwksUrl, algorithms: ["RS256"] }' }];
  }
  const given = options as Record<keyof JwksOptions, unknown>;
  const { issuer, jwksUrl, algorithms, audience, typ, clockToleranceS, cooldownMs, cacheMaxAgeMs, timeoutMs } = given;
  return [
    ...Object.keys(options)
      .filter((name) => !NAMES.includes(name))
      .map((at) => ({ at, message: `is not an option; the options are: ${NAMES.join(', ')}` })),
    ...(isText(issuer) ? [] : [{ at: 'issuer', message: 'must be the iss of the tokens, a non-empty string' }]),
    ...explainUrl(jwksUrl),
    ...explainAlgorithms(algorithms),
    ...explainNames('audience', audience),
    ...explainNames('typ', typ),
    ...explainTolerance(clockToleranceS),
    ...explainDuration('cooldownMs', cooldownMs, 0),
    ...explainDuration('cacheMaxAgeMs', cacheMaxAgeMs, 1),
    ...explainDuration('timeoutMs', timeoutMs, 1),
  ];
}

/** The URL is not quoted, because it may contain secrets. */
function explainUrl(value: unknown): Problem[] {
  const at = 'jwksUrl';
  const text = String(value);
  if (!URL.canParse(text)) {
    return [{ at, message: 'must be the address of the key set, like "https://id.example.com/jwks.json"' }];
  }
  const { username, password, protocol, hostname } = new URL(text);
  if (username || password) return [{ at, message: 'must not contain a user name or password' }];
  if (protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))) return [];
  return [{ at, message: 'must begin with https:, or an attacker on the network can replace the keys' }];
}

function isLoopback(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

function explainAlgorithms(value: unknown): Problem[] {
  const at = 'algorithms';
  if (!Array.isArray(value) || value.length === 0) {
    return [{ at, message: 'must list the accepted signature algorithms, such as ["RS256"]; there is no default' }];
  }
  if (value.every((name) => JWKS_ALGORITHMS.includes(name as JwksAlgorithm))) return [];
  const why = value.includes('none')
    ? 'must not contain "none": anyone can make such a token'
    : value.some((name) => String(name).startsWith('HS'))
      ? 'must not contain an algorithm for shared secrets: anyone with the public key could sign tokens'
      : 'has an unknown name';
  return [{ at, message: `${why}; choose from ${JWKS_ALGORITHMS.join(', ')}` }];
}

function explainNames(at: string, value: unknown): Problem[] {
  if (value === undefined) return [];
  const list: unknown[] = [value].flat();
  if (list.length > 0 && list.every(isText)) return [];
  return [{ at, message: 'must be a non-empty string or list of them; leave it out to accept any' }];
}

function explainTolerance(value: unknown): Problem[] {
  if (value === undefined || (typeof value === 'number' && value >= 0 && value <= MAX_CLOCK_TOLERANCE_S)) return [];
  return [{ at: 'clockToleranceS', message: `must be a number of seconds from 0 to ${MAX_CLOCK_TOLERANCE_S}` }];
}

function explainDuration(at: string, value: unknown, min: number): Problem[] {
  if (value === undefined) return [];
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= MAX_DURATION_MS) return [];
  return [{ at, message: `must be a whole number of milliseconds from ${min} to ${MAX_DURATION_MS}` }];
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0;
}
