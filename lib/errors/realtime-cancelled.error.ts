import { cancelText, type CancelReason } from '../core/protocol/cancel-reason.js';
import { isInstanceByBrand } from './error-brand.js';

const BRAND = Symbol.for('nestjs-realtime:RealtimeCancelledError');

/**
 * The `reason` of the signal that `@CancelSignal()` injects, once it is aborted; `fetch` and the like reject with it. Its name is
 * `AbortError`, by which libraries know a cancel from a failure. A handler that rejects with it after a cancel is not logged.
 * @publicApi
 */
export class RealtimeCancelledError extends Error {
  override readonly name = 'AbortError';

  /** @internal */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isInstanceByBrand(this, RealtimeCancelledError, BRAND, value);
  }

  constructor(
    /** Why the handler was cancelled. */
    readonly reason: CancelReason,
  ) {
    super(cancelText(reason));
  }
}

Object.defineProperty(RealtimeCancelledError.prototype, BRAND, { value: true });
