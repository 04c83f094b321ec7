import type { IncomingMessage } from 'node:http';
import { getHeapStatistics } from 'node:v8';
import { DEFAULT_CLOCK_TOLERANCE_S, type RealtimeJwtOptions } from '../adapters/jwt/jwt-options.js';
import type { Identity, IdentityInput, JwtClaims } from '../core/identity/claims.js';
import type { Metadata } from '../core/identity/metadata-patch.js';
import type { Requirements } from '../core/identity/authorization.js';
import type { ConnectInfo } from '../ports/connect-info.js';
import type { Retention } from '../core/history/history.js';

/**
 * The options of `RealtimeModule.forRoot()`. Everything except `jwt` has a default; durations and sizes have their unit in
 * the name. An invalid or unknown option stops the boot with an error that names it and the correction.
 * @publicApi
 */
export interface RealtimeOptions {
  /** Path of the WebSocket endpoint, compared exactly. Default `/ws`. */
  path?: string;
  /** Prepends the application's global prefix (`app.setGlobalPrefix()`) to `path`. Default false. */
  useGlobalPrefix?: boolean;
  /** Verification of JWTs. Required unless your own `JwtVerifier` or `Authenticator` is among the `providers`. */
  jwt?: RealtimeJwtOptions;
  /**
   * Maps verified claims to an identity. Default: `sub` is the user, `roles` or `role` the roles, `permissions` the
   * permissions, and `email` goes into the metadata. When it fails, the client is told to retry (503, 3004, `UNAVAILABLE`),
   * unless it throws an `UnauthorizedException`, a `ForbiddenException` or a `RealtimeError` with another code.
   * @param info why the token is judged, the request and the address of the client
   */
  claims?: (claims: JwtClaims, info: ConnectInfo) => IdentityInput | Promise<IdentityInput>;
  /**
   * Returns metadata of a connection from its request (user agent, locale) and the client's address, as a plain object that
   * JSON can carry, of at most 65,536 characters. Called once per connection, when it is authenticated. A key replaces that of
   * the token's metadata, and `null` removes it; a renewed token changes nothing of that, `RealtimeService.updateMetadata()`
   * does. It has to answer within `limits.authTimeoutMs`. When it fails or returns anything else, the client is told to
   * retry, as with `claims`. Default: the metadata of the token alone.
   */
  metadata?: (info: ConnectInfo, identity: Identity) => Metadata | Promise<Metadata>;
  /**
   * Returns whether a token was revoked, from its verified claims (`jti`, `iat`, `sub`). It is called whenever a token is
   * presented (by a connecting client, for a renewal, on an HTTP route), and by `RealtimeService.revalidate()`. If it
   * fails, the token is refused (503, `UNAVAILABLE`). Default: no token is revoked.
   */
  isRevoked?: (claims: JwtClaims) => boolean | Promise<boolean>;
  /** Places in which a connecting client may send its token. */
  token?: RealtimeTokenOptions;
  /**
   * Origins (`https://app.example.com`) whose pages may connect, apart from pages of the same host and port. `'*'` allows
   * every page, which is safe only if browsers send no credentials by themselves (cookies); with `token.from` it stops the boot
   * unless `token.fromIsNotSentByBrowsers` is true. Default `[]`.
   */
  allowedOrigins?: readonly string[] | '*';
  /**
   * The proxies whose `X-Forwarded-For` and `X-Forwarded-Host` are trusted: the number of proxies in front of this server,
   * or their addresses and CIDR ranges. Default 0: none.
   */
  trustProxy?: number | readonly string[];
  /**
   * The rights that every connection must have: any of the `roles`, all of the `permissions`. It does not apply to HTTP
   * routes. Default: a token that has not expired.
   */
  authorize?: Requirements;
  /** Limits for clients. They are active by default. */
  limits?: RealtimeLimits;
  /** Heartbeat, which detects dead peers. */
  heartbeat?: RealtimeHeartbeatOptions;
  /** Graceful shutdown of connections. */
  drain?: RealtimeDrainOptions;
  /** Presence of users in topics, and online status. */
  presence?: RealtimePresenceOptions;
  /** With `false`, sends do not wait for the answers of other nodes, and delivery reports cover only this node. Default true. */
  report?: boolean;
  /**
   * Compresses messages for clients that offer it: once for all of them, in the turn in which the message is sent. It trades
   * CPU time for bandwidth. Compressing secrets together with data of an attacker can reveal them (CRIME, BREACH). Default
   * false.
   */
  compression?: boolean | RealtimeCompressionOptions;
  /**
   * Also serves the JSON form of the Centrifuge client protocol, on a separate path, for clients that use its SDKs: `true`,
   * or its options. Topics, handlers, limits and messages are shared; see docs/centrifuge.md. Default false.
   */
  centrifuge?: boolean | RealtimeCentrifugeOptions;
}

/**
 * Places in which a connecting client may send its token. `Authorization: Bearer` and the sub-protocol offer
 * `realtime, bearer.<token>` are always read.
 * @publicApi
 */
export interface RealtimeTokenOptions {
  /** Name of the query parameter, or `false` if URLs must not contain tokens. Default `token`. */
  query?: string | false;
  /**
   * Returns the token from another place, such as a cookie, or a promise of it; called before the other places are read.
   * When it fails, the client is told to retry (503), unless it throws an `UnauthorizedException` or a `ForbiddenException`.
   */
  from?: (request: IncomingMessage) => string | undefined | Promise<string | undefined>;
  /**
   * States that `from` reads nothing that browsers send by themselves: no cookie, no credentials of HTTP authentication, no client
   * certificate. It is needed beside `allowedOrigins: '*'`; if it is not true, any website can connect as the user who visits
   * it. Default false.
   */
  fromIsNotSentByBrowsers?: boolean;
  /** Lets clients connect without a token and send it as their first command (`auth`). Default false. */
  firstCommand?: boolean;
}

/**
 * Limits for one client, and for all clients of a node. `Infinity` turns a limit off, except for `authTimeoutMs`,
 * `maxTopicLength` and `maxHistoryPage`.
 * @publicApi
 */
export interface RealtimeLimits {
  /**
   * Maximum size of a message from a client, in bytes; above it the socket closes with 1009. Gateways may have another one for
   * their messages; until a client is authenticated, this one holds. Default 65,536.
   */
  maxMessageBytes?: number;
  /** Maximum number of fragments of one message; above it the socket closes with 1008. Default 64. */
  maxFragments?: number;
  /** Maximum number of chunks in which one message may arrive; above it the socket closes with 1008. Default 1,024. */
  maxBufferedChunks?: number;
  /** Maximum number of pongs that a client has not read yet; above it the socket is terminated. Default 60. */
  maxPendingPongs?: number;
  /**
   * Rate limit: sustained commands per second of a client. Above it they are refused with `RATE_LIMITED`, and the socket is not read
   * until the next token. WebSocket pings have the same rate, apart. Histories, presence and missed publications sent to a client
   * have 64 KiB for each command: above it the next command waits. Default 20.
   */
  commandsPerSecond?: number;
  /**
   * Rate limit: commands that a client may send in a burst after a silence. On top of it, three for each of
   * `maxTopicsPerConnection` topics: `subscribe`, `presence` and `history`. Default 100.
   */
  commandBurst?: number;
  /**
   * Rate limit: sustained messages per second of a client to all gateways with a rate limit of their own
   * (`@TopicGateway('…', { limits })`), and as many in a burst. Default 500.
   */
  totalCommandsPerSecond?: number;
  /**
   * Maximum number of violations of a client per minute; above it the socket closes with 3013 (it goes on in spite of
   * `RATE_LIMITED`) or 3509 (other errors). Default 20.
   */
  maxViolationsPerMinute?: number;
  /** Maximum nesting depth of arrays and objects in a message from a client. Default 32. */
  maxJsonDepth?: number;
  /** Maximum number of keys of one object, and of entries of one array, in a message from a client. Default 1,000. */
  maxJsonKeys?: number;
  /** Maximum number of values in a message from a client, over all levels. Default 10,000. */
  maxJsonValues?: number;
  /** Maximum number of publications in one recovery, or in the answer to one `history` command. Default 300. */
  maxHistoryPage?: number;
  /** Maximum number of topics to which a client may subscribe one connection. Default 128. */
  maxTopicsPerConnection?: number;
  /** Maximum length of a topic name from a client, in characters. Default 255, which is also the upper bound. */
  maxTopicLength?: number;
  /** Maximum number of users listed in an answer about presence; the counts include all users. Default 1,000. */
  maxPresenceUsers?: number;
  /**
   * Maximum size of the info about a user in a topic, as JSON in bytes. Above it `RealtimeService.updatePresence()` rejects, and a
   * subscription whose `@OnSubscribe()` returns it is refused with `INTERNAL`; the log has the size. Default 1,024.
   */
  maxPresenceInfoBytes?: number;
  /**
   * Maximum number of queued commands of a connection; above it the socket is not read (backpressure). Also the maximum
   * number of messages whose Observables run concurrently. Default 64.
   */
  mailboxSize?: number;
  /**
   * Maximum size of the queued commands of a connection, in bytes of heap as estimated; above it the socket is not read
   * (backpressure). A command of any size that `maxMessageBytes` and `maxJsonValues` allow may wait. The same bound, apart, holds
   * for the payloads of its subscriptions, which are kept; above it a subscribe is refused with `LIMIT_EXCEEDED`. Default 262,144.
   */
  mailboxBytes?: number;
  /**
   * The same of all connections of this node. From three quarters of it on, connections with queued commands are not read; above
   * it, those with the most are closed with 3013. Default: an eighth of the heap's limit.
   */
  totalMailboxBytes?: number;
  /** Maximum number of connections of this node; above it upgrade requests are answered with 503. Default 20,000. */
  maxConnections?: number;
  /**
   * Maximum number of connections of one user on this node; above it upgrade requests are answered with 429, and a first
   * command with close code 3504. Default 20.
   */
  maxConnectionsPerUser?: number;
  /**
   * Most clients with a good token that are taken in per second; above it they are answered with 503, after a first command
   * closed with 3004. Others do not count. Default 500.
   */
  acceptsPerSecond?: number;
  /**
   * Most tokens that are verified at the same time on this node, and most clients that have not sent theirs; above it requests
   * are answered with 503. The two are counted apart. Default 1,000.
   */
  maxUnauthenticated?: number;
  /** The same of one IP address (of IPv6, one /64); above it requests are answered with 429. Default 20. */
  maxUnauthenticatedPerIp?: number;
  /**
   * The number of attempts of one IP address (of IPv6, one /64) that may be refused per second in the long run, and five
   * times as many at once; above it the address is answered with 429. Attempts with a token, without one, and those that are
   * refused unread (no token, a foreign origin) are counted separately. Default 20.
   */
  refusedPerSecondPerIp?: number;
  /**
   * The timeout of authentication, in milliseconds: verifying the token, or waiting for the first command; also, how long
   * `@OnSubscribe()` may take to judge a topic again. Default 10,000.
   */
  authTimeoutMs?: number;
  /** Maximum number of unsent bytes of one connection; above it the slow consumer is closed with 3008. Default 1,048,576. */
  sendQueueBytes?: number;
  /**
   * Maximum number of unsent bytes of all connections of this node; above it the slowest consumers are terminated. Default:
   * a quarter of the heap's limit.
   */
  totalSendQueueBytes?: number;
  /** Time for which a connection may read none of its unsent bytes, in milliseconds; then it is terminated (1006). Default 10,000. */
  writeStallMs?: number;
}

/**
 * Compression for clients that offer `permessage-deflate` (RFC 7692); all browsers do.
 * @publicApi
 */
export interface RealtimeCompressionOptions {
  /** Minimum length of a message that is compressed, in characters. Default 1,024. */
  minLength?: number;
}

/**
 * Options of the Centrifuge client protocol.
 * @publicApi
 */
export interface RealtimeCentrifugeOptions {
  /** Path of its endpoint, compared exactly; must differ from `path`. Default: `<path>/connection/websocket`. */
  path?: string;
  /**
   * Gives each user a personal topic, which keeps the messages sent to the user, so that clients recover those that they
   * missed. `true`, or how many are kept. Default false.
   */
  personalTopics?: boolean | RealtimePersonalTopicsOptions;
}

/**
 * Retention of the messages in each personal topic.
 * @publicApi
 */
export interface RealtimePersonalTopicsOptions {
  /** Maximum number of messages kept per user: 1 to 10,000. Default 100. */
  size?: number;
  /** Time for which they are kept after the last one, in milliseconds: 1,000 to 604,800,000 (a week). Default 3,600,000 (an hour). */
  ttlMs?: number;
}

/**
 * Options of the heartbeat, by which server and client detect a dead peer.
 * @publicApi
 */
export interface RealtimeHeartbeatOptions {
  /** Interval between pings to a connection, in milliseconds; `realtime:welcome` tells it to the client. Default 25,000. */
  intervalMs?: number;
  /** Heartbeat timeout: time for which a ping may stay unanswered before the connection is closed, in milliseconds. Default 10,000. */
  timeoutMs?: number;
}

/**
 * Options of the drain, which closes connections gracefully when the application shuts down.
 * @publicApi
 */
export interface RealtimeDrainOptions {
  /**
   * Timeout of the whole drain, in milliseconds. After four fifths of it, running handlers are no longer awaited. Keep it
   * below the time that your platform gives a process to terminate. Default 30,000.
   */
  timeoutMs?: number;
}

/**
 * Options of presence, for topics with `presence: true` and for the online status of users.
 * @publicApi
 */
export interface RealtimePresenceOptions {
  /**
   * Grace period, in milliseconds: time for which a user stays present after the last connection dropped, plus up to a
   * second. With 0, the user leaves at once. Default 10,000.
   */
  graceMs?: number;
  /** Emits `online` and `offline` of users in `RealtimeService.events$`, for example for push notifications. Default false. */
  online?: boolean;
}

type Complete<T> = { readonly [K in keyof T]-?: T[K] };

/**
 * The options with all defaults filled in, for use inside the package. Injectable.
 * @internal
 */
export class RealtimeSettings {
  readonly path: string;
  readonly useGlobalPrefix: boolean;
  readonly jwt: RealtimeJwtOptions | undefined;
  /** Tolerated clock difference, in seconds. */
  readonly clockToleranceS: number;
  readonly claims: RealtimeOptions['claims'];
  readonly metadata: RealtimeOptions['metadata'];
  readonly isRevoked: RealtimeOptions['isRevoked'];
  readonly token: Readonly<{ query: string | false; from: RealtimeTokenOptions['from']; firstCommand: boolean }>;
  readonly allowedOrigins: readonly string[] | '*';
  readonly trustProxy: number | readonly string[];
  readonly authorize: Requirements;
  readonly limits: Complete<RealtimeLimits>;
  readonly heartbeat: Complete<RealtimeHeartbeatOptions>;
  readonly drain: Complete<RealtimeDrainOptions>;
  readonly presence: Complete<RealtimePresenceOptions>;
  readonly report: boolean;
  readonly compression: Complete<RealtimeCompressionOptions> | false;
  readonly centrifuge: Complete<Pick<RealtimeCentrifugeOptions, 'path'>> | false;
  /** Retention of personal topics; `undefined` if there are none. */
  readonly personalTopics: Retention | undefined;

  constructor(options: RealtimeOptions) {
    this.path = options.path ?? '/ws';
    this.useGlobalPrefix = options.useGlobalPrefix ?? false;
    this.jwt = options.jwt;
    this.clockToleranceS = options.jwt?.clockToleranceS ?? DEFAULT_CLOCK_TOLERANCE_S;
    this.claims = options.claims;
    this.metadata = options.metadata;
    this.isRevoked = options.isRevoked;
    this.token = { query: 'token', from: undefined, firstCommand: false, ...defined(options.token) };
    this.allowedOrigins = options.allowedOrigins ?? [];
    this.trustProxy = options.trustProxy ?? 0;
    this.authorize = options.authorize ?? {};
    this.limits = { ...DEFAULT_LIMITS, ...defined(options.limits) };
    this.heartbeat = { intervalMs: 25_000, timeoutMs: 10_000, ...defined(options.heartbeat) };
    this.drain = { timeoutMs: 30_000, ...defined(options.drain) };
    this.presence = { graceMs: 10_000, online: false, ...defined(options.presence) };
    this.report = options.report ?? true;
    this.compression = compressionOf(options.compression ?? false);
    this.centrifuge = centrifugeOf(options.centrifuge ?? false, this.path);
    this.personalTopics = personalTopicsOf(options.centrifuge ?? false);
  }
}

const DEFAULT_LIMITS: Complete<RealtimeLimits> = {
  maxMessageBytes: 65_536,
  maxFragments: 64,
  maxBufferedChunks: 1_024,
  maxPendingPongs: 60,
  commandsPerSecond: 20,
  commandBurst: 100,
  totalCommandsPerSecond: 500,
  maxViolationsPerMinute: 20,
  maxJsonDepth: 32,
  maxJsonKeys: 1_000,
  maxJsonValues: 10_000,
  maxHistoryPage: 300,
  maxTopicsPerConnection: 128,
  maxTopicLength: 255,
  maxPresenceUsers: 1_000,
  maxPresenceInfoBytes: 1_024,
  mailboxSize: 64,
  mailboxBytes: 262_144,
  totalMailboxBytes: Math.floor(getHeapStatistics().heap_size_limit / 8),
  maxConnections: 20_000,
  maxConnectionsPerUser: 20,
  acceptsPerSecond: 500,
  maxUnauthenticated: 1_000,
  maxUnauthenticatedPerIp: 20,
  refusedPerSecondPerIp: 20,
  authTimeoutMs: 10_000,
  sendQueueBytes: 1_048_576,
  totalSendQueueBytes: Math.floor(getHeapStatistics().heap_size_limit / 4),
  writeStallMs: 10_000,
};

function compressionOf(option: boolean | RealtimeCompressionOptions): RealtimeSettings['compression'] {
  if (option === false) return false;
  return { minLength: 1_024, ...(option === true ? {} : defined(option)) };
}

function centrifugeOf(option: boolean | RealtimeCentrifugeOptions, path: string): RealtimeSettings['centrifuge'] {
  if (option === false) return false;
  const { path: own } = option === true ? {} : option;
  return { path: own ?? `${path.replace(/\/$/, '')}/connection/websocket` };
}

function personalTopicsOf(option: boolean | RealtimeCentrifugeOptions): Retention | undefined {
  const { personalTopics = false } = typeof option === 'boolean' ? {} : option;
  if (personalTopics === false) return undefined;
  return { size: 100, ttlMs: 3_600_000, ...(personalTopics === true ? {} : defined(personalTopics)) };
}

/** Drops options whose value is undefined, which count as omitted. */
function defined<T extends object>(options: T | undefined): Partial<{ [K in keyof T]: Exclude<T[K], undefined> }> {
  return Object.fromEntries(Object.entries(options ?? {}).filter(([, value]) => value !== undefined)) as never;
}
