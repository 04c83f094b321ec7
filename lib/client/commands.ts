/** Subscribes to a topic. */
export interface SubscribeCommand {
  action: 'subscribe';
  /** Comes back on the answer: 1 to 64 characters, or a safe integer. Without it only errors are answered. */
  id?: string | number;
  topic: string;
  /** For `@OnSubscribe()`. */
  payload?: unknown;
  /** The last known position: asks for what was missed since. An empty `epoch` stands for the current one. */
  recover?: { epoch: string; offset: number };
  /** At most so many of the topic's last publications, 0 for none. Default: as many as the topic sends. */
  last?: number;
  /** Whether joins, leaves and updates of the topic are told. Default false, or as before. */
  presence?: boolean;
  /**
   * Maximum number of updates per second, 0.1 to 1,000, in a topic that sends the latest values. It is rounded down to one of 30 steps.
   * Default: the topic's, or as before.
   */
  maxRateHz?: number;
  /** The `traceparent` of the client's span. */
  trace?: string;
}

/** Ends a subscription. */
export interface UnsubscribeCommand {
  action: 'unsubscribe';
  id?: string | number;
  topic: string;
  trace?: string;
}

/** Sends a message to the handler of a topic. */
export interface MessageCommand {
  action: 'message';
  id?: string | number;
  topic: string;
  /** Selects the `@OnMessage()` method. */
  type: string;
  payload?: unknown;
  /** With true, `realtime:complete` follows a single reply, too. */
  stream?: boolean;
  trace?: string;
}

/** Reads the history of a topic. */
export interface HistoryCommand {
  action: 'history';
  id?: string | number;
  topic: string;
  /** Maximum number of publications; 0 reads only the position. */
  limit?: number;
  /** Reads publications after this position; with `reverse`, those before it. */
  since?: { epoch: string; offset: number };
  /** With true, the latest come first. */
  reverse?: boolean;
  trace?: string;
}

/** Cancels a message that runs or waits. */
export interface CancelCommand {
  action: 'cancel';
  /** The id of the message. */
  id: string | number;
  trace?: string;
}

/** Asks who is in a topic. */
export interface PresenceCommand {
  action: 'presence';
  id?: string | number;
  topic: string;
  trace?: string;
}

/** Presents a token: as the first command, or a newer one. */
export interface AuthCommand {
  action: 'auth';
  id?: string | number;
  token: string;
  trace?: string;
}

/** Asks for a `realtime:pong`. */
export interface PingCommand {
  action: 'ping';
  id?: string | number;
  trace?: string;
}

/**
 * A frame of the plain protocol from the client to the server.
 *
 * ```ts
 * const command: RealtimeCommand = { action: 'subscribe', id: 1, topic: 'chat:lobby' };
 * socket.send(JSON.stringify(command));
 * ```
 */
export type RealtimeCommand =
  | SubscribeCommand
  | UnsubscribeCommand
  | MessageCommand
  | HistoryCommand
  | CancelCommand
  | PresenceCommand
  | AuthCommand
  | PingCommand;
