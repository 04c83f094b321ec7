/** A message of the application: to the user, a role, the connection, a topic or everybody. */
export interface MessageFrame {
  /** The type that the application chose. It never begins with `realtime:`. */
  type: string;
  payload?: unknown;
  /** ISO 8601 in UTC, with milliseconds. */
  timestamp: string;
  /** The topic, if the message was published to one. */
  topic?: string;
  /** Its place in the topic's history, if the topic keeps one. */
  offset?: number;
  /** The `traceparent` of the publish, if the server passes on traces. */
  trace?: string;
}

/** The first frame of an authenticated connection. */
export interface WelcomeFrame {
  type: 'realtime:welcome';
  payload: {
    connectionId: string;
    userId: string;
    /** End of the connection, as a timestamp. Missing if it does not end with its token. */
    expiresAt?: string;
    /** Interval between two pings of the server, in milliseconds. */
    heartbeatMs: number;
    /** Maximum size of a command, in bytes. Missing if there is no limit. */
    maxMessageBytes?: number;
  };
  timestamp: string;
}

/** A subscription is active. Without `id`: begun by the server, or publications were missed. */
export interface SubscribedFrame {
  type: 'realtime:subscribed';
  id?: string | number;
  payload: {
    topic: string;
    /** With `offset`, the position behind which everything arrives. Only for a topic with a history. */
    epoch?: string;
    offset?: number;
    /** Whether everything that was missed follows. Missing if nothing was to be recovered. */
    recovered?: boolean;
    /** What `allow({ data })` of the application gave. */
    data?: unknown;
  };
  timestamp: string;
}

/** A part of a topic's history. */
export interface HistoryFrame {
  type: 'realtime:history';
  id?: string | number;
  payload: {
    topic: string;
    /** With `offset`, the position of the topic's latest publication. */
    epoch: string;
    offset: number;
    publications: { type: string; payload?: unknown; timestamp: string; offset: number }[];
    /** True if the range has more: ask again with `since` at the last one. */
    more?: true;
  };
  timestamp: string;
}

/** A subscription has ended. Without `id`: by the server. */
export interface UnsubscribedFrame {
  type: 'realtime:unsubscribed';
  id?: string | number;
  payload: {
    topic: string;
    reason?: string;
    /** True if the cause is temporary: subscribe again. */
    retryable?: boolean;
  };
  timestamp: string;
}

/** A user came into a topic, with the first connection. */
export interface JoinedFrame {
  type: 'realtime:joined';
  payload: { topic: string; userId: string; info?: unknown };
  timestamp: string;
}

/** A user left a topic, with the last connection. */
export interface LeftFrame {
  type: 'realtime:left';
  payload: { topic: string; userId: string; info?: unknown };
  timestamp: string;
}

/** Another info is shown of a user in a topic. */
export interface UpdatedFrame {
  type: 'realtime:updated';
  payload: { topic: string; userId: string; info?: unknown };
  timestamp: string;
}

/** Changes of presence were missed: ask with `presence` who is in the topic. */
export interface PresenceResetFrame {
  type: 'realtime:presence-reset';
  payload: { topic: string };
  timestamp: string;
}

/** Messages of a topic were left out, because the client did not take them; later ones follow. */
export interface DroppedFrame {
  type: 'realtime:dropped';
  payload: { topic: string; count: number };
  timestamp: string;
}

/** Who is in a topic. */
export interface PresenceFrame {
  type: 'realtime:presence';
  id: string | number;
  payload: {
    topic: string;
    /** Each user once, in no particular order. The list may be limited; the counts are exact. */
    users: { userId: string; info?: unknown; connections: number }[];
    userCount: number;
    connectionCount: number;
  };
  timestamp: string;
}

/** What a handler returned, or one item of a stream. */
export interface ReplyFrame {
  type: 'realtime:reply';
  id: string | number;
  payload?: unknown;
  timestamp: string;
}

/** The end of a stream, or of a message that was cancelled. */
export interface CompleteFrame {
  type: 'realtime:complete';
  id: string | number;
  timestamp: string;
}

/** A token was accepted. */
export interface AuthenticatedFrame {
  type: 'realtime:authenticated';
  id?: string | number;
  payload: { userId: string; expiresAt?: string };
  timestamp: string;
}

/** The answer to `ping`. */
export interface PongFrame {
  type: 'realtime:pong';
  id?: string | number;
  timestamp: string;
}

/** The heartbeat of the server. It needs no answer. */
export interface PingFrame {
  type: 'realtime:ping';
  timestamp: string;
}

/** The token ends soon: send `auth` with a new one. */
export interface ExpiringFrame {
  type: 'realtime:expiring';
  payload: { expiresAt: string };
  timestamp: string;
}

/** Something failed. With `id`: the final answer to that command. */
export interface ErrorFrame {
  type: 'realtime:error';
  id?: string | number;
  payload: {
    /** One of the error codes, such as `FORBIDDEN`. */
    code: string;
    /** For people; may change. */
    message: string;
    /** Whether the same command may succeed later. */
    retryable: boolean;
    action?: string;
    topic?: string;
    /** Time after which a retry makes sense, in milliseconds. */
    retryAfterMs?: number;
    details?: unknown;
  };
  timestamp: string;
}

/** A frame of the protocol itself: its type begins with `realtime:`. */
export type SystemFrame =
  | WelcomeFrame
  | SubscribedFrame
  | HistoryFrame
  | UnsubscribedFrame
  | JoinedFrame
  | LeftFrame
  | UpdatedFrame
  | PresenceResetFrame
  | DroppedFrame
  | PresenceFrame
  | ReplyFrame
  | CompleteFrame
  | AuthenticatedFrame
  | PongFrame
  | PingFrame
  | ExpiringFrame
  | ErrorFrame;

/**
 * A frame of the plain protocol from the server to the client.
 *
 * ```ts
 * const isSystem = (frame: RealtimeFrame): frame is SystemFrame => frame.type.startsWith('realtime:');
 * const frame = JSON.parse(data) as RealtimeFrame;
 * if (!isSystem(frame)) show(frame.type, frame.payload);
 * else if (frame.type === 'realtime:error') console.warn(frame.payload.code);
 * ```
 */
export type RealtimeFrame = MessageFrame | SystemFrame;
