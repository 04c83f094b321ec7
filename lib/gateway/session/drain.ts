import type { Disconnectable } from './connection-failure.js';

/** The average distance of two closes, in milliseconds: clients must not all reconnect in one instant. */
const PACE_MS = 10;

/** The part of the time after which handlers are not waited for any longer; the rest is for closing properly. */
const PATIENCE = 0.8;

/** A connection that can be drained. */
export interface Drainable extends Disconnectable {
  /** Fulfils once the socket is gone and the application's hooks have run. */
  readonly gone: Promise<void>;
  /** Stops reading, answers the commands that were read, and asks the client to reconnect elsewhere. */
  retire(): void;
  /** Ends the socket at once. */
  terminate(): void;
}

/**
 * Ends all connections with "server is shutting down, please reconnect", each as soon as its commands are answered.
 *
 * Each begins at a random moment: within 10 ms for every connection there is, and within half of the time at most, so that
 * handlers have the other half. After four fifths of the time handlers are not waited for; at its end the sockets that are
 * left are ended at once.
 * @param leaving connections whose socket is gone and whose hooks still run; they are waited for as well
 */
export async function drain(
  connections: ReadonlySet<Drainable>,
  leaving: ReadonlySet<Drainable>,
  timeoutMs: number,
): Promise<void> {
  const spreadMs = Math.min(connections.size * PACE_MS, timeoutMs / 2);
  const timers = Array.from(connections, (each) => setTimeout(() => each.retire(), Math.random() * spreadMs));
  const closeAll = () => connections.forEach((each) => each.disconnect('SHUTDOWN'));
  timers.push(setTimeout(closeAll, timeoutMs * PATIENCE));
  const deadline = new Promise<void>((resolve) => timers.push(setTimeout(resolve, timeoutMs)));
  await Promise.race([Promise.all([...connections, ...leaving].map((each) => each.gone)), deadline]);
  timers.forEach(clearTimeout);
  for (const each of connections) each.terminate();
}
