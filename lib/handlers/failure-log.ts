import { SafeLogger } from '../errors/safe-logger.js';

const logger = new SafeLogger('RealtimeHandlers');

/** Logs what went wrong unforeseen: the stack alone, for other fields of an error may hold requests and their tokens. */
export function logFailure(what: string, thrown: unknown): void {
  if (thrown instanceof Error) logger.error(what, thrown.stack);
  else logger.error(`${what}: ${typeof thrown === 'string' ? thrown : `a thrown ${typeof thrown}`}`);
}

/** Logs what was refused on purpose where no client waits to be told. */
export function logRefusal(what: string): void {
  logger.warn(what);
}
