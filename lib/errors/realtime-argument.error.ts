import { describeProblems, type Problem } from '../core/base/problem.js';
import { RealtimeError } from './realtime.error.js';

/**
 * An invalid argument in a call to the package, such as an empty user id, a message without a type, or a payload that JSON
 * cannot represent. Nothing was sent. The code is `VALIDATION_FAILED`.
 * @publicApi
 */
export class RealtimeArgumentError extends RealtimeError {
  override readonly name = 'RealtimeArgumentError';

  constructor(
    /** The problems found, each with the argument's name in `at`. */
    readonly problems: readonly Problem[],
    cause?: unknown,
  ) {
    super('VALIDATION_FAILED', describeProblems(problems), { details: problems, cause });
  }

  /** Name of the first invalid argument. */
  get argument(): string {
    return this.problems[0]?.at ?? 'argument';
  }
}
