import { describeProblems, type Problem } from '../core/base/problem.js';
import { RealtimeError } from './realtime.error.js';

/**
 * A call to the package with an argument that cannot be right: an empty user id, a message without a type, a payload
 * that JSON cannot carry. Nothing was sent. Its code is `VALIDATION_FAILED`.
 * @publicApi
 */
export class InvalidArgumentError extends RealtimeError {
  override readonly name = 'InvalidArgumentError';

  constructor(
    /** What was wrong, each with the argument's name in `at`. */
    readonly problems: readonly Problem[],
    cause?: unknown,
  ) {
    super('VALIDATION_FAILED', describeProblems(problems), { details: problems, cause });
  }

  /** Name of the first argument that was wrong. */
  get argument(): string {
    return this.problems[0]?.at ?? 'argument';
  }
}
