import { SafeLogger } from '../../../errors/safe-logger.js';
import { decodeFrame } from '../../../core/bus/bus-frame.js';
import { isKeptOrder } from '../../../core/bus/kept-order.js';
import { all } from '../../../core/routing/address.js';
import type { Envelope } from '../../../core/routing/envelope.js';
import type { EnvelopeReceiver } from '../../../ports/message-bus.js';
import type { RedisChannels } from '../connection/redis-channels.js';
import type { RedisServer } from '../connection/redis-server.js';
import { ORDER_LIFE_MS, readOrdersScript } from './order-scripts.js';
import type { RedisSubscriptions } from './redis-subscriptions.js';
import type { RedisTransport } from '../connection/redis-transport.js';

/** How many orders that were carried out are remembered; it has to cover what is looked back for. */
const MAX_REMEMBERED = 65_536;

/** How much further back than the last proof of hearing is looked, in milliseconds: clocks differ, and one order is carried out once anyway. */
const MARGIN_MS = 30_000;

/** An entry of the stream of orders. */
type Entry = readonly [id: string, fields: readonly string[]];

/**
 * Carries out what was ordered while this node did not hear a server, before it counts as attached there again. What it did
 * hear is remembered, so that no order is carried out twice; an order that is older than the subscription of its subject was
 * meant for connections that were there before, and is left out.
 */
export class MissedOrders {
  readonly #logger = new SafeLogger(MissedOrders.name);
  readonly #carriedOut = new Set<string>();
  /** Until when this node has certainly heard each partition, in milliseconds of this process. */
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

  /** What was published on this server up to a time has arrived: a probe that was sent then has come back. */
  heard({ partitions }: RedisServer, until: number): void {
    for (const partition of partitions) this.#heardUntil[partition] = until;
  }

  /** Remembers that an order is being carried out. @returns false when it was before */
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

  /** Carries out what was missed on a server whose channels are subscribed again. Rejects when Redis does not tell. */
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
    for (const [id, [, channel, , text]] of entries) {
      const orderedAt = readAt - (now - Number.parseInt(id, 10));
      const joinedAt = this.subscriptions.joinedAt(channel!);
      if (joinedAt !== undefined && orderedAt >= joinedAt) this.#carryOut(text!);
    }
    return isCut === 1 || awayMs > ORDER_LIFE_MS;
  }

  #carryOut(text: string): void {
    const frame = decodeFrame(text);
    // This node has carried out its own, whether Redis answered or not.
    if (frame?.kind !== 'envelope' || this.transport.isOwn(frame.origin) || !isKeptOrder(frame.envelope.content))
      return;
    if (this.begin(frame.origin, frame.sequence)) void this.#receive?.(frame.envelope);
  }

  /** What was ordered cannot be told any more: all connections are asked to come back, and are judged anew. */
  #startOver(): void {
    this.#logger.warn(
      'More was ordered while this node was cut off than is kept: its connections are asked to reconnect',
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
