import { markHandler } from './handler-metadata.js';

/**
 * Options of a message handler.
 * @publicApi
 */
export interface OnMessageOptions {
  /** With `false`, connections that are not subscribed to the topic may send messages too. Default true. */
  requireSubscription?: boolean;
}

/**
 * Handles the messages of one type that clients send to the topic. A method may handle several types.
 *
 * The return value is the reply: a value, a promise of one, or an Observable. Every emission of an Observable is a reply,
 * until it completes or the client cancels or disconnects. An interceptor sees the Observable's emissions one by one; if it
 * turns a plain value into several emissions, the last one is the reply.
 *
 * The client receives an exception as an error: a `RealtimeError`, an `HttpException` or a `WsException` with its text,
 * anything else as `INTERNAL` without details (the log has the stack). A filter that catches the exception may throw one of
 * the three to translate it, return a value to reply with, or return nothing to leave it unchanged.
 *
 * `@MessageBody()` is the payload after the pipes; `@TopicParam()`, `@TopicName()` and `@CurrentConnection()` give the rest.
 * Without parameter decorators the method is called with `(connection, payload, context: RealtimeContext)`. The
 * payload goes through the pipes either way.
 *
 * @param type such as `say`; must not start with `realtime:`
 * @publicApi
 */
export function OnMessage(type: string, { requireSubscription = true }: OnMessageOptions = {}): MethodDecorator {
  return markHandler({ kind: 'message', type, requireSubscription });
}
