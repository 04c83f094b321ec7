import { HttpException } from '@nestjs/common';
import { lostInJson } from '../core/message/message.js';
import { ERROR_CODES, type WireError } from '../core/protocol/error-code.js';
import { isTold } from './wire-error.js';

/** Whether a connection may subscribe to a topic; `info` is what `@OnSubscribe()` said about the subscriber, as JSON carries it. */
export type SubscribeDecision =
  { readonly allowed: true; readonly info?: unknown } | { readonly allowed: false; readonly error: WireError };

/**
 * Reads what an `@OnSubscribe()` method returned: `true`, or an object with `info` and nothing else, is a yes. Everything
 * else is a no, so that a record of the application that happens to have a field `info` opens nothing.
 * @throws TypeError when JSON cannot carry the info
 */
export function decideSubscribe(result: unknown, topic: string): SubscribeDecision {
  if (result === true) return { allowed: true };
  if (typeof result === 'object' && result !== null) {
    const keys = Object.keys(result);
    if (keys.length === 1 && keys[0] === 'info') return { allowed: true, ...asCarried(result as { info: unknown }) };
  }
  return {
    allowed: false,
    error: { code: 'FORBIDDEN', message: 'Not allowed to subscribe to this topic.', action: 'subscribe', topic },
  };
}

/**
 * What a client is told when `@OnSubscribe()` throws. An exception that says who is to blame is final: a `RealtimeError`, a
 * `WsException`, or an `HttpException` below 500. Everything else, such as a database that is down, is `UNAVAILABLE`, so the
 * client tries again.
 * @param error what the exception says by itself
 */
export function refusalOf(exception: unknown, error: WireError): WireError {
  const isFinal = isTold(exception) && !(exception instanceof HttpException && exception.getStatus() >= 500);
  if (isFinal || ERROR_CODES[error.code].retryable) return error;
  return { ...error, code: 'UNAVAILABLE', message: 'It cannot be decided at the moment; try again.' };
}

/** A copy, the same on every node: what the application does to its own object later changes nothing. */
function asCarried({ info }: { readonly info: unknown }): { readonly info?: unknown } {
  const lost = lostInJson(info);
  if (lost !== undefined) throw new TypeError(`it is ${lost}`);
  const text = JSON.stringify(info) as string | undefined;
  return text === undefined ? {} : { info: JSON.parse(text) as unknown };
}
