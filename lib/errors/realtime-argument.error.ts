import { describeProblems, type Problem } from '../core/base/problem.js';
import { isInstanceByBrand } from './error-brand.js';
import { RealtimeError } from './realtime.error.js';

const BRAND = Symbol.for('nestjs-realtime:RealtimeArgumentError');

/**
 * An invalid argument in a call to the package, such as an empty user id, a message without a type, or a payload that JSON
 * cannot represent. Nothing was sent. The code is `VALIDATION_FAILED`. If a controller does not catch it, the answer is a 500:
 * the mistake is the application's, not that of the party that sent the request.
 * @publicApi
 */
export class RealtimeArgumentError extends RealtimeError {
  override readonly name = 'RealtimeArgumentError';

  /** @internal */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isInstanceByBrand(this, RealtimeArgumentError, BRAND, value);
  }

  constructor(
    /** The problems found, each with the argument's name in `at`. */
    readonly problems: readonly Problem[],
    cause?: unknown,
  ) {
    super('VALIDATION_FAILED', describeProblems(problems), { details: problems, cause });
  }

  /** Always `undefined`: a 500. */
  override get statusCode(): undefined {
    return undefined;
  }

  /** Name of the first invalid argument. */
  get argument(): string {
    return this.problems[0]?.at ?? 'argument';
  }
}

Object.defineProperty(RealtimeArgumentError.prototype, BRAND, { value: true });
