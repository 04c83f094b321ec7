import { setImmediate as nextTurn } from 'node:timers/promises';
import { TurnBudget } from '../../core/base/turn-budget.js';
import type { Disconnectable } from './connection-failure.js';

/** The average interval between two closes, in milliseconds: clients must not all reconnect at the same instant. */
const PACE_MS = 10;

/** The share of the drain time during which handlers are waited for; the rest is for closing handshakes. */
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
 * Each close begins at a random moment, within 10 ms times the number of connections and at most half of the time, so that
 * handlers have the other half. After four fifths of the time handlers are no longer waited for. At the end of the time the
 * remaining sockets are terminated. What concerns all of them is done in slices of 8 ms.
 * @param leaving connections whose socket is gone and whose hooks still run; they are waited for as well
 */
export async function drain(
  connections: ReadonlySet<Drainable>,
  leaving: ReadonlySet<Drainable>,
  timeoutMs: number,
): Promise<void> {
  const spreadMs = Math.min(connections.size * PACE_MS, timeoutMs / 2);
  const timers = Array.from(connections, (each) => setTimeout(() => each.retire(), Math.random() * spreadMs));
  const closeAll = () => void inSlices(connections, (each) => each.disconnect('SHUTDOWN'));
  timers.push(setTimeout(closeAll, timeoutMs * PATIENCE));
  const deadline = new Promise<void>((resolve) => timers.push(setTimeout(resolve, timeoutMs)));
  await Promise.race([Promise.all([...connections, ...leaving].map((each) => each.gone)), deadline]);
  timers.forEach(clearTimeout);
  await inSlices(connections, (each) => each.terminate());
}

/** Does something with each of them, and gives way to others in between. */
async function inSlices(connections: Iterable<Drainable>, act: (connection: Drainable) => void): Promise<void> {
  const budget = new TurnBudget(() => performance.now());
  budget.begin();
  for (const each of connections) {
    act(each);
    if (!budget.isSpent()) continue;
    await nextTurn();
    budget.begin();
  }
}
