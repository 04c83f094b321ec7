import { randomUUID } from 'node:crypto';
import type { MessageContent } from '../../core/routing/envelope.js';
import type { HistoryPage, HistoryRange, Publication, Retention, StreamPosition } from '../../core/history/history.js';
import { addressOfTopic } from '../../core/routing/topic-address.js';
import { personalTopic } from '../../core/topic/reserved-topic.js';
import type { HistoryStore, PositionedReport } from '../../ports/history-store.js';
import type { MessageBus } from '../../ports/message-bus.js';
import { BusNode, subject } from './bus-node.js';

/**
 * A history store under test, the bus that it publishes on, and time.
 * @publicApi
 */
export interface HistoryStoreSetup {
  readonly history: HistoryStore;
  /** Not opened yet. */
  readonly bus: MessageBus;
  /** Lets time pass for the store: moves its clock, or waits. */
  readonly elapse: (ms: number) => void | Promise<void>;
}

/** What most cases have the store keep: enough to see everything. */
export const KEPT: Retention = { size: 1_000, ttlMs: 60_000 };

/** A node with a history store, on topics that no other test uses. */
export class HistoryNode {
  private constructor(
    private readonly setup: HistoryStoreSetup,
    readonly node: BusNode,
  ) {}

  /**
   * Opens the bus, hands the store over and closes the bus.
   * @param reached how many connections this node says that each publication reached
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

  /** A topic that nobody else publishes to. */
  static topic(): string {
    return `contract:${randomUUID()}`;
  }

  /** The topic of a user's own, whose id has characters in it that no other topic has. */
  static personalTopic(): string {
    return personalTopic(`contract "ü" {*}\n${randomUUID()}`);
  }

  /** From now on this node gets what is published to the topic. */
  async join(name: string): Promise<void> {
    await this.node.bus.join(subject(addressOfTopic(name)));
  }

  /** Publishes a message with this payload; a report is asked for unless `report` says otherwise. */
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

  /** Publishes so many messages, all at the same time; their payloads are 1, 2, 3 and so on. */
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

  /** The offsets of what is found. */
  async offsets(name: string, range: HistoryRange, retention = KEPT): Promise<readonly number[]> {
    return (await this.page(name, range, retention)).publications.map(({ offset }) => offset);
  }

  async elapse(ms: number): Promise<void> {
    await this.setup.elapse(ms);
  }

  /** The publications that have arrived over the bus, in their order. */
  get arrived(): readonly MessageContent[] {
    return this.node.inbox.envelopes.flatMap(({ content }) => (content.kind === 'message' ? [content] : []));
  }

  /** Where they stand. */
  get arrivedAt(): readonly (number | undefined)[] {
    return this.arrived.map(({ position }) => position?.offset);
  }
}

/** A message as JSON text. */
export function textOf(payload: unknown): string {
  return JSON.stringify({ type: 'contract', payload, timestamp: '2026-01-31T12:00:00.000Z' });
}

/** The numbers from one to another, up or down. */
export function span(from: number, to: number): number[] {
  const step = from <= to ? 1 : -1;
  return Array.from({ length: Math.abs(to - from) + 1 }, (_, n) => from + n * step);
}

/** The position alone. */
export function positionOf({ epoch, offset }: StreamPosition): StreamPosition {
  return { epoch, offset };
}

/** The texts of publications. */
export function textsOf(publications: readonly Publication[]): readonly string[] {
  return publications.map(({ text }) => text);
}
