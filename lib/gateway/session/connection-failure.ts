import type { CloseCodeName } from '../../core/protocol/close-code.js';
import { RepeatedFailures } from '../../errors/repeated-failures.js';

const failures = new RepeatedFailures('RealtimeGateway', 'A connection failed');

/** A connection that can be ended. */
export interface Disconnectable {
  disconnect(code: CloseCodeName): void;
}

/** Logs a failure and ends the connection: it must reach neither another connection nor the process. */
export function endFailed(connection: Disconnectable, error: unknown): void {
  failures.say(error);
  connection.disconnect('SERVER_ERROR');
}

/** Ends the connection if its background work fails. @param work nothing if it is done already */
export function endIfFails(connection: Disconnectable, work: void | Promise<void>): void {
  work?.catch((error: unknown) => endFailed(connection, error));
}
