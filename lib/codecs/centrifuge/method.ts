import type { CommandId } from '../../core/protocol/command.js';

/** What a client may ask for, in the order in which the first one counts. */
export const METHODS = [
  'connect',
  'subscribe',
  'unsubscribe',
  'publish',
  'presence',
  'presence_stats',
  'history',
  'ping',
  'send',
  'rpc',
  'refresh',
  'sub_refresh',
] as const;

/** The name of a command, and of the field in its reply. */
export type Method = (typeof METHODS)[number];

/** What a reply has to be written as: to which command, and under what name. */
export interface ReplyTo {
  readonly id: number;
  readonly method: Method;
  /** False when a client brought no token of its own, and so cannot bring another one. */
  readonly hasToken: boolean;
}

const WITHOUT_TOKEN = '-';

/**
 * The id by which the package knows a command. A reply is written under its command's name, so the name travels in the
 * id, and nothing has to be remembered about commands that are under way.
 */
export function commandIdOf(method: Method, id: number, hasToken = true): CommandId {
  return `${hasToken ? '' : WITHOUT_TOKEN}${method}:${id}`;
}

/** What {@link commandIdOf} has put together. */
export function replyTo(id: CommandId): ReplyTo {
  const text = String(id);
  const colon = text.lastIndexOf(':');
  const hasToken = !text.startsWith(WITHOUT_TOKEN);
  return { id: Number(text.slice(colon + 1)), method: text.slice(hasToken ? 0 : 1, colon) as Method, hasToken };
}
