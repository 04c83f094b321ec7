import type { StreamPosition } from '../history/history.js';

/** What a client chose to tell its commands apart: a string of 1 to 64 characters or a safe integer. */
export type CommandId = string | number;

/** Most characters of a command id that is a string. */
export const MAX_COMMAND_ID_LENGTH = 64;

/** What a client may ask for, whatever its codec. */
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
  /** Comes back on exactly one final answer; without it only errors are said. */
  readonly id?: CommandId | undefined;
}

/** Receive what is published to a topic. */
export interface SubscribeCommand extends BaseCommand {
  readonly action: 'subscribe';
  readonly topic: string;
  /** Handed to `@OnSubscribe`. */
  readonly payload?: unknown;
  /** Where the client left the topic: what it has missed since then is to follow. */
  readonly recover?: StreamPosition | undefined;
  /** Also tell who joins and who leaves, or tell it no longer. Left out: not, or as before. */
  readonly presence?: boolean | undefined;
  /** A token for this topic; the subscription ends with its life. */
  readonly token?: string | undefined;
  /** True: there is a subscription already, and only its token is replaced. */
  readonly renews?: boolean | undefined;
}

/** Receive it no longer. */
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
  /** True where a client takes one reply: of many, it gets the last. */
  readonly single?: boolean | undefined;
}

/** Asks for what was published to a topic. */
export interface HistoryCommand extends BaseCommand {
  readonly action: 'history';
  readonly topic: string;
  /** Most publications; 0 asks for the position alone. */
  readonly limit?: number | undefined;
  /** Those behind it; in reverse, those before it. An empty epoch stands for whichever there is. */
  readonly since?: StreamPosition | undefined;
  /** The latest first. */
  readonly reverse?: boolean | undefined;
}

/** Ends the running message with this id. */
export interface CancelCommand {
  readonly action: 'cancel';
  readonly id: CommandId;
}

/** Who is in the topic? */
export interface PresenceCommand extends BaseCommand {
  readonly action: 'presence';
  readonly topic: string;
}

/** Authenticates, or renews the token of an authenticated connection. */
export interface AuthCommand extends BaseCommand {
  readonly action: 'auth';
  /** Empty when the one of the upgrade request counts. */
  readonly token: string;
  /** Where the client left topics that the server had put it in, by topic: what it has missed since then is to follow. */
  readonly recover?: ReadonlyMap<string, StreamPosition> | undefined;
  /** Only as the first command, or only later; both when left out. */
  readonly stage?: 'opening' | 'renewal' | undefined;
}

/** Asks for a sign of life. */
export interface PingCommand extends BaseCommand {
  readonly action: 'ping';
}

/** The answer to a ping of the server, where the protocol has one. */
export interface PongCommand extends BaseCommand {
  readonly action: 'pong';
}
