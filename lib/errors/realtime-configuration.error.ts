import { isInstanceByBrand } from './error-brand.js';

const BRAND = Symbol.for('nestjs-realtime:RealtimeConfigurationError');

/**
 * A configuration error: an invalid option, handler or adapter. It stops the boot; the text names the fault and the
 * correction.
 * @publicApi
 */
export class RealtimeConfigurationError extends Error {
  override readonly name = 'RealtimeConfigurationError';

  /** @internal */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isInstanceByBrand(this, RealtimeConfigurationError, BRAND, value);
  }
}

Object.defineProperty(RealtimeConfigurationError.prototype, BRAND, { value: true });
