import type { IncomingMessage } from 'node:http';
import { DEFAULT_CLOCK_TOLERANCE_S, type RealtimeJwtOptions } from '../adapters/jwt/jwt-options.js';
import type { Identity, IdentityInput, JwtClaims } from '../core/identity/claims.js';
import type { Metadata } from '../core/identity/metadata-patch.js';
import type { Requirements } from '../core/identity/authorization.js';
import type { ConnectInfo } from '../ports/connect-info.js';
import type { Retention } from '../core/history/history.js';
import { DEFAULT_LIMITS, type RealtimeLimits } from './realtime.limits.js';

export type { RealtimeLimits } from './realtime.limits.js';

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
   * Compresses messages for clients that offer it: once for all of them, in the turn in which the message is sent. Answers
   * are compressed for each client by itself. It trades CPU time for bandwidth. Compressing secrets together with data of an
   * attacker can reveal them (CRIME, BREACH). Default false.
   */
  compression?: boolean | RealtimeCompressionOptions;
  /**
   * Also serves the Centrifuge client protocol, in its JSON and its Protobuf form, on a separate path, for clients that use its
   * SDKs: `true`, or its options. Topics, handlers, limits and messages are shared; see docs/reference/sdks.md. Default false.
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
 * Compression for clients that offer `permessage-deflate` (RFC 7692); all browsers do.
 * @publicApi
 */
export interface RealtimeCompressionOptions {
  /** Minimum length of a message that is compressed, in characters; in bytes for binary frames. Default 1,024. */
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
  /**
   * Watchers of a topic are told about one user at most once in this time, in milliseconds: the first change at once, later ones
   * when it is over, and a join and a leave that cancel each other not at all. 0 tells every change. Default 250.
   */
  coalesceMs?: number;
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
    this.presence = { graceMs: 10_000, coalesceMs: 250, online: false, ...defined(options.presence) };
    this.report = options.report ?? true;
    this.compression = compressionOf(options.compression ?? false);
    this.centrifuge = centrifugeOf(options.centrifuge ?? false, this.path);
    this.personalTopics = personalTopicsOf(options.centrifuge ?? false);
  }
}

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
