import { from, isObservable, lastValueFrom } from 'rxjs';
import { logFailure } from './failure-log.js';
import type { BoundHandler } from './handler-pipeline.js';
import type { HandlerArgs } from './handler-args.js';
import { isTold } from './wire-error.js';

/** The result of the exception filters. */
export interface Filtered {
  /** True when a filter returned a value in the exception's place. */
  readonly handled: boolean;
  readonly value?: unknown;
  /** The exception that stands, translated or not. */
  readonly exception: unknown;
}

/**
 * Asks the exception filters of a handler: the method's, its class's, then the global ones; the first that catches the
 * exception's class decides.
 *
 * - It throws a `RealtimeError`, `HttpException` or `WsException` (or rejects with, returns, or returns an Observable
 *   that fails with one): the exception is translated.
 * - It returns another value than `undefined`, or a promise or an Observable of one: that value stands in for the exception.
 * - It returns nothing: the exception stands. So a filter may log, and so `BaseWsExceptionFilter` does no harm.
 * - It throws, as a filter for HTTP does when it looks for a response: that is logged, and the original exception stays.
 *
 * @param name `Class.method`
 */
export async function filterException(
  handler: BoundHandler,
  exception: unknown,
  args: HandlerArgs,
  name: string,
): Promise<Filtered> {
  try {
    const output: unknown = await handler.filter(exception, args);
    const value: unknown = isObservable(output)
      ? await lastValueFrom(from(output), { defaultValue: undefined })
      : output;
    // A filter for GraphQL returns the exception to report.
    if (value instanceof Error) throw value;
    return { handled: value !== undefined, value, exception };
  } catch (thrown) {
    if (thrown === exception || isTold(thrown)) return { handled: false, exception: thrown };
    logFailure(`An exception filter of ${name} failed`, thrown);
    return { handled: false, exception };
  }
}
