import type { StreamPosition } from '../history/history.js';

/** Id that a client gives a command: a string of 1 to 64 characters, or a safe integer. */
export type CommandId = string | number;

/** Maximum length of a command id that is a string, in characters. */
export const MAX_COMMAND_ID_LENGTH = 64;

/** A command of a client, independent of the codec. */
export type Command =
  | SubscribeCommand
  | UnsubscribeCommand
  | MessageCommand
  | HistoryCommand
  | CancelCommand
  | PresenceCommand
  | AuthCommand
  | PingCommand
  | PongCommand;

interface BaseCommand {
  /** Exactly one final answer carries this id. A command without an id is answered only by an error. */
  readonly id?: CommandId | undefined;
  /** The context of the client's span, as `traceparent`. */
  readonly trace?: string | undefined;
}

/** Subscribes to a topic. */
export interface SubscribeCommand extends BaseCommand {
  readonly action: 'subscribe';
  readonly topic: string;
  /** Passed to `@OnSubscribe`. */
  readonly payload?: unknown;
  /** The last position that the client knows; requests the publications that it missed since. */
  readonly recover?: StreamPosition | undefined;
  /** The number of latest publications to begin with, where nothing is recovered. Default, and at most: as many as the topic sends. */
  readonly last?: number | undefined;
  /**
   * Turns join and leave events on or off. If omitted: off, or unchanged for an existing subscription. With true, a topic
   * without presence refuses the subscription; with `if-kept` it is subscribed to without events.
   */
  readonly presence?: boolean | 'if-kept' | undefined;
  /** Maximum number of updates per second, in a topic that delivers the latest values. Default, and at most: that of the topic. */
  readonly maxRateHz?: number | undefined;
  /** True if the client wants an error instead of a subscription when `recover` fails. */
  readonly rejectsLoss?: boolean | undefined;
  /** A topic token; the subscription ends when it expires. */
  readonly token?: string | undefined;
  /** True if the subscription exists and only its token is to be replaced. */
  readonly renews?: boolean | undefined;
}

/** Unsubscribes from a topic. */
export interface UnsubscribeCommand extends BaseCommand {
  readonly action: 'unsubscribe';
  readonly topic: string;
}

/** A message for a topic's handler. */
export interface MessageCommand extends BaseCommand {
  readonly action: 'message';
  readonly topic: string;
  readonly type: string;
  readonly payload?: unknown;
  /** True if the client expects a single reply: of several, it gets the last. */
  readonly single?: boolean | undefined;
  /** Set if the client expects a stream of replies, whose end it is told in any case: a single reply is followed by one, too. */
  readonly stream?: MessageStream | undefined;
}

/** The key by which the replies to a message are told apart from others. */
export interface MessageStream {
  /** The id that items, end and error carry, and by which the message is cancelled. */
  readonly id: CommandId;
  /** Answers the command itself as soon as its handler is called; omitted if the items come under the id of the command. */
  readonly accepted?: unknown;
}

/** Requests publications of a topic's history. */
export interface HistoryCommand extends BaseCommand {
  readonly action: 'history';
  readonly topic: string;
  /** Maximum number of publications; 0 reads only the position. */
  readonly limit?: number | undefined;
  /** Reads publications after this position, or before it in reverse. An empty epoch stands for the current one. */
  readonly since?: StreamPosition | undefined;
  /** Returns the latest first. */
  readonly reverse?: boolean | undefined;
}

/** Cancels the running message with this id. */
export interface CancelCommand {
  readonly action: 'cancel';
  /** The id of the message. */
  readonly id: CommandId;
  /** The id of this command, if it wants an answer of its own. */
  readonly answers?: CommandId | undefined;
}

/** Requests the presence of a topic. */
export interface PresenceCommand extends BaseCommand {
  readonly action: 'presence';
  readonly topic: string;
}

/** Authenticates, or renews the token of an authenticated connection. */
export interface AuthCommand extends BaseCommand {
  readonly action: 'auth';
  /** The token; empty to use the token of the upgrade request. */
  readonly token: string;
  /** The last known positions in server-side subscriptions, by topic; requests the publications missed since. */
  readonly recover?: ReadonlyMap<string, StreamPosition> | undefined;
  /** Restricts the command to the first one of a connection, or to later ones; if omitted, both are allowed. */
  readonly stage?: 'opening' | 'renewal' | undefined;
}

/** A ping of the client; answered with a pong. */
export interface PingCommand extends BaseCommand {
  readonly action: 'ping';
}

/** The answer to the server's heartbeat ping, in protocols that have one. */
export interface PongCommand extends BaseCommand {
  readonly action: 'pong';
}
