import { SafeLogger } from '../errors/safe-logger.js';

const logger = new SafeLogger('RealtimeHandlers');

/** Logs an unexpected failure: only the stack, because other fields of an error may contain requests and their tokens. */
export function logFailure(what: string, thrown: unknown): void {
  if (thrown instanceof Error) logger.error(what, thrown.stack);
  else logger.error(`${what}: ${typeof thrown === 'string' ? thrown : `a thrown ${typeof thrown}`}`);
}

/** Logs an intentional refusal that no client waits for. */
export function logRefusal(what: string): void {
  logger.warn(what);
}
