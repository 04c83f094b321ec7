import type { IncomingMessage } from 'node:http';
import { getHeapStatistics } from 'node:v8';
import { DEFAULT_CLOCK_TOLERANCE_S, type RealtimeJwtOptions } from '../adapters/jwt/jwt-options.js';
import type { IdentityInput, JwtClaims } from '../core/identity/claims.js';
import type { Requirements } from '../core/identity/authorization.js';
import type { Retention } from '../core/history/history.js';

/**
 * The options of `RealtimeModule.forRoot()`. Everything but `jwt` has a default; every duration and size has its unit in
 * its name. A wrong or unknown option stops the boot with its name and the cure.
 * @publicApi
 */
export interface RealtimeOptions {
  /** Path of the WebSocket endpoint, compared exactly. Default `/ws`. */
  path?: string;
  /** Put the application's global prefix (`app.setGlobalPrefix()`) in front of `path`. Default false. */
  useGlobalPrefix?: boolean;
  /** How tokens are verified. Needed unless a `JwtVerifier` or an `Authenticator` of your own is among the `providers`. */
  jwt?: RealtimeJwtOptions;
  /**
   * Makes an identity of verified claims. Default: `sub` is the user, `roles` or `role` the roles, `permissions` the
   * permissions, and `email` goes into the metadata.
   */
  claims?: (claims: JwtClaims) => IdentityInput | Promise<IdentityInput>;
  /**
   * Says whether a token has been revoked, from its verified claims (`jti`, `iat`, `sub`). Asked whenever a token is
   * presented (by a connecting client, for a renewal, on an HTTP route), and by `RealtimeService.revalidate()`. When it
   * fails, the token is not accepted (503, `UNAVAILABLE`). Default: none is.
   */
  isRevoked?: (claims: JwtClaims) => boolean | Promise<boolean>;
  /** Where a connecting client may put its token. */
  token?: RealtimeTokenOptions;
  /**
   * Origins (`https://app.example.com`) whose pages may connect, beside those served from the same host and port.
   * `'*'` lets every page in, which is safe only when no credential is sent by the browser itself (cookies). Default `[]`.
   */
  allowedOrigins?: readonly string[] | '*';
  /**
   * Which proxies' `X-Forwarded-For` and `X-Forwarded-Host` count: how many stand in front of this server, or
   * their addresses and CIDR ranges. Default 0: none.
   */
  trustProxy?: number | readonly string[];
  /**
   * What every connection must have: any of the `roles`, all of the `permissions`. It does not hold for HTTP routes. Default:
   * a token that has not expired.
   */
  authorize?: Requirements;
  /** What clients may use. Limits are on from the start. */
  limits?: RealtimeLimits;
  /** How dead peers are found. */
  heartbeat?: RealtimeHeartbeatOptions;
  /** How connections are ended at shutdown. */
  drain?: RealtimeDrainOptions;
  /** How it is told who is in topics, and who is online. */
  presence?: RealtimePresenceOptions;
  /** `false`: no send asks other nodes what they delivered; reports then know only this node. Default true. */
  report?: boolean;
  /**
   * Compresses messages for clients that offer it: once for all of them, in the turn in which the message is sent. It costs
   * processor time and saves bytes; what is compressed together with secrets can give them away (CRIME, BREACH). Default false.
   */
  compression?: boolean | RealtimeCompressionOptions;
  /**
   * Also speaks the Centrifuge client protocol (its JSON form), on a path of its own, so that the SDKs for it can be used:
   * `true`, or where and how. The same topics, handlers, limits and messages; see docs/centrifuge.md. Default false.
   */
  centrifuge?: boolean | RealtimeCentrifugeOptions;
}

/**
 * Where a connecting client may put its token. `Authorization: Bearer` and the sub-protocol offer
 * `realtime, bearer.<token>` are always read.
 * @publicApi
 */
export interface RealtimeTokenOptions {
  /** Name of the query parameter, or `false` when URLs must not carry tokens. Default `token`. */
  query?: string | false;
  /** Finds the token somewhere else, such as a cookie; asked before the other places. */
  from?: (request: IncomingMessage) => string | undefined;
  /** Let clients without a token connect and send it as their first command (`auth`). Default false. */
  firstCommand?: boolean;
}

/**
 * What one client, and all of them together, may use. `Infinity` turns a limit off, but for
 * `authTimeoutMs`, `maxTopicLength` and `maxHistoryPage`.
 * @publicApi
 */
export interface RealtimeLimits {
  /** Most bytes of a message from a client; above it the socket closes with 1009. Default 65,536. */
  maxMessageBytes?: number;
  /** Most fragments of one message; above it the socket closes with 1008. Default 64. */
  maxFragments?: number;
  /** Most pieces of one message that may arrive one by one; above it the socket closes with 1008. Default 1,024. */
  maxBufferedChunks?: number;
  /** Most WebSocket pings whose pongs a client has not taken; above it the socket is ended. Default 60. */
  maxPendingPongs?: number;
  /** How many commands a client may send per second in the long run; above it they are refused with `RATE_LIMITED`. Default 20. */
  commandsPerSecond?: number;
  /** How many commands a client may send at once, saved up while it was silent. Default 100. */
  commandBurst?: number;
  /**
   * How many mistakes and exceeded limits a client is forgiven in a minute; above it the socket closes with 3013 (too
   * fast) or 3509 (other mistakes). Default 20.
   */
  maxViolationsPerMinute?: number;
  /** How deep arrays and objects of a message from a client may be nested. Default 32. */
  maxJsonDepth?: number;
  /** Most keys of one object, and most entries of one array, in a message from a client. Default 1,000. */
  maxJsonKeys?: number;
  /** Most values in a message from a client, counted over all levels. Default 10,000. */
  maxJsonValues?: number;
  /** Most publications that are recovered at once, or answered to one `history` command. Default 300. */
  maxHistoryPage?: number;
  /** Most topics a client may subscribe one connection to. Default 128. */
  maxTopicsPerConnection?: number;
  /** Most characters of a topic's name from a client. Default 255, which is also the most that can be set. */
  maxTopicLength?: number;
  /** Most users that are listed when somebody asks who is in a topic; how many there are is told exactly. Default 1,000. */
  maxPresenceUsers?: number;
  /** How many commands of a connection may wait for their turn before its socket is no longer read. Also the most messages whose Observables may run at once. Default 64. */
  mailboxSize?: number;
  /** Most connections of this node; above it requests are answered with 503. Default 20,000. */
  maxConnections?: number;
  /** Most connections of one user on this node; above it requests are answered with 429, a first command with 3504. Default 20. */
  maxConnectionsPerUser?: number;
  /** Most requests to connect that are looked at per second; above it they are answered with 503. Default 500. */
  acceptsPerSecond?: number;
  /** Most clients of this node that are not authenticated yet; above it requests are answered with 503. Default 1,000. */
  maxUnauthenticated?: number;
  /** Most clients of one IP address that are not authenticated yet; above it requests are answered with 429. Default 20. */
  maxUnauthenticatedPerIp?: number;
  /** How long authenticating may take, in milliseconds: verifying the token, or waiting for the first command. Default 10,000. */
  authTimeoutMs?: number;
  /** Most bytes that may wait to be written to one connection; above it the connection closes with 3008. Default 1,048,576. */
  sendQueueBytes?: number;
  /**
   * Most bytes that may wait to be written to all connections of this node; above it the connections that are furthest
   * behind are ended. Default: a quarter of the heap's limit.
   */
  totalSendQueueBytes?: number;
  /** How long a connection may take nothing of what waits for it, in milliseconds; then it is ended (1006). Default 10,000. */
  writeStallMs?: number;
}

/**
 * How messages are compressed for clients that offer it (`permessage-deflate`, RFC 7692); all browsers do.
 * @publicApi
 */
export interface RealtimeCompressionOptions {
  /** Messages with fewer characters are sent as they are. Default 1,024. */
  minLength?: number;
}

/**
 * How the Centrifuge client protocol is served.
 * @publicApi
 */
export interface RealtimeCentrifugeOptions {
  /** Path of its endpoint, compared exactly; another one than `path`. Default: `<path>/connection/websocket`. */
  path?: string;
  /**
   * Keeps what is sent to a user alone, so that clients recover what they have missed of it: they get it as publications
   * of a topic of the user's own. `true`, or how much is kept. Default false.
   */
  personalTopics?: boolean | RealtimePersonalTopicsOptions;
}

/**
 * How much of what is sent to each user is kept.
 * @publicApi
 */
export interface RealtimePersonalTopicsOptions {
  /** Most messages that are kept of one user: 1 to 10,000. Default 100. */
  size?: number;
  /** How long they are kept after the last one, in milliseconds: 1,000 to 604,800,000 (a week). Default 3,600,000 (an hour). */
  ttlMs?: number;
}

/**
 * How dead peers are found, on both sides.
 * @publicApi
 */
export interface RealtimeHeartbeatOptions {
  /** How often each connection is pinged, in milliseconds; the client is told in `realtime:welcome`. Default 25,000. */
  intervalMs?: number;
  /** How long a ping may stay unanswered before the connection is ended, in milliseconds. Default 10,000. */
  timeoutMs?: number;
}

/**
 * How connections are ended when the application shuts down.
 * @publicApi
 */
export interface RealtimeDrainOptions {
  /**
   * How long ending all connections may take, in milliseconds; after four fifths of it nobody's handlers are waited for.
   * Keep it below the time your platform gives a process to end. Default 30,000.
   */
  timeoutMs?: number;
}

/**
 * How it is told who is in topics with `presence: true`, and who is online.
 * @publicApi
 */
export interface RealtimePresenceOptions {
  /**
   * How long a user is waited for whose last connection has dropped, in milliseconds, up to a second more; then the user
   * has left. 0: not at all. Default 10,000.
   */
  graceMs?: number;
  /** Tell in `RealtimeService.events$` which users come online and go offline, for push notifications and the like. Default false. */
  online?: boolean;
}

type Complete<T> = { readonly [K in keyof T]-?: T[K] };

/**
 * The options with every default filled in, as the package's own parts see them. Injectable.
 * @internal
 */
export class RealtimeSettings {
  readonly path: string;
  readonly useGlobalPrefix: boolean;
  readonly jwt: RealtimeJwtOptions | undefined;
  /** How far clocks may differ, in seconds. */
  readonly clockToleranceS: number;
  readonly claims: RealtimeOptions['claims'];
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
  /** How much is kept of what is sent to a user; `undefined` when nothing is. */
  readonly personalTopics: Retention | undefined;

  constructor(options: RealtimeOptions) {
    this.path = options.path ?? '/ws';
    this.useGlobalPrefix = options.useGlobalPrefix ?? false;
    this.jwt = options.jwt;
    this.clockToleranceS = options.jwt?.clockToleranceS ?? DEFAULT_CLOCK_TOLERANCE_S;
    this.claims = options.claims;
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
  maxViolationsPerMinute: 20,
  maxJsonDepth: 32,
  maxJsonKeys: 1_000,
  maxJsonValues: 10_000,
  maxHistoryPage: 300,
  maxTopicsPerConnection: 128,
  maxTopicLength: 255,
  maxPresenceUsers: 1_000,
  mailboxSize: 64,
  maxConnections: 20_000,
  maxConnectionsPerUser: 20,
  acceptsPerSecond: 500,
  maxUnauthenticated: 1_000,
  maxUnauthenticatedPerIp: 20,
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

/** An option that is there but undefined counts as left out. */
function defined<T extends object>(options: T | undefined): Partial<{ [K in keyof T]: Exclude<T[K], undefined> }> {
  return Object.fromEntries(Object.entries(options ?? {}).filter(([, value]) => value !== undefined)) as never;
}
