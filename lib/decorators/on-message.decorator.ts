import { markHandler } from './handler-metadata.js';

/**
 * How messages of a type are taken.
 * @publicApi
 */
export interface OnMessageOptions {
  /** `false` takes messages from connections that are not subscribed to the topic, too. Default true. */
  requireSubscription?: boolean;
}

/**
 * Handles the messages of one type that clients send to the topic. A method may handle several types.
 *
 * What it returns is the reply: a value, a promise of one, or an Observable, whose every emission is a reply, until
 * it completes or the client cancels or disconnects. An interceptor sees the Observable's emissions one by one; around a
 * plain value its last emission is the reply.
 *
 * What it throws reaches the client as an error: a `RealtimeError`, an `HttpException` or a `WsException` with its text,
 * anything else as `INTERNAL` with nothing told (the log has the stack). A filter that catches the exception may throw
 * one of the three to translate it, return a value to reply with, or return nothing to leave it as it is.
 *
 * `@MessageBody()` gives the payload, through the pipes; `@TopicParam()`, `@TopicName()` and `@CurrentConnection()` the
 * rest. Without parameter decorators the method is called with `(connection, payload, context: RealtimeContext)`.
 *
 * @param type such as `say`; must not start with `realtime:`
 * @publicApi
 */
export function OnMessage(type: string, { requireSubscription = true }: OnMessageOptions = {}): MethodDecorator {
  return markHandler({ kind: 'message', type, requireSubscription });
}
