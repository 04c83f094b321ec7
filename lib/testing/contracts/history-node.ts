import { randomUUID } from 'node:crypto';
import type { MessageContent } from '../../core/routing/envelope.js';
import type { HistoryPage, HistoryRange, Publication, Retention, StreamPosition } from '../../core/history/history.js';
import { addressOfTopic } from '../../core/routing/topic-address.js';
import { personalTopic } from '../../core/topic/reserved-topic.js';
import type { HistoryStore, PositionedReport } from '../../ports/history-store.js';
import type { MessageBus } from '../../ports/message-bus.js';
import { BusNode, subject } from './bus-node.js';

/**
 * A history store under test, its bus, and a way to let time pass.
 * @publicApi
 */
export interface HistoryStoreSetup {
  readonly history: HistoryStore;
  /** Not opened yet. */
  readonly bus: MessageBus;
  /** Lets time pass for the store: moves its clock, or waits. */
  readonly elapse: (ms: number) => void | Promise<void>;
}

/** Retention of most cases: large enough to keep every publication. */
export const KEPT: Retention = { size: 1_000, ttlMs: 60_000 };

/** A node with a history store, on topics that are unique to the test. */
export class HistoryNode {
  private constructor(
    private readonly setup: HistoryStoreSetup,
    readonly node: BusNode,
  ) {}

  /**
   * Opens the bus, passes the store to `use` and closes the bus.
   * @param reached number of connections that this node reports for each publication
   */
  static async run(
    create: () => HistoryStoreSetup | Promise<HistoryStoreSetup>,
    use: (node: HistoryNode) => Promise<void>,
    reached = 1,
  ): Promise<void> {
    const setup = await create();
    await BusNode.run(
      () => setup.bus,
      (node) => use(new HistoryNode(setup, node)),
      reached,
    );
  }

  /** Returns a topic that is unique to the test. */
  static topic(): string {
    return `contract:${randomUUID()}`;
  }

  /** Returns a personal topic whose user id contains characters that are invalid in other topics. */
  static personalTopic(): string {
    return personalTopic(`contract "ü" {*}\n${randomUUID()}`);
  }

  /** Joins the topic's subject, so that this node receives its publications. */
  async join(name: string): Promise<void> {
    await this.node.bus.join(subject(addressOfTopic(name)));
  }

  /** Publishes a message with this payload; requests a report unless `report` is false. */
  async publish(
    name: string,
    payload: unknown = 'hello',
    {
      retention = KEPT,
      key,
      report = true,
    }: { readonly retention?: Retention; readonly key?: string; readonly report?: boolean } = {},
  ): Promise<PositionedReport> {
    const options = { report, ...(key !== undefined && { idempotencyKey: key }) };
    return this.setup.history.publish(name, textOf(payload), retention, options);
  }

  /** Publishes `count` messages concurrently, with the payloads 1, 2, 3 and so on. */
  async fill(name: string, count: number, retention = KEPT): Promise<readonly PositionedReport[]> {
    return Promise.all(Array.from({ length: count }, (_, n) => this.publish(name, n + 1, { retention })));
  }

  async page(name: string, range: HistoryRange, retention = KEPT): Promise<HistoryPage> {
    return this.setup.history.read(name, range, retention);
  }

  async top(name: string): Promise<StreamPosition> {
    const { epoch, offset } = (await this.page(name, { limit: 0 })).top;
    return { epoch, offset };
  }

  /** Reads a range and returns the offsets of its publications. */
  async offsets(name: string, range: HistoryRange, retention = KEPT): Promise<readonly number[]> {
    return (await this.page(name, range, retention)).publications.map(({ offset }) => offset);
  }

  async elapse(ms: number): Promise<void> {
    await this.setup.elapse(ms);
  }

  /** The publications that arrived over the bus, in order of arrival. */
  get arrived(): readonly MessageContent[] {
    return this.node.inbox.envelopes.flatMap(({ content }) => (content.kind === 'message' ? [content] : []));
  }

  /** Their offsets. */
  get arrivedAt(): readonly (number | undefined)[] {
    return this.arrived.map(({ position }) => position?.offset);
  }
}

/** Returns a message as JSON text. */
export function textOf(payload: unknown): string {
  return JSON.stringify({ type: 'contract', payload, timestamp: '2026-01-31T12:00:00.000Z' });
}

/** Returns the numbers from one to another, ascending or descending. */
export function span(from: number, to: number): number[] {
  const step = from <= to ? 1 : -1;
  return Array.from({ length: Math.abs(to - from) + 1 }, (_, n) => from + n * step);
}

/** Returns only the position of a report or page. */
export function positionOf({ epoch, offset }: StreamPosition): StreamPosition {
  return { epoch, offset };
}

/** Returns the texts of publications. */
export function textsOf(publications: readonly Publication[]): readonly string[] {
  return publications.map(({ text }) => text);
}
