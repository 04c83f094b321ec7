import type { RedisClientOptions, RedisClusterOptions } from '@redis/client';
import type { Problem } from '../../../core/base/problem.js';
import type { HostPort } from './master-report.js';

/**
 * A client of the application, created by `createClient()`. The backend opens its own connections with the client's settings;
 * the client itself is neither used nor closed, and need not be connected. A client created by `createCluster()` makes the
 * boot fail: pass its options as `cluster`.
 * @publicApi
 */
export interface RedisClientTemplate {
  /** Makes another client with the same settings. */
  duplicate(overrides?: object): object;
}

/**
 * A master and its replicas that are watched by sentinels. All sentinels are asked which server is the master, and the answer of the latest
 * failover counts. When they name another one, the node connects to it at once, and recovers as after any lost connection.
 * @publicApi
 */
export interface RedisSentinelOptions {
  /** The name under which the sentinels watch the master, as in `sentinel monitor <name> …`. */
  readonly name: string;
  /** The sentinels, as many as are known. */
  readonly nodes: readonly HostPort[];
  /** Settings of the connections to the master, such as user name, password and TLS, without an address. */
  readonly client?: RedisClientOptions;
  /** Settings of the connections to the sentinels, without an address. Default none: sentinels have users of their own. */
  readonly sentinelClient?: RedisClientOptions;
  /** The address at which this node reaches a server, given the one that the sentinels name. Default: the same. */
  readonly nodeAddressMap?: (address: HostPort) => HostPort;
}

/**
 * The address of Redis: one of these, or `url` with options of the connections in `client`.
 * @publicApi
 */
export interface RedisPlaceOptions {
  /** Address of one server: `redis://user:password@host:6379`, `rediss://…` for TLS. */
  url?: string;
  /** Connection settings, as the options of `createClient()`; or a client of the application as a template. */
  client?: RedisClientOptions | RedisClientTemplate;
  /** A Redis Cluster, as the options of `createCluster()`: `{ rootNodes: [{ url }] }`. Needs Redis 7 or newer. */
  cluster?: RedisClusterOptions;
  /** A master that is watched by Redis Sentinel. */
  sentinel?: RedisSentinelOptions;
}

/** The address of Redis. */
export type RedisPlace =
  | { readonly kind: 'server'; readonly options: RedisClientOptions }
  | { readonly kind: 'cluster'; readonly options: RedisClusterOptions }
  | { readonly kind: 'sentinel'; readonly options: RedisSentinelOptions }
  | { readonly kind: 'template'; readonly client: RedisClientTemplate };

export function placeOf({ url, client, cluster, sentinel }: RedisPlaceOptions): RedisPlace {
  if (cluster) return { kind: 'cluster', options: cluster };
  if (sentinel) return { kind: 'sentinel', options: sentinel };
  if (client && isTemplate(client)) return { kind: 'template', client };
  return {
    kind: 'server',
    options: { ...client, ...(url !== undefined && { url }) },
  };
}

/** All problems with the address of Redis, each with its cure. A URL is not quoted: it may hold a password. */
export function explainPlace({ url, client, cluster, sentinel }: Record<string, unknown>): Problem[] {
  if ([url, client, cluster, sentinel].every((each) => each === undefined)) {
    return [
      {
        at: 'url',
        message: 'is missing: give the address of Redis, like "redis://localhost:6379", or client, cluster or sentinel',
      },
    ];
  }
  const problems: Problem[] = [];
  if (url !== undefined && !(typeof url === 'string' && /^(rediss?|unix):\/\/./.test(url))) {
    problems.push({ at: 'url', message: 'must be an address like "redis://localhost:6379", or "rediss://…" for TLS' });
  }
  if (client !== undefined && (typeof client !== 'object' || client === null)) {
    problems.push({ at: 'client', message: 'must be the options of createClient(), or a client that it has made' });
  } else if (url !== undefined && client !== undefined && isTemplate(client)) {
    problems.push({ at: 'url', message: 'must not be combined with client, which has its own address' });
  } else if (client !== undefined) problems.push(...explainTemplate(client));
  if (cluster !== undefined) problems.push(...explainCluster(cluster));
  if (cluster !== undefined && (url !== undefined || client !== undefined)) {
    problems.push({
      at: 'cluster',
      message: 'must not be combined with url or client: put the addresses into rootNodes',
    });
  }
  if (sentinel !== undefined) problems.push(...explainSentinel(sentinel));
  if (sentinel !== undefined && [url, client, cluster].some((each) => each !== undefined)) {
    problems.push({
      at: 'sentinel',
      message:
        'must not be combined with url, client or cluster: put the settings of the connections into sentinel.client',
    });
  }
  return problems;
}

function isTemplate(client: object): client is RedisClientTemplate {
  return 'duplicate' in client && typeof client.duplicate === 'function';
}

/** Clients of a cluster and of Sentinel move subscriptions by themselves, which would hide that publications were missed. */
function explainTemplate(client: object): Problem[] {
  if ('masters' in client || 'nodeClient' in client) {
    return [
      {
        at: 'client',
        message: 'must not be that of a Redis Cluster; give its options: cluster: { rootNodes: [{ url }] }',
      },
    ];
  }
  if ('getSentinelNode' in client || 'sentinelRootNodes' in client) {
    return [
      {
        at: 'client',
        message:
          'must not come from createSentinel(), which moves subscriptions by itself; give sentinel: { name, nodes: [{ host, port }] }',
      },
    ];
  }
  return [];
}

function explainCluster(value: unknown): Problem[] {
  const nodes = (Object(value) as { rootNodes?: unknown }).rootNodes;
  if (Array.isArray(nodes) && nodes.length > 0) return [];
  return [{ at: 'cluster', message: 'must be an object like { rootNodes: [{ url: "redis://localhost:7000" }] }' }];
}

const SENTINEL_NAMES = ['name', 'nodes', 'client', 'sentinelClient', 'nodeAddressMap'];

function explainSentinel(value: unknown): Problem[] {
  const { name, nodes, nodeAddressMap, ...rest } = Object(value) as Record<string, unknown>;
  const problems = Object.keys(rest)
    .filter((key) => !SENTINEL_NAMES.includes(key))
    .map((key) => ({
      at: `sentinel.${key}`,
      message: `is not an option; the options here are: ${SENTINEL_NAMES.join(', ')}`,
    }));
  if (typeof name !== 'string' || name === '') {
    problems.push({
      at: 'sentinel.name',
      message: 'must be the name under which the sentinels watch the master, like "mymaster"',
    });
  }
  if (!Array.isArray(nodes) || nodes.length === 0 || !nodes.every(isHostPort)) {
    problems.push({
      at: 'sentinel.nodes',
      message: 'must be the sentinels, like [{ host: "sentinel-1", port: 26379 }]',
    });
  }
  for (const key of ['client', 'sentinelClient']) {
    if (rest[key] === undefined || isWithoutAddress(rest[key])) continue;
    problems.push({ at: `sentinel.${key}`, message: 'must be options of createClient() without an address' });
  }
  if (nodeAddressMap !== undefined && typeof nodeAddressMap !== 'function') {
    problems.push({
      at: 'sentinel.nodeAddressMap',
      message: 'must be a function from { host, port } to { host, port }',
    });
  }
  return problems;
}

/** An address in a URL, or of a Unix socket, would take precedence over the one that is given to each connection. */
function isWithoutAddress(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || isTemplate(value)) return false;
  const { url, socket } = value as Record<string, unknown>;
  const { host, port, path } = Object(socket) as Record<string, unknown>;
  return [url, host, port, path].every((each) => each === undefined);
}

function isHostPort(value: unknown): boolean {
  const { host, port } = Object(value) as Record<string, unknown>;
  return (
    typeof host === 'string' &&
    host !== '' &&
    Number.isInteger(port) &&
    (port as number) > 0 &&
    (port as number) < 65_536
  );
}
