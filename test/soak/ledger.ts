/** Violations of the guarantees for clients that stay connected, read, and follow the protocol. */
export type Violation =
  /** An acknowledged message did not reach a client that was subscribed the whole time. */
  | 'lost'
  | 'duplicated'
  | 'out of order'
  /** A connection was ended for no reason. */
  | 'dropped'
  /** A command got no answer, though the connection went on. */
  | 'unanswered'
  /** The node ended by itself, or not as it was told. */
  | 'unhandled'
  /** Something was left of those who had gone. */
  | 'leaked';

/** The messages of one topic that a reader received and should have received. Places count the messages of a topic, from 1. */
interface Account {
  /** Later messages were published after the reader had subscribed. */
  entrance: number;
  first: number;
  last: number;
  lowestOwed: number;
  highestOwed: number;
}

interface Visit {
  readonly node: number;
  readonly accounts: Map<string, Account>;
  /** The node, not the reader, ended it: all that was sent before had to arrive. */
  isJudgedToTheEnd: boolean;
}

/**
 * Compares what was acknowledged with what arrived. A visit is one connection of a reader; within a visit the places of a
 * topic must follow each other without a gap, so two numbers tell all that has arrived.
 */
export class Ledger {
  readonly violations = new Map<Violation, string[]>();
  acknowledged = 0;
  arrived = 0;
  readonly #visits = new Map<string, Visit>();
  readonly #acknowledged = new Map<string, number>();

  /** @param publishers how many there are; each waits for an acknowledgement before it goes on */
  constructor(private readonly publishers: number) {}

  /** A reader is connected to a node. Of other connections nothing is expected. */
  open(visit: string, node: number): void {
    this.#visits.set(visit, { node, accounts: new Map(), isJudgedToTheEnd: false });
  }

  /** The reader has been told that it is subscribed to a topic. */
  enter(visit: string, topic: string): void {
    // Each publisher has at most one unacknowledged message.
    this.#account(visit, topic)!.entrance = this.#highest(this.#visits.get(visit)!.node, topic) + this.publishers;
  }

  /** @param isJudgedToTheEnd false when the reader broke off: what was on its way then is gone, and rightly so */
  close(visit: string, isJudgedToTheEnd: boolean): void {
    this.#visits.get(visit)!.isJudgedToTheEnd = isJudgedToTheEnd;
  }

  /** A message of a topic arrived. */
  arrive(visit: string, topic: string, place: number): void {
    this.arrived += 1;
    const account = this.#account(visit, topic)!;
    const where = `${place} of ${topic}, behind ${account.last}`;
    if (account.last === 0) account.first = place;
    else if (place === account.last) return this.report('duplicated', where);
    else if (place < account.last) return this.report('out of order', where);
    else if (place > account.last + 1) this.report('lost', where);
    account.last = place;
  }

  /** The node has acknowledged a message, and told to whom it went. */
  acknowledge(node: number, topic: string, place: number, to: readonly string[]): void {
    this.acknowledged += 1;
    const key = `${node} ${topic}`;
    this.#acknowledged.set(key, Math.max(place, this.#acknowledged.get(key) ?? 0));
    for (const visit of to) {
      const account = this.#account(visit, topic);
      if (!account) continue;
      account.lowestOwed = Math.min(account.lowestOwed, place);
      account.highestOwed = Math.max(account.highestOwed, place);
    }
  }

  /** The messages that must reach a reader before the answer to its next request: the last position of each topic. */
  owed(visit: string): ReadonlyMap<string, number> {
    const { node, accounts } = this.#visits.get(visit)!;
    const places = [...accounts.keys()].map((topic) => [topic, this.#highest(node, topic)] as const);
    return new Map(places.filter(([topic, place]) => place > accounts.get(topic)!.entrance));
  }

  /** That must have arrived now. */
  demand(visit: string, owed: ReadonlyMap<string, number>): void {
    for (const [topic, place] of owed) {
      const { last } = this.#account(visit, topic)!;
      if (last < place) this.report('lost', `${last + 1} to ${place} of ${topic}, to a reader who was there`);
    }
  }

  /** Compares what was owed with what arrived; to be called at the end. */
  settle(): void {
    for (const [visit, { accounts, isJudgedToTheEnd }] of this.#visits) {
      for (const [topic, { first, last, lowestOwed, highestOwed }] of accounts) {
        const isOwed = highestOwed > 0 && (isJudgedToTheEnd || last > 0);
        if (isOwed && lowestOwed < first) this.report('lost', `${lowestOwed} of ${topic}, the first to ${visit}`);
        if (isJudgedToTheEnd && highestOwed > last)
          this.report('lost', `${highestOwed} of ${topic}, the last to ${visit}`);
      }
    }
  }

  report(violation: Violation, what: string): void {
    const list = this.violations.get(violation) ?? [];
    list.push(what);
    this.violations.set(violation, list);
  }

  #highest(node: number, topic: string): number {
    return this.#acknowledged.get(`${node} ${topic}`) ?? 0;
  }

  #account(visit: string, topic: string): Account | undefined {
    const accounts = this.#visits.get(visit)?.accounts;
    if (!accounts) return undefined;
    let account = accounts.get(topic);
    if (!account)
      accounts.set(topic, (account = { entrance: Infinity, first: 0, last: 0, lowestOwed: Infinity, highestOwed: 0 }));
    return account;
  }
}
