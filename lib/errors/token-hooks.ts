import { isPromise, type Awaitable } from '../core/base/awaitable.js';
import { RareLines } from '../core/base/rare-lines.js';
import { authFailureOf, describeFailure, realtimeCodeOf, type FailureSource } from '../core/protocol/auth-failure.js';
import { RealtimeError } from './realtime.error.js';

/** The destination of log lines about failures, such as a Nest `Logger`. */
export interface FailureLog {
  error(text: string, stack?: string): void;
}

/** A failure of one kind is logged again after this time, in milliseconds. */
const LOG_AGAIN_MS = 60_000;

/** Errors created here, which must not be logged again when they are passed on. */
const judged = new WeakSet<RealtimeError>();

/**
 * Runs the application's functions that judge tokens, and turns their failures into errors for the client;
 * `authFailureOf` in `core` decides which. Failures that say nothing about the token are logged with names, codes and
 * call sites, without texts, once a minute per kind.
 */
export class TokenHooks {
  // Names and codes of errors come from the application, without a bound.
  readonly #lines = new RareLines(LOG_AGAIN_MS);

  /** @param now milliseconds, from any clock */
  constructor(
    private readonly log: FailureLog,
    private readonly now: () => number,
  ) {}

  /**
   * Runs one of these functions.
   * @returns what it returns
   * @throws RealtimeError `UNAUTHENTICATED`, `TOKEN_EXPIRED`, `FORBIDDEN` or `UNAVAILABLE` when it throws, and rejects with one
   *   when its promise rejects
   */
  run<T>(source: FailureSource, work: () => Awaitable<T>): Awaitable<T> {
    try {
      const result = work();
      return isPromise(result) ? this.awaited(source, result) : result;
    } catch (error) {
      throw this.failure(error, source);
    }
  }

  /**
   * Waits for the result of one of these functions.
   * @throws RealtimeError as {@link run} does, when the promise rejects
   */
  async awaited<T>(source: FailureSource, result: Promise<T>): Promise<T> {
    try {
      return await result;
    } catch (error) {
      throw this.failure(error, source);
    }
  }

  /**
   * Asks the application whether a token was revoked.
   * @throws RealtimeError `UNAUTHENTICATED` if it was; the error of {@link run} if the check fails
   */
  async assertNotRevoked(isRevoked: () => Promise<boolean>): Promise<void> {
    if (await isRevoked()) throw new RealtimeError('UNAUTHENTICATED', 'The token has been revoked.');
  }

  /**
   * The error that tells a client about a failure. A `RealtimeError` with the resulting code is kept; no part of any other
   * error is, because its text may quote the token.
   */
  failure(error: unknown, source: FailureSource): RealtimeError {
    if (error instanceof RealtimeError && judged.has(error)) return error;
    const code = authFailureOf(error, source);
    if (code === 'UNAVAILABLE') this.#report(error, source);
    const told = realtimeCodeOf(error) === code ? (error as RealtimeError) : new RealtimeError(code, TEXTS[code]);
    judged.add(told);
    return told;
  }

  /**
   * The error for a client when one of them returned a value that cannot be used, which says nothing about the token.
   * @param fault what is wrong with it; logged, so nothing of the value may be in it
   */
  unusable(source: FailureSource, fault: string): RealtimeError {
    this.#logOnce(`${source} returned a value that cannot be used, so nobody is let in (UNAVAILABLE): ${fault}`);
    const told = new RealtimeError('UNAVAILABLE', TEXTS.UNAVAILABLE);
    judged.add(told);
    return told;
  }

  #report(error: unknown, source: FailureSource): void {
    // A verifier that knows what it waits for has said so itself.
    if (source === 'JwtVerifier' && realtimeCodeOf(error) === 'UNAVAILABLE') return;
    const text = `${source} failed, so tokens cannot be verified (UNAVAILABLE): ${describeFailure(error)}`;
    this.#logOnce(text, callSitesOf(error));
  }

  #logOnce(text: string, callSites?: string): void {
    if (this.#lines.add(text, this.now()) !== undefined) this.log.error(text, callSites);
  }
}

const TEXTS = {
  UNAUTHENTICATED: 'The token is not valid.',
  TOKEN_EXPIRED: 'The token has expired; get a new one and try again.',
  FORBIDDEN: 'This user may not connect.',
  UNAVAILABLE: 'The token cannot be verified at the moment; try again.',
} as const;

/** The lines of a stack without the text before them. */
function callSitesOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || typeof error.stack !== 'string') return undefined;
  const { stack, message } = error;
  const start = stack.indexOf(message);
  if (start < 0) return undefined;
  const sites = stack
    .slice(start + message.length)
    .split('\n')
    .filter((line) => /^ {4}at /.test(line));
  return sites.length === 0 ? undefined : sites.join('\n');
}
