import type { DeliveryTarget } from './delivery-target.js';
import { MANY_RECIPIENTS, type FanOuts } from './fan-outs.js';

/** The readers that something is done for. */
export type ReaderIds = ReadonlySet<string> | ReadonlyMap<string, unknown>;

/** What passes over the readers of a topic need. */
interface PassEffects {
  /** The readers that can be served now. It is live. */
  readonly ready: ReaderIds;
  /** The number of values that a reader may have to be given. */
  readonly updates: number;
  /** Gives a reader what it has not got yet. Must not throw. */
  serve(id: string): void;
  /** A pass is over. */
  passed(): void;
}

/** The work of handing a message to a reader, in steps of a fan-out. */
const UPDATE_WEIGHT = 0.25;

/**
 * Passes over the readers of a topic, one after the other, in slices if much is to be handed out. Those to be served while a pass is
 * under way are served in the next one.
 */
export class ReaderPasses {
  #isPassing = false;
  /** The readers of the next pass. */
  #next: Set<string> | 'ready' | undefined;

  constructor(
    private readonly fanOuts: FanOuts<DeliveryTarget>,
    private readonly effects: PassEffects,
  ) {}

  /** Serves readers that are ready. @param ids if omitted, all of them */
  pass(ids?: ReadonlySet<string>): void {
    if (this.#isPassing) return this.#postpone(ids);
    this.#isPassing = true;
    const { effects } = this;
    const done = this.each(ids ?? effects.ready, (id) => effects.serve(id));
    if (done === undefined) this.#passed();
    else void done.then(() => this.#passed());
  }

  /**
   * Calls a function for each of these readers, in slices if much is to be handed out. It must not throw.
   * @param isUrgent true: not in slices
   * @returns a promise for the end; nothing if it is over
   */
  each(ids: ReaderIds, serve: (id: string) => void, isUrgent = false): Promise<void> | undefined {
    const { fanOuts } = this;
    const updates = Math.max(1, this.effects.updates);
    if (ids.size * updates > MANY_RECIPIENTS && !isUrgent) {
      const weight = updates * UPDATE_WEIGHT;
      return fanOuts.add({ ids, serve: (_target, id) => serve(id!), bytes: 0, weight });
    }
    for (const id of ids.keys()) {
      fanOuts.catchUp(id);
      serve(id);
    }
    return undefined;
  }

  #postpone(ids: ReadonlySet<string> | undefined): void {
    if (ids === undefined || this.#next === 'ready') this.#next = 'ready';
    else if (this.#next === undefined) this.#next = new Set(ids);
    else for (const id of ids) this.#next.add(id);
  }

  #passed(): void {
    this.#isPassing = false;
    this.effects.passed();
    const next = this.#next;
    this.#next = undefined;
    if (next !== undefined) this.pass(next === 'ready' ? undefined : next);
  }
}
