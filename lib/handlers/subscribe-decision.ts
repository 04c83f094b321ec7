import { HttpException } from '@nestjs/common';
import { isPermit, type AllowOptions } from '../decorators/subscription-permit.js';
import type { TopicDeliveryOptions } from '../decorators/topic-gateway.decorator.js';
import { stringifyWhole } from '../core/message/lost-in-json.js';
import { isUpdateRate, RATE_MESSAGE } from '../core/pace/delivery-options.js';
import { explainInfoSize } from '../core/presence/presence-info.js';
import { ERROR_CODES, type WireError } from '../core/protocol/error-code.js';
import { isTold } from './wire-error.js';

/** The extras of a permitted subscription, as JSON values. */
export interface SubscribeGrant {
  /** The info about the subscriber. */
  readonly info?: unknown;
  /** A value for the client, in the answer. */
  readonly data?: unknown;
  /** Maximum number of updates per second. */
  readonly maxRateHz?: number;
}

/** The decision about a subscription. */
export type SubscribeDecision =
  ({ readonly allowed: true } & SubscribeGrant) | { readonly allowed: false; readonly error: WireError };

/** Maximum size of the data for a client, as JSON in bytes. */
const MAX_DATA_BYTES = 65_536;

/**
 * Evaluates the result of an `@OnSubscribe()` method: `true`, a permit of `allow()`, or an object with `info` and no other field,
 * allows the subscription. Every other result denies it, so that a record that happens to have a field `info` allows nothing.
 * @param maxInfoBytes the largest size of the info as JSON
 * @throws TypeError when the info or the data is not representable in JSON
 * @throws RangeError when one is too large
 * @throws Error when the rate is invalid, or the topic delivers every message
 */
export function decideSubscribe(
  result: unknown,
  topic: string,
  maxInfoBytes: number,
  delivery?: TopicDeliveryOptions,
): SubscribeDecision {
  if (result === true) return { allowed: true };
  if (isPermit(result))
    return {
      allowed: true,
      ...infoIn(result, maxInfoBytes),
      ...dataIn(result),
      ...rateIn(result, delivery),
    };
  if (typeof result === 'object' && result !== null) {
    const keys = Object.keys(result);
    if (keys.length === 1 && keys[0] === 'info') {
      return { allowed: true, ...infoIn(result, maxInfoBytes) };
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

function rateIn({ maxRateHz }: AllowOptions, delivery: TopicDeliveryOptions | undefined): SubscribeGrant {
  if (maxRateHz === undefined) return {};
  if (delivery?.slow !== 'latest') throw new Error("maxRateHz works only in topics with delivery: { slow: 'latest' }");
  if (!isUpdateRate(maxRateHz)) throw new Error(`maxRateHz ${RATE_MESSAGE}`);
  return { maxRateHz };
}

function infoIn({ info }: SubscribeGrant, maxBytes: number): SubscribeGrant {
  const text = asCarried('info', info);
  if (text === undefined) return {};
  const tooLarge = explainInfoSize(Buffer.byteLength(text), maxBytes);
  if (tooLarge !== undefined) throw new RangeError(`info ${tooLarge}`);
  return { info: JSON.parse(text) as unknown };
}

function dataIn({ data }: SubscribeGrant): SubscribeGrant {
  const text = asCarried('data', data);
  if (text === undefined) return {};
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_DATA_BYTES)
    throw new RangeError(`data has ${bytes} bytes as JSON, and ${MAX_DATA_BYTES} are allowed`);
  return { data: JSON.parse(text) as unknown };
}

/** The text of a JSON copy, the same on every node: later changes by the application to its own object have no effect. */
function asCarried(name: 'info' | 'data', value: unknown): string | undefined {
  const { text, loss } = stringifyWhole(value);
  if (loss) throw new TypeError(`${name}${loss.path} is ${loss.what}`);
  return text;
}
