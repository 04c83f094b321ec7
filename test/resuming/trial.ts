import { setTimeout as delay } from 'node:timers/promises';
import type { Host } from './host.js';
import { Journal, type Outcome, type Position } from './journal.js';
import { Publisher, type PublisherHabits } from './publisher.js';
import { Resumer } from './resumer.js';
import type { Subscriber } from './subscriber.js';
import { judge, type Verdict } from './verdict.js';

/** How a trial is made. */
export interface TrialParts extends Partial<PublisherHabits> {
  /** Default `log:1`. */
  readonly topic?: string;
  /** The nodes they publish on. Default: all nodes. */
  readonly publishOn?: () => readonly Host[];
  /** How many there are who publish. Default 3. */
  readonly publishers?: number;
  /** How many there are who subscribe. Default 6. */
  readonly resumers?: number;
  /** Additional subscribers that record what they receive. Default: none. */
  readonly others?: (journal: Journal) => readonly Subscriber[];
  /** How long a resumer rests at most before it comes back, in milliseconds. Default 50. */
  readonly restMs?: number;
  /** From 0 to 1. Default: those of the system. */
  readonly random?: () => number;
  /** Default: a new one. */
  readonly journal?: Journal;
}

/** The deadline for all clients to be subscribed, or to make progress, in milliseconds; longer than any fault. */
const PATIENCE_MS = 30_000;

/** Some publish to a topic, others subscribe to it, over whichever nodes there are; in the end it is compared what they have written down. */
export class Trial {
  readonly journal: Journal;
  readonly resumers: readonly Resumer[];
  readonly #everybody: readonly Subscriber[];
  #publishers: readonly Publisher[] = [];

  private constructor(hosts: () => readonly Host[], parts: TrialParts) {
    const { topic = 'log:1', resumers = 6, others = () => [], random = Math.random, restMs } = parts;
    this.journal = parts.journal ?? new Journal();
    this.resumers = Array.from(
      { length: resumers },
      (_, n) => new Resumer(`resumer-${n}`, topic, this.journal, hosts, random, restMs),
    );
    this.#everybody = [...this.resumers, ...others(this.journal)];
  }

  /** Resolves when all are in. @param hosts the nodes there are at the moment */
  static async begin(hosts: () => readonly Host[], parts: TrialParts = {}): Promise<Trial> {
    const trial = new Trial(hosts, parts);
    await trial.isWhole();
    const { topic = 'log:1', publishers = 3, publishOn = hosts, everyMs = 4 } = parts;
    trial.#publishers = Array.from(
      { length: publishers },
      (_, n) => new Publisher(`publisher-${n}`, topic, trial.journal, publishOn, { ...parts, everyMs }),
    );
    return trial;
  }

  /** Waits until all clients are subscribed. */
  async isWhole(): Promise<void> {
    const isWhole = await until(() => this.#everybody.every(({ isIn }) => isIn), PATIENCE_MS);
    if (!isWhole) throw new Error(`Not everybody was let in within ${PATIENCE_MS} ms.`);
  }

  /** Waits until so many more have been acknowledged. */
  goesOn(count: number): Promise<void> {
    return this.#comes('acknowledged', count);
  }

  /** Waits until this many more publications have an unknown outcome. */
  fails(count: number): Promise<void> {
    return this.#comes('unknown', count);
  }

  /** Publishes so many as fast as it can, with so many under way at once. @returns how many were acknowledged */
  async burst(count: number, atOnce: number): Promise<number> {
    const [publisher] = this.#publishers;
    let [left, acknowledged] = [count, 0];
    const publish = async () => {
      while (left-- > 0) if ((await publisher!.say()).kind === 'acknowledged') acknowledged += 1;
    };
    await Promise.all(Array.from({ length: atOnce }, publish));
    return acknowledged;
  }

  /** Ends the trial when all clients have received the last publication, or after this time. */
  async verdict(withinMs = 10_000): Promise<Verdict> {
    await Promise.all(this.#publishers.map((publisher) => publisher.stop()));
    const deadline = performance.now() + withinMs;
    const last = await this.#sayLast(deadline);
    const hasCome = ({ at }: Subscriber) => at?.epoch === last.epoch && at.offset >= last.offset;
    await until(() => this.#everybody.every(hasCome), deadline - performance.now());
    await this.stop();
    return judge(this.journal);
  }

  /** Disconnects all clients. */
  async stop(): Promise<void> {
    await Promise.all([...this.#publishers, ...this.#everybody].map((one) => one.stop()));
  }

  async #comes(kind: Outcome['kind'], count: number): Promise<void> {
    const those = () => this.journal.statements.filter(({ outcome }) => outcome.kind === kind).length;
    const wanted = those() + count;
    if (await until(() => those() >= wanted, PATIENCE_MS)) return;
    throw new Error(`${those() - wanted + count} of ${count} more are ${kind} within ${PATIENCE_MS} ms.`);
  }

  async #sayLast(deadline: number): Promise<Position> {
    for (;;) {
      const outcome = await this.#publishers[0]!.say();
      if (outcome.kind === 'acknowledged') return outcome;
      if (performance.now() > deadline) throw new Error('Nothing can be published any more.');
      await delay(20);
    }
  }
}

/** @returns false when it did not come true in time */
export async function until(isTrue: () => boolean, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (!isTrue()) {
    if (performance.now() > deadline) return false;
    await delay(10);
  }
  return true;
}
