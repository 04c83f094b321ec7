import { RareLines } from '../core/base/rare-lines.js';
import { SafeLogger } from '../errors/safe-logger.js';

/** The shortest time between two lines about failures of one kind of a hook, in milliseconds. */
const INTERVAL_MS = 10_000;

const logger = new SafeLogger('RealtimeHandlers');
const hookFailures = new RareLines(INTERVAL_MS);

/** Logs an unexpected failure: only the stack, because other fields of an error may contain requests and their tokens. */
export function logFailure(what: string, thrown: unknown): void {
  if (thrown instanceof Error) logger.error(what, thrown.stack);
  else logger.error(`${what}: ${typeof thrown === 'string' ? thrown : `a thrown ${typeof thrown}`}`);
}

/**
 * Logs an unexpected failure of a hook. A crowd that comes back shares one cause, such as a database that is away: of each kind the first
 * failure is logged at once, then at most one in 10 seconds with the number of the others.
 */
export function logHookFailure(what: string, thrown: unknown): void {
  const reason = thrown instanceof Error ? thrown.message : typeof thrown;
  const leftOut = hookFailures.add(`${what}: ${reason}`, performance.now());
  if (leftOut === undefined) return;
  logFailure(leftOut === 0 ? what : `${what} (${leftOut} more since the last line about it)`, thrown);
}

/** Logs an intentional refusal that no client waits for. */
export function logRefusal(what: string): void {
  logger.warn(what);
}
