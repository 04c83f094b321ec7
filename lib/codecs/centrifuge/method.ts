import type { CommandId } from '../../core/protocol/command.js';

/** The methods of the protocol. If a command names several, the first one in this list counts. */
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

const STREAM = 'stream:';

/** Returns the id under which the package knows the stream that a call asked for. */
export function streamIdOf(id: number): CommandId {
  return `${STREAM}${id}`;
}

/** Splits an id made by {@link streamIdOf}. @returns nothing for the id of a command */
export function streamIn(id: CommandId | undefined): number | undefined {
  return typeof id === 'string' && id.startsWith(STREAM) ? Number(id.slice(STREAM.length)) : undefined;
}

/** The command that a reply answers, and the name of the reply's field. */
export interface ReplyTo {
  readonly id: number;
  readonly method: Method;
  /** False if the client sent no token in the command, so that it cannot renew one. */
  readonly hasToken: boolean;
}

const WITHOUT_TOKEN = '-';

/**
 * Returns the id under which the package knows a command. A reply needs the name of its command; the id contains it, so
 * that the codec stays stateless.
 */
export function commandIdOf(method: Method, id: number, hasToken = true): CommandId {
  return `${hasToken ? '' : WITHOUT_TOKEN}${method}:${id}`;
}

/** Splits an id made by {@link commandIdOf}. */
export function replyTo(id: CommandId): ReplyTo {
  const text = String(id);
  const colon = text.lastIndexOf(':');
  const hasToken = !text.startsWith(WITHOUT_TOKEN);
  return { id: Number(text.slice(colon + 1)), method: text.slice(hasToken ? 0 : 1, colon) as Method, hasToken };
}
