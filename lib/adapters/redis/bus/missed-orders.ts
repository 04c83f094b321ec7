import { SafeLogger } from '../../../errors/safe-logger.js';
import { isKeptOrder } from '../../../core/bus/kept-order.js';
import { mayHaveLostOrders, type DataMark } from '../../../core/bus/lost-orders.js';
import type { OwnLease } from '../../../core/bus/own-lease.js';
import { all } from '../../../core/routing/address.js';
import type { Envelope } from '../../../core/routing/envelope.js';
import type { EnvelopeReceiver } from '../../../ports/message-bus.js';
import type { RedisChannels } from '../connection/redis-channels.js';
import type { RedisServer } from '../connection/redis-server.js';
import { dataMarkScript, ORDER_LIFE_MS, readOrdersScript } from './order-scripts.js';
import type { RedisSubscriptions } from './redis-subscriptions.js';
import type { RedisTransport } from '../connection/redis-transport.js';

/** Most executed orders that are remembered; it must cover the period that a catch-up reads. */
const MAX_REMEMBERED = 65_536;

/** The margin by which a catch-up reads further back than the last proof of reception, in milliseconds: clocks differ, and orders are deduplicated anyway. */
const MARGIN_MS = 30_000;

/** The time within which a node that is back takes its lease again, in milliseconds. */
const LEASE_MARGIN_MS = 1_000;

/** An entry of the stream of orders. */
type Entry = readonly [id: string, fields: readonly string[]];

/** The orders of a partition that were read, and whether some of that period may have been dropped. */
interface Found {
  readonly partition: number;
  readonly isCut: boolean;
}

/**
 * Executes the orders that this node missed while it received nothing from a server, before it counts as attached there again.
 * Received orders are remembered, so that no order is executed twice. An order older than the subscription to its subject was
 * meant for earlier connections, and is skipped. Where missed orders may be lost, all connections are told to reconnect: once for
 * all servers, unless one may have lost orders after that.
 */
export class MissedOrders {
  readonly #logger = new SafeLogger(MissedOrders.name);
  readonly #carriedOut = new Set<string>();
  /** The time up to which this node has certainly received everything of each partition, in milliseconds of this process. */
  readonly #heardUntil: (number | undefined)[] = [];
  /** The server that each partition was last heard from. */
  readonly #heardFrom: (RedisServer | undefined)[] = [];
  /** What was known of each server's data when this node was last subscribed there. */
  readonly #marks = new WeakMap<RedisServer, DataMark>();
  /** When all connections were last told to reconnect. */
  #toldToReconnectAt = -Infinity;
  #receive: EnvelopeReceiver | undefined;

  constructor(
    private readonly channels: RedisChannels,
    private readonly transport: RedisTransport,
    private readonly subscriptions: RedisSubscriptions,
    private readonly lease: Pick<OwnLease, 'overFrom'>,
  ) {}

  open(receive: EnvelopeReceiver): void {
    this.#receive = receive;
  }

  close(): void {
    this.#receive = undefined;
  }

  /** Records that everything published on this server up to a time has arrived: a probe sent at that time has come back. */
  heard(server: RedisServer, until: number): void {
    for (const partition of server.partitions) {
      this.#heardUntil[partition] = until;
      this.#heardFrom[partition] = server;
    }
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
    const at = performance.now();
    const missed = [...server.partitions].filter((partition) => this.#heardUntil[partition] !== undefined);
    const found = await Promise.all(missed.map((partition) => this.#catchUpIn(server, partition)));
    // Read after the orders: a loss from now on shows in the next mark.
    const mark = await readMark(server);
    if (found.some((each) => this.#areOrdersLost(server, mark, each))) {
      this.#tellAllToReconnect();
      // The channels were subscribed before. If this node is not attached yet, the next attempt need not tell all to reconnect again.
      for (const partition of missed) {
        this.#heardUntil[partition] = at;
        this.#heardFrom[partition] = server;
      }
    }
    this.#marks.set(server, mark);
  }

  async #catchUpIn(server: RedisServer, partition: number): Promise<Found> {
    const awayMs = performance.now() - Math.max(this.#heardUntil[partition]!, this.#toldToReconnectAt);
    const args = [`${Math.ceil(awayMs) + MARGIN_MS}`];
    const reply = await readOrdersScript.run(server, [this.channels.ordersOf(partition)], args);
    const [now, isCut, entries] = reply as [number, number, readonly Entry[]];
    const readAt = performance.now();
    for (const [id, [, channel = '', , text = '']] of entries) {
      const orderedAt = readAt - (now - Number.parseInt(id, 10));
      const joinedAt = this.subscriptions.joinedAt(channel);
      if (joinedAt !== undefined && orderedAt >= joinedAt) this.#carryOut(text, channel);
    }
    return { partition, isCut: isCut === 1 };
  }

  #areOrdersLost(server: RedisServer, after: DataMark, { partition, isCut }: Found): boolean {
    const heardUntil = this.#heardUntil[partition]!;
    const toldToReconnectAt = this.#toldToReconnectAt;
    return mayHaveLostOrders({
      heardUntil,
      toldToReconnectAt,
      now: performance.now(),
      keptMs: ORDER_LIFE_MS,
      isCut,
      leaseOverFrom: this.lease.overFrom(Math.max(heardUntil + LEASE_MARGIN_MS, toldToReconnectAt)),
      before: this.#heardFrom[partition] === server ? this.#marks.get(server) : undefined,
      after,
      startedBy: server.startedBy,
    });
  }

  #carryOut(text: string, channel: string): void {
    const frame = this.transport.read(text, channel);
    // This node has executed its own orders, whether Redis answered or not.
    if (frame?.kind !== 'envelope' || this.transport.isOwn(frame.origin) || !isKeptOrder(frame.envelope.content))
      return;
    if (this.begin(frame.origin, frame.sequence)) void this.#receive?.(frame.envelope);
  }

  /** Tells all connections to reconnect, because missed orders may be lost; each one is authorized again. */
  #tellAllToReconnect(): void {
    this.#logger.warn(
      'Control messages that were sent while this node was cut off may be lost: its connections are told to reconnect',
    );
    const reason = 'orders may have been missed, please reconnect';
    const envelope: Envelope = {
      to: [all()],
      except: [],
      content: { kind: 'disconnect', code: 'DISCONNECTED', reason },
    };
    this.#toldToReconnectAt = performance.now();
    void this.#receive?.(envelope);
  }
}

async function readMark(server: RedisServer): Promise<DataMark> {
  const [identity, losses, isPromoted] = (await dataMarkScript.run(server, [], [])) as [string, number, number];
  return { identity, losses, isPromoted: isPromoted === 1 };
}
