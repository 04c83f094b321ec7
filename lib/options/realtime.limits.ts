import { getHeapStatistics } from 'node:v8';

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
   * until the next token. WebSocket pings, and pongs that answer none, have the same rate, apart. Histories, presence and missed
   * publications sent to a client have 64 KiB for each command: above it the next command waits. Default 20.
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
   * Maximum number of violations of a client per minute; above it the socket closes with 3013 (it goes on after it got
   * `RATE_LIMITED`) or 3509 (other errors). Default 20.
   */
  maxViolationsPerMinute?: number;
  /** Maximum nesting depth of arrays and objects in a message from a client. Default 32. */
  maxJsonDepth?: number;
  /** Maximum number of keys of one object, and of entries of one array, in a message from a client. Default 1,000. */
  maxJsonKeys?: number;
  /** Maximum number of values in a message from a client, over all levels. Default 10,000. */
  maxJsonValues?: number;
  /** Maximum number of publications in one page of missed ones, or in the answer to one `history` command. Default 300. */
  maxHistoryPage?: number;
  /** Maximum number of topics to which a client may subscribe one connection. Default 128. */
  maxTopicsPerConnection?: number;
  /** Maximum length of a topic name from a client, in characters. Default 255, which is also the upper bound. */
  maxTopicLength?: number;
  /**
   * Maximum number of users listed in an answer about presence; the counts include all users. An answer to a client also ends at
   * half of `sendQueueBytes`. Default 1,000.
   */
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
   * for the payloads of its subscriptions, which are kept; above it a subscribe is refused with `LIMIT_EXCEEDED`. It holds once more
   * for those of the messages that are running, such as those whose reply streams go on, without the largest. Default 262,144.
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

/** The default of each limit. */
export const DEFAULT_LIMITS: Readonly<Required<RealtimeLimits>> = {
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
