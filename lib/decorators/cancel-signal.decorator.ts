import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { HandlerContext, realtimeContextOf } from './realtime-context.js';

/** Finds the value of the parameter; the explorer recognises the decorator by this function. */
export function cancelSignalOf(_data: unknown, context: ExecutionContext): AbortSignal | undefined {
  return (realtimeContextOf(context) as HandlerContext | undefined)?.cancelSignal();
}

const decorate = createParamDecorator(cancelSignalOf);

/**
 * Injects an `AbortSignal` into an `@OnMessage()` method; anywhere else in a topic gateway or connection hook it stops the boot, and
 * on an HTTP route it is `undefined`. It is aborted when the client cancels the message, leaves the topic or disconnects, and when the node drains: streams end with their
 * connection, and handlers of one value after four fifths of `drain.timeoutMs`. Its `reason` is a `RealtimeCancelledError`.
 *
 * ```ts
 * @OnMessage('ask')
 * async *ask(@MessageBody() prompt: string, @CancelSignal() signal: AbortSignal) {
 *   for await (const token of this.model.stream(prompt, { signal })) yield token;
 * }
 * ```
 *
 * A handler of one value that takes the signal is cancelled when its connection leaves the topic; without the signal it goes on.
 * @publicApi
 */
export function CancelSignal(): ParameterDecorator {
  return decorate();
}
