import { HttpException } from '@nestjs/common';
import { stringifyWhole } from '../core/message/lost-in-json.js';
import { explainInfoSize } from '../core/presence/presence-info.js';
import { ERROR_CODES, type WireError } from '../core/protocol/error-code.js';
import { isTold } from './wire-error.js';

/** The decision about a subscription; `info` is the info about the subscriber that `@OnSubscribe()` returned, as a JSON value. */
export type SubscribeDecision =
  { readonly allowed: true; readonly info?: unknown } | { readonly allowed: false; readonly error: WireError };

/**
 * Evaluates the result of an `@OnSubscribe()` method: `true`, or an object with `info` and no other field, allows the
 * subscription. Every other result denies it, so that a record that happens to have a field `info` allows nothing.
 * @param maxInfoBytes the largest size of the info as JSON
 * @throws TypeError when the info is not representable in JSON
 * @throws RangeError when it is too large
 */
export function decideSubscribe(result: unknown, topic: string, maxInfoBytes: number): SubscribeDecision {
  if (result === true) return { allowed: true };
  if (typeof result === 'object' && result !== null) {
    const keys = Object.keys(result);
    if (keys.length === 1 && keys[0] === 'info') {
      return { allowed: true, ...asCarried(result as { info: unknown }, maxInfoBytes) };
    }
  }
  return {
    allowed: false,
    error: { code: 'FORBIDDEN', message: 'Not allowed to subscribe to this topic.', action: 'subscribe', topic },
  };
}

/**
 * The error for a client when `@OnSubscribe()` throws. An exception that is meant for the client is final: a `RealtimeError`, a
 * `WsException`, or an `HttpException` below 500. Everything else, such as a database that is down, is `UNAVAILABLE`, so the
 * client tries again.
 * @param error the exception's own error
 */
export function refusalOf(exception: unknown, error: WireError): WireError {
  const isFinal = isTold(exception) && !(exception instanceof HttpException && exception.getStatus() >= 500);
  if (isFinal || ERROR_CODES[error.code].retryable) return error;
  return { ...error, code: 'UNAVAILABLE', message: 'The subscription cannot be decided on at the moment; try again.' };
}

/** A JSON copy, the same on every node: later changes by the application to its own object have no effect. */
function asCarried({ info }: { readonly info: unknown }, maxBytes: number): { readonly info?: unknown } {
  const { text, loss } = stringifyWhole(info);
  if (loss) throw new TypeError(`${loss.path === '' ? 'it' : `info${loss.path}`} is ${loss.what}`);
  if (text === undefined) return {};
  const tooLarge = explainInfoSize(Buffer.byteLength(text), maxBytes);
  if (tooLarge !== undefined) throw new RangeError(`it ${tooLarge}`);
  return { info: JSON.parse(text) as unknown };
}
