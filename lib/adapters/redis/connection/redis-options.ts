import { describeProblems, type Problem } from '../../../core/base/problem.js';
import { explainSecret } from './redis-secret.js';
import type { RedisBackendSecret } from './frame-signer.js';
import { RealtimeConfigurationError } from '../../../errors/realtime-configuration.error.js';
import { explainPlace, placeOf, type RedisPlace, type RedisPlaceOptions } from './redis-place.js';

/**
 * The options of `redisBackend()`. One of `url`, `client`, `cluster` and `sentinel` gives the address of Redis; every other option has a default.
 * @publicApi
 */
export interface RedisBackendOptions extends RedisPlaceOptions {
  /** The prefix of every channel and key: applications that share a Redis need different prefixes. Default `realtime`. */
  prefix?: string;
  /**
   * The number of Redis Cluster slots over which subjects are spread, 1 to 1,024; the same on all nodes. Default 64; ignored
   * with a single server.
   */
  partitions?: number;
  /** The timeout of a command to Redis, and of a join while Redis is away, in milliseconds. Default 4,000. */
  commandTimeoutMs?: number;
  /** Most commands that may wait for a reply of Redis; above it, further commands fail as if Redis were away. Default 100,000. */
  maxPendingCommands?: number;
  /** The time for which a subject stays joined after its last member has left, in milliseconds. Default 1,000. */
  lingerMs?: number;
  /** The interval at which this node refreshes its lease, in milliseconds. Default 5,000. */
  leaseRefreshMs?: number;
  /**
   * The time for which a node is listed after its last lease refresh, in milliseconds; at least twice `leaseRefreshMs`. Default 15,000.
   * No report is `complete` until Redis has been up for this time less `leaseRefreshMs`.
   */
  leaseTtlMs?: number;
  /** The interval at which a silent connection is tested by a probe of this node to itself, in milliseconds. Default 10,000. */
  probeIntervalMs?: number;
  /** Most bytes of one message with its addresses, in the encoding sent through Redis. Default 1,179,648: 1 MiB and room for addresses. */
  maxEnvelopeBytes?: number;
  /**
   * Signs what nodes send each other over Redis, and drops what is not signed: whoever may publish there cannot give orders. The
   * same on all nodes. Default: nothing is signed. `docs/production/security.md` says what signatures cover.
   */
  secret?: RedisBackendSecret;
  /** `false`: start detached if Redis is away, and attach once it is reachable. Default true: the boot fails. */
  requireAtBoot?: boolean;
}

/** The options with every default filled in. */
export interface RedisSettings extends Required<
  Omit<RedisBackendOptions, 'url' | 'client' | 'cluster' | 'sentinel' | 'secret'>
> {
  readonly place: RedisPlace;
  readonly secret?: RedisBackendSecret;
}

const DEFAULTS = {
  prefix: 'realtime',
  partitions: 64,
  commandTimeoutMs: 4_000,
  maxPendingCommands: 100_000,
  lingerMs: 1_000,
  leaseRefreshMs: 5_000,
  leaseTtlMs: 15_000,
  probeIntervalMs: 10_000,
  maxEnvelopeBytes: 1_179_648,
  requireAtBoot: true,
};

const NAMES = ['url', 'client', 'cluster', 'sentinel', 'secret', ...Object.keys(DEFAULTS)];

/** The allowed range of each number. */
const RANGES: Readonly<Record<string, readonly [min: number, max: number, unit: string]>> = {
  partitions: [1, 1_024, ''],
  commandTimeoutMs: [100, 60_000, ' of milliseconds'],
  maxPendingCommands: [1, 10_000_000, ''],
  lingerMs: [0, 600_000, ' of milliseconds'],
  leaseRefreshMs: [100, 600_000, ' of milliseconds'],
  leaseTtlMs: [200, 3_600_000, ' of milliseconds'],
  probeIntervalMs: [100, 600_000, ' of milliseconds'],
  maxEnvelopeBytes: [1_024, 512 * 1_024 * 1_024, ' of bytes'],
};

/**
 * Fills the defaults in.
 * @throws RealtimeConfigurationError that names each wrong option and its cure
 */
export function redisSettingsOf(options: RedisBackendOptions): RedisSettings {
  const problems = explainRedisOptions(options);
  if (problems.length > 0) throw new RealtimeConfigurationError(`redisBackend: ${describeProblems(problems)}`);
  const { url, client, cluster, sentinel, ...rest } = options;
  const given = Object.entries(rest).filter(([, value]) => value !== undefined);
  return { ...DEFAULTS, ...Object.fromEntries(given), place: placeOf({ url, client, cluster, sentinel }) };
}

/** All problems with the options, each with its cure. */
export function explainRedisOptions(options: unknown): readonly Problem[] {
  if (typeof options !== 'object' || options === null) {
    return [{ at: 'options', message: 'must be an object like { url: "redis://localhost:6379" }' }];
  }
  const given = options as Record<string, unknown>;
  return [
    ...Object.keys(options)
      .filter((name) => !NAMES.includes(name))
      .map((at) => ({ at, message: `is not an option; the options are: ${NAMES.join(', ')}` })),
    ...explainPlace(given),
    ...explainPrefix(given['prefix']),
    ...explainSecret(given['secret']),
    ...Object.entries(RANGES).flatMap(([at, range]) => explainNumber(at, given[at], range)),
    ...explainLease(given),
    ...(given['requireAtBoot'] === undefined || typeof given['requireAtBoot'] === 'boolean'
      ? []
      : [{ at: 'requireAtBoot', message: 'must be true or false' }]),
  ];
}

/** Braces would put all keys into one slot, and pattern characters would match channels of other applications. */
function explainPrefix(value: unknown): Problem[] {
  if (value === undefined || (typeof value === 'string' && /^[\w.:/-]{1,64}$/.test(value))) return [];
  return [{ at: 'prefix', message: 'must be 1 to 64 letters, digits or the characters _ . : / -' }];
}

function explainNumber(at: string, value: unknown, [min, max, unit]: readonly [number, number, string]): Problem[] {
  if (value === undefined) return [];
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return [];
  return [{ at, message: `must be a whole number${unit} from ${min} to ${max}` }];
}

function explainLease({ leaseRefreshMs, leaseTtlMs }: Record<string, unknown>): Problem[] {
  const refreshMs = Number(leaseRefreshMs ?? DEFAULTS.leaseRefreshMs);
  if (Number(leaseTtlMs ?? DEFAULTS.leaseTtlMs) >= refreshMs * 2) return [];
  return [
    { at: 'leaseTtlMs', message: 'must be at least twice leaseRefreshMs, or a single late refresh loses the node' },
  ];
}
