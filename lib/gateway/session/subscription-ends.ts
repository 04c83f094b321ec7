import type { ErrorCode, WireError } from '../../core/protocol/error-code.js';

/** A command about a subscription that is under way. */
export interface EndWatch {
  readonly topic: string;
  /** The error that has ended the subscription meanwhile. */
  code?: ErrorCode;
}

/** Notes what ends subscriptions while commands about them are under way, so that the answers say whether a retry may succeed. */
export class SubscriptionEnds {
  readonly #watches = new Set<EndWatch>();

  /** Begins to watch a subscription; {@link unwatch} has to follow. */
  watch(topic: string): EndWatch {
    const watch: EndWatch = { topic };
    this.#watches.add(watch);
    return watch;
  }

  unwatch(watch: EndWatch): void {
    this.#watches.delete(watch);
  }

  /** Notes the error that ends a subscription. The first one counts. */
  note(topic: string, code: ErrorCode): void {
    for (const watch of this.#watches) if (watch.topic === topic) watch.code ??= code;
  }
}

/** Returns the error for a command whose subscription has ended. An end without an error is the application's wish, which is final. */
export function endedError({ topic, code = 'FORBIDDEN' }: EndWatch): WireError {
  return { code, message: 'The subscription ended while this command was under way.', action: 'subscribe', topic };
}
