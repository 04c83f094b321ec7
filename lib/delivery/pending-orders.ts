import { TurnBudget } from '../core/base/turn-budget.js';

/** From so many connections on, an order is carried out in slices. */
export const MANY_CONNECTIONS = 256;

/** Carries out an order for one connection; `undefined` for one that has gone. Never throws. */
type CarryOut = (connectionId: string) => void;

interface PendingOrder {
  readonly left: Set<string>;
  readonly carryOut: CarryOut;
  readonly done: () => void;
}

/**
 * Orders for many connections, carried out in slices of 8 ms, in the order in which they were given. Whatever else is for a
 * connection must not overtake its orders: {@link catchUp} carries them out before it.
 */
export class PendingOrders {
  readonly #orders: PendingOrder[] = [];
  readonly #budget: TurnBudget;

  /** @param now milliseconds of a clock that does not go back */
  constructor(now: () => number = () => performance.now()) {
    this.#budget = new TurnBudget(now);
  }

  /** True when there is nothing to catch up on, as nearly always. */
  get isEmpty(): boolean {
    return this.#orders.length === 0;
  }

  /** Begins to carry out an order; the first slice begins at once. @returns a promise for its end */
  add(connectionIds: Iterable<string>, carryOut: CarryOut): Promise<void> {
    return new Promise((done) => {
      this.#orders.push({ left: new Set(connectionIds), carryOut, done });
      if (this.#orders.length === 1) this.#work();
    });
  }

  /** Carries out the orders that a connection has still to be given. */
  catchUp(connectionId: string): void {
    for (const { left, carryOut } of this.#orders) if (left.delete(connectionId)) carryOut(connectionId);
  }

  readonly #work = (): void => {
    this.#budget.begin();
    for (let order = this.#orders[0]; order; order = this.#orders[0]) {
      for (const connectionId of order.left) {
        order.left.delete(connectionId);
        order.carryOut(connectionId);
        if (!this.#budget.isSpent()) continue;
        setImmediate(this.#work);
        return;
      }
      this.#orders.shift();
      order.done();
    }
  };
}
