import type { DeliveryReport } from 'nestjs-realtime';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { Fleet } from './fleet.js';
import type { Arrival } from './reader.js';

/** A message, when it was sent, and what was said about it. */
interface Sent {
  readonly at: number;
  readonly report: DeliveryReport;
}

/** Violations of the guarantees, whatever fails. */
export interface Faults {
  /** Messages that a reader received twice. */
  readonly repeated: readonly string[];
  /**
   * Messages that two readers got in different orders. One order for all is promised while Redis is reachable, which a complete
   * report says; and else that of each node's own messages.
   */
  readonly disordered: readonly string[];
  /** Messages whose report tells of more recipients than there were; or that went to others than a complete report says. */
  readonly untrue: readonly string[];
}

export const NO_FAULTS: Faults = { repeated: [], disordered: [], untrue: [] };

/** Goes on publishing to the topic `feed`, and compares what was said with what arrived. */
export class Traffic {
  /** Tells it from what others publish. */
  readonly #name = randomUUID().slice(0, 4);
  readonly #sent = new Map<string, Sent>();
  readonly #publishing: Promise<void>[];
  #isOver = false;
  /** How long a report took at most, in milliseconds. */
  slowestReportMs = 0;

  /** @param from the numbers of the nodes that publish */
  constructor(
    private readonly fleet: Fleet,
    { from = [0], everyMs = 4 }: { readonly from?: readonly number[]; readonly everyMs?: number } = {},
  ) {
    // A test that fails does not stop it.
    onTestFinished(() => void (this.#isOver = true));
    this.#publishing = from.map((index) => this.#publish(index, everyMs));
  }

  /** Ends it. Resolves when every report is here and everything has arrived that ever will. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#publishing);
    // Once a later message of the same channel has arrived, no earlier one is in flight.
    for (const [index, { realtime }] of this.fleet.nodes.entries()) {
      const type = `end of ${this.#name} ${index}`;
      await realtime.publish('feed', { type });
      await Promise.all(this.fleet.readers.map((reader) => reader.has(type)));
    }
  }

  /** The errors, after the end. */
  get faults(): Faults {
    const orders = this.#arrivals.map((arrivals) => arrivals.map(({ key }) => key));
    return {
      repeated: orders.flatMap((keys) => keys.filter((key, index) => keys.indexOf(key) !== index)),
      disordered: [
        (key: string) => this.#sent.get(key)?.report.complete === true,
        ...this.fleet.nodes.map((_, index) => (key: string) => key.startsWith(`${this.#name} ${index}:`)),
      ].flatMap((isCompared) => orders.flatMap((keys) => keysInAnotherOrder(orders[0]!, keys.filter(isCompared)))),
      untrue: [...this.#sent].filter(([key, { report }]) => !isTrue(report, this.#copies(key))).map(([key]) => key),
    };
  }

  /**
   * The time during which missing readers were not reported: from the first to the last message that was reported as
   * complete although not every reader got it, in milliseconds.
   */
  get silentMs(): number {
    const times = [...this.#sent]
      .filter(([key, { report }]) => report.complete && this.#copies(key) < this.fleet.readers.length)
      .map(([, { at }]) => at);
    return times.length === 0 ? 0 : Math.max(...times) - Math.min(...times);
  }

  /** Messages that not every reader got. */
  get lost(): readonly string[] {
    return [...this.#sent.keys()].filter((key) => this.#copies(key) < this.fleet.readers.length);
  }

  /** How many were reported as complete, and how many as not. */
  get reports(): { readonly complete: number; readonly incomplete: number } {
    const complete = [...this.#sent.values()].filter(({ report }) => report.complete).length;
    return { complete, incomplete: this.#sent.size - complete };
  }

  /** How long a message was under way at most, in milliseconds. */
  get latestMs(): number {
    return Math.max(...this.#arrivals.flatMap((arrivals) => arrivals.map(({ tookMs }) => tookMs)));
  }

  /** The messages received by each reader. */
  get #arrivals(): readonly (readonly Arrival[])[] {
    return this.fleet.readers.map(({ arrivals }) => arrivals.filter(({ key }) => key.startsWith(this.#name)));
  }

  #copies(key: string): number {
    return this.fleet.readers.filter(({ arrivals }) => arrivals.some((arrival) => arrival.key === key)).length;
  }

  async #publish(index: number, everyMs: number): Promise<void> {
    const { realtime } = this.fleet.nodes[index]!;
    const reports: Promise<void>[] = [];
    for (let n = 0; !this.#isOver; n++) {
      const at = performance.now();
      const key = `${this.#name} ${index}:${n}`;
      const note = (report: DeliveryReport) => {
        this.#sent.set(key, { at, report });
        this.slowestReportMs = Math.max(this.slowestReportMs, performance.now() - at);
      };
      reports.push(realtime.publish('feed', { type: 'count', payload: { key, at } }).then(note));
      await delay(everyMs);
    }
    await Promise.all(reports);
  }
}

/** The entries of both lists whose order differs from the first list. */
function keysInAnotherOrder(first: readonly string[], keys: readonly string[]): readonly string[] {
  const places = new Map(first.map((key, place) => [key, place]));
  const common = keys.filter((key) => places.has(key));
  return common.filter((key, index) => index > 0 && places.get(key)! < places.get(common[index - 1]!)!);
}

function isTrue({ recipients, complete }: DeliveryReport, copies: number): boolean {
  return complete ? recipients === copies : recipients <= copies;
}
