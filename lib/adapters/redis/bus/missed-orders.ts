import { SafeLogger } from '../../../errors/safe-logger.js';
import { isKeptOrder } from '../../../core/bus/kept-order.js';
import { all } from '../../../core/routing/address.js';
import type { Envelope } from '../../../core/routing/envelope.js';
import type { EnvelopeReceiver } from '../../../ports/message-bus.js';
import type { RedisChannels } from '../connection/redis-channels.js';
import type { RedisServer } from '../connection/redis-server.js';
import { ORDER_LIFE_MS, readOrdersScript } from './order-scripts.js';
import type { RedisSubscriptions } from './redis-subscriptions.js';
import type { RedisTransport } from '../connection/redis-transport.js';

/** Most executed orders that are remembered; it must cover the period that a catch-up reads. */
const MAX_REMEMBERED = 65_536;

/** The margin by which a catch-up reads further back than the last proof of reception, in milliseconds: clocks differ, and orders are deduplicated anyway. */
const MARGIN_MS = 30_000;

/** An entry of the stream of orders. */
type Entry = readonly [id: string, fields: readonly string[]];

/**
 * Executes the orders that this node missed while it received nothing from a server, before it counts as attached there again.
 * Received orders are remembered, so that no order is executed twice. An order older than the subscription to its subject was
 * meant for earlier connections, and is skipped.
 */
export class MissedOrders {
  readonly #logger = new SafeLogger(MissedOrders.name);
  readonly #carriedOut = new Set<string>();
  /** The time up to which this node has certainly received everything of each partition, in milliseconds of this process. */
  readonly #heardUntil: (number | undefined)[] = [];
  #receive: EnvelopeReceiver | undefined;

  constructor(
    private readonly channels: RedisChannels,
    private readonly transport: RedisTransport,
    private readonly subscriptions: RedisSubscriptions,
  ) {}

  open(receive: EnvelopeReceiver): void {
    this.#receive = receive;
  }

  close(): void {
    this.#receive = undefined;
  }

  /** Records that everything published on this server up to a time has arrived: a probe sent at that time has come back. */
  heard({ partitions }: RedisServer, until: number): void {
    for (const partition of partitions) this.#heardUntil[partition] = until;
  }

  /** Remembers that an order is being executed. @returns false if it was executed before */
  begin(origin: string, sequence: number): boolean {
    const key = `${origin} ${sequence}`;
    if (this.#carriedOut.has(key)) return false;
    this.#carriedOut.add(key);
    if (this.#carriedOut.size > MAX_REMEMBERED) {
      for (const oldest of this.#carriedOut) {
        this.#carriedOut.delete(oldest);
        break;
      }
    }
    return true;
  }

  /** Executes the orders missed on a server whose channels are subscribed again. Rejects if Redis cannot be read. */
  async catchUp(server: RedisServer): Promise<void> {
    const missed = [...server.partitions].filter((partition) => this.#heardUntil[partition] !== undefined);
    const lost = await Promise.all(missed.map((partition) => this.#catchUpIn(server, partition)));
    if (lost.includes(true)) this.#startOver();
  }

  /** @returns true when orders may have been dropped by now */
  async #catchUpIn(server: RedisServer, partition: number): Promise<boolean> {
    const awayMs = performance.now() - this.#heardUntil[partition]!;
    const args = [`${Math.ceil(awayMs) + MARGIN_MS}`];
    const reply = await readOrdersScript.run(server, [this.channels.ordersOf(partition)], args);
    const [now, isCut, entries] = reply as [number, number, readonly Entry[]];
    const readAt = performance.now();
    for (const [id, [, channel = '', , text = '']] of entries) {
      const orderedAt = readAt - (now - Number.parseInt(id, 10));
      const joinedAt = this.subscriptions.joinedAt(channel);
      if (joinedAt !== undefined && orderedAt >= joinedAt) this.#carryOut(text, channel);
    }
    return isCut === 1 || awayMs > ORDER_LIFE_MS;
  }

  #carryOut(text: string, channel: string): void {
    const frame = this.transport.read(text, channel);
    // This node has executed its own orders, whether Redis answered or not.
    if (frame?.kind !== 'envelope' || this.transport.isOwn(frame.origin) || !isKeptOrder(frame.envelope.content))
      return;
    if (this.begin(frame.origin, frame.sequence)) void this.#receive?.(frame.envelope);
  }

  /** Asks all connections to reconnect, because the missed orders are lost; each one is authorized again. */
  #startOver(): void {
    this.#logger.warn(
      'More control messages were sent while this node was cut off than are kept: its connections are told to reconnect',
    );
    const reason = 'orders were missed, please reconnect';
    const envelope: Envelope = {
      to: [all()],
      except: [],
      content: { kind: 'disconnect', code: 'DISCONNECTED', reason },
    };
    void this.#receive?.(envelope);
  }
}
