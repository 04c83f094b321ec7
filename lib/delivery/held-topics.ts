import type { Address } from '../core/routing/address.js';
import type { RecipientIndex } from '../core/routing/routing.js';

/** The bytes that all held topics of one connection keep. */
export interface HoldBudget {
  /** The size of everything kept, in bytes. */
  used: number;
  readonly maxBytes: number;
}

/** The size that is counted for each entry on top of its text, in bytes. */
const ENTRY_BYTES = 64;

/** Keeps what arrives for one subscription while it is judged again, in its order. */
export class TopicHold {
  #kept: (() => void)[] = [];
  #bytes = 0;
  #isOver = false;

  /** @param overflow called once, in a later microtask, when the budget is exceeded; everything kept was dropped then */
  constructor(
    private readonly budget: HoldBudget,
    private readonly overflow: () => void,
  ) {}

  /**
   * Keeps one delivery.
   * @param bytes the size of its text
   * @returns false when it was dropped, because the budget is exceeded and the subscription will end
   */
  keep(deliver: () => void, bytes: number): boolean {
    if (this.#isOver) return false;
    const size = bytes + ENTRY_BYTES;
    if (this.budget.used + size > this.budget.maxBytes) {
      this.drop();
      // Not in the middle of a fan-out: the end of a subscription calls hooks of the application.
      queueMicrotask(this.overflow);
      return false;
    }
    this.budget.used += size;
    this.#bytes += size;
    this.#kept.push(deliver);
    return true;
  }

  /** Makes the kept deliveries. End the hold first, so that nothing overtakes them. */
  giveOut(): void {
    const kept = this.#kept;
    this.drop();
    for (const deliver of kept) deliver();
  }

  /** Forgets everything kept, and keeps nothing more. */
  drop(): void {
    this.#isOver = true;
    this.budget.used -= this.#bytes;
    this.#bytes = 0;
    this.#kept = [];
  }
}

/** Keeps deliveries for one recipient. */
export type Keeper = Pick<TopicHold, 'keep'>;

const NONE: ReadonlyMap<string, TopicHold> = new Map();

/** The subscriptions of this node that are judged again, by topic and connection. */
export class HeldTopics {
  readonly #holds = new Map<string, Map<string, TopicHold>>();

  /** True when nothing is held, as nearly always. */
  get isEmpty(): boolean {
    return this.#holds.size === 0;
  }

  begin(topic: string, connectionId: string, hold: TopicHold): void {
    const holds = this.#holds.get(topic);
    if (holds) holds.set(connectionId, hold);
    else this.#holds.set(topic, new Map([[connectionId, hold]]));
  }

  /** Ends a hold, so that deliveries are made at once again; what it has kept stays in it. */
  end(topic: string, connectionId: string): void {
    const holds = this.#holds.get(topic);
    if (holds?.delete(connectionId) && holds.size === 0) this.#holds.delete(topic);
  }

  /** Returns the holds of a topic, by connection. The map belongs to the index: do not keep it. */
  of(topic: string): ReadonlyMap<string, TopicHold> {
    return this.#holds.get(topic) ?? NONE;
  }

  /**
   * Returns the holds of the connections that several addresses reach only through topics under judgement. A connection that
   * another address reaches as well gets the message at once. One that several such topics reach gets it if one of them stays.
   */
  among(to: readonly Address[], index: RecipientIndex): ReadonlyMap<string, Keeper> {
    const among = new Map<string, Keeper>();
    const isHeldIn = (address: Address, id: string) => address.kind === 'topic' && this.of(address.id).has(id);
    for (const address of to) {
      if (address.kind !== 'topic') continue;
      for (const [id, hold] of this.of(address.id)) {
        const isReached = to.some((other) => !isHeldIn(other, id) && index.idsOf(other).has(id));
        if (isReached) continue;
        const other = among.get(id);
        among.set(id, other ? inEither(other, hold) : hold);
      }
    }
    return among;
  }
}

/** Keeps a delivery in two holds; the first that gives it out makes it. */
function inEither(one: Keeper, other: Keeper): Keeper {
  return {
    keep: (deliver, bytes) => {
      let isMade = false;
      const once = () => {
        if (!isMade) deliver();
        isMade = true;
      };
      const isKept = one.keep(once, bytes);
      return other.keep(once, bytes) || isKept;
    },
  };
}
