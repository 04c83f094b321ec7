import type { WireError } from '../core/error-code.js';

/** Whether a connection may subscribe to a topic; `info` is what `@OnSubscribe()` said about the subscriber. */
export type SubscribeDecision =
  { readonly allowed: true; readonly info?: unknown } | { readonly allowed: false; readonly error: WireError };

/**
 * Reads what an `@OnSubscribe()` method returned: `true`, or an object with `info` and nothing else, is a yes. Everything
 * else is a no, so that a record of the application that happens to have a field `info` opens nothing.
 */
export function decideSubscribe(result: unknown, topic: string): SubscribeDecision {
  if (result === true) return { allowed: true };
  if (typeof result === 'object' && result !== null) {
    const keys = Object.keys(result);
    if (keys.length === 1 && keys[0] === 'info') return { allowed: true, info: (result as { info: unknown }).info };
  }
  return {
    allowed: false,
    error: { code: 'FORBIDDEN', message: 'Not allowed to subscribe to this topic.', action: 'subscribe', topic },
  };
}
