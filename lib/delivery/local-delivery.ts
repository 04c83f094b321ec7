import { Injectable } from '@nestjs/common';
import { topic, type Address } from '../core/routing/address.js';
import type { Envelope, EnvelopeContent, Order } from '../core/routing/envelope.js';
import type { StreamPosition } from '../core/history/history.js';
import type { PresenceNews } from '../core/presence/presence-position.js';
import type { PresenceChange } from '../core/presence/presence.js';
import type { Push } from '../core/protocol/push.js';
import { userOfPersonalTopic } from '../core/topic/reserved-topic.js';
import { recipientsOf, type Addressing, type RecipientIndex } from '../core/routing/routing.js';
import { Clock } from '../ports/clock.js';
import { ConnectionRegistry } from '../ports/connection-registry.js';
import { PubSubManager } from '../ports/pub-sub-manager.js';
import type { DeliveryTarget } from './delivery-target.js';
import { FrameSet } from './frame-set.js';
import { HeldTopics, type TopicHold } from './held-topics.js';
import { MessageFrames } from './message-frames.js';
import { NodeMeter } from './node-meter.js';
import { MANY_CONNECTIONS, PendingOrders } from './pending-orders.js';
import { PresenceWatchers } from './presence-watchers.js';
import { Timestamps } from './timestamps.js';
import { SafeLogger } from '../errors/safe-logger.js';

/** Acts on one connection. @returns true when it concerned the connection */
type Action = (target: DeliveryTarget) => boolean | Promise<boolean>;

/** Keeps deliveries for one recipient. */
type Keeper = Pick<TopicHold, 'keep'>;

/** The recipients for whom a delivery is kept, and its size in bytes. */
interface Holding {
  readonly holds: ReadonlyMap<string, Keeper>;
  readonly bytes: number;
}

const NOBODY: ReadonlySet<string> = new Set();

/** The size that is counted for a delivery without a message, in bytes. */
const NEWS_BYTES = 256;

/**
 * Delivers envelopes to the sockets of this node: resolves the recipients, encodes once per codec, and sends to each. What
 * arrives for a subscription that is judged again is kept in its hold, and counts as delivered. An order for many connections
 * is carried out in slices; a connection gets nothing that is newer than its orders before them.
 */
@Injectable()
export class LocalDelivery implements RecipientIndex {
  /** The subscriptions that are judged again. */
  readonly held = new HeldTopics();
  readonly #logger = new SafeLogger(LocalDelivery.name);
  readonly #orders = new PendingOrders();
  readonly #targets = new Map<string, DeliveryTarget>();
  readonly #timestamps: Timestamps;

  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly pubSub: PubSubManager,
    private readonly watchers: PresenceWatchers,
    clock: Clock,
    private readonly meter: NodeMeter,
  ) {
    this.#timestamps = new Timestamps(clock);
  }

  attach(connectionId: string, target: DeliveryTarget): void {
    this.#targets.set(connectionId, target);
  }

  /** @returns the target that was attached */
  detach(connectionId: string): DeliveryTarget | undefined {
    const target = this.#targets.get(connectionId);
    this.#targets.delete(connectionId);
    return target;
  }

  /**
   * Delivers a message or a join or leave, or carries out an order.
   * @returns how many connections it concerned, as a promise for an order that takes effect only later; never throws or rejects
   */
  deliver(envelope: Envelope): number | Promise<number> {
    const { to, content } = envelope;
    if (isNews(content)) return this.#tell(to, content);
    if (content.kind !== 'message') return this.#order(envelope, this.#orderFor(content));
    const frames = new MessageFrames(content.text, topicOf(to), content.position?.offset);
    const reached = this.#carryOut(envelope, writing(frames), this.#holdingFor(to, frames));
    if (typeof reached === 'number') this.meter.sent(to, reached);
    return reached;
  }

  /** Tells the subscribers of a topic that publications are lost for good, and the position at which delivery continues. */
  missed(name: string, position: StreamPosition, except: readonly Address[]): void {
    const addressing = { to: [topic(name)], except };
    const tell: Action = (target) => {
      target.missed(name, position);
      this.meter.dropped += 1;
      return true;
    };
    void this.#carryOut(addressing, tell, this.#holdingFor(addressing.to));
  }

  #carryOut(addressing: Addressing, act: Action, holding?: Holding): number | Promise<number> {
    if (!isForAll(addressing)) return this.#serve(recipientsOf(addressing, this), act, holding);
    if (!this.#orders.isEmpty) return this.#serve(this.#targets.keys(), act);
    const tally = new Tally();
    // Looking up every connection by id would cost more than the delivery itself.
    for (const target of this.#targets.values()) tally.add(this.#attempt(act, target));
    return tally.total;
  }

  #order(addressing: Addressing, act: Action): number | Promise<number> {
    const ids = isForAll(addressing) ? this.#targets : recipientsOf(addressing, this);
    if (ids.size <= MANY_CONNECTIONS) return this.#serve(ids.keys(), act);
    const tally = new Tally();
    const done = this.#orders.add(ids.keys(), (id) => {
      const target = this.#targets.get(id);
      if (target) tally.add(this.#attempt(act, target));
    });
    return done.then(() => tally.total);
  }

  #serve(ids: Iterable<string>, act: Action, holding?: Holding): number | Promise<number> {
    const tally = new Tally();
    const isBehind = !this.#orders.isEmpty;
    for (const id of ids) {
      if (isBehind) this.#orders.catchUp(id);
      const target = this.#targets.get(id);
      if (target === undefined) continue;
      const hold = holding?.holds.get(id);
      tally.add(hold ? this.#keep(hold, act, target, holding!.bytes) : this.#attempt(act, target));
    }
    return tally.total;
  }

  #keep(hold: Keeper, act: Action, target: DeliveryTarget, bytes: number): boolean {
    const isKept = hold.keep(() => void this.#attempt(act, target), bytes);
    if (!isKept) this.meter.dropped += 1;
    return isKept;
  }

  /** Returns the recipients that an addressing reaches only through subscriptions that are judged again, if there are any. */
  #holdingFor(to: readonly Address[], message?: MessageFrames): Holding | undefined {
    if (this.held.isEmpty) return undefined;
    const alone = topicOf(to);
    const holds = alone === undefined ? this.#heldAmong(to) : this.held.of(alone);
    return holds.size === 0 ? undefined : { holds, bytes: message?.textBytes ?? NEWS_BYTES };
  }

  /**
   * A connection that another address reaches as well gets the message at once. One that several topics under judgement reach
   * gets it if one of them stays.
   */
  #heldAmong(to: readonly Address[]): ReadonlyMap<string, Keeper> {
    const among = new Map<string, Keeper>();
    const isHeldIn = (address: Address, id: string) => address.kind === 'topic' && this.held.of(address.id).has(id);
    for (const address of to) {
      if (address.kind !== 'topic') continue;
      for (const [id, hold] of this.held.of(address.id)) {
        const isReached = to.some((other) => !isHeldIn(other, id) && this.idsOf(other).has(id));
        if (isReached) continue;
        const other = among.get(id);
        among.set(id, other ? inEither(other, hold) : hold);
      }
    }
    return among;
  }

  /** Sends joins and leaves to the watchers of a topic. @returns the number of connections reached */
  tellPresence(name: string, changes: readonly PresenceChange[]): number {
    let reached = 0;
    for (const change of changes) reached = this.#push(name, { ...change, topic: name });
    return reached;
  }

  /** Tells the watchers of a topic that changes were missed, so that they have to read the members again. */
  resetPresence(name: string): void {
    this.#push(name, { kind: 'presence-reset', topic: name });
  }

  /** Fan-out is limited to connections that asked for presence: most subscribers of a large topic do not. */
  #tell(to: readonly Address[], news: PresenceNews): number {
    const name = topicOf(to);
    return name === undefined ? 0 : this.tellPresence(name, this.watchers.hear(name, news));
  }

  #push(name: string, push: Push): number {
    const frames = new FrameSet((codec) => codec.encodePush(push, this.#timestamps.now())!);
    const holding = this.held.isEmpty ? undefined : this.#holdingFor([topic(name)]);
    return this.#serve(this.watchers.of(name), writing(frames), holding) as number;
  }

  idsOf(address: Address): ReadonlySet<string> {
    switch (address.kind) {
      case 'user':
        return this.registry.idsOfUser(address.id);
      case 'role':
        return this.registry.idsOfRole(address.id);
      case 'topic':
        return this.#inTopic(address.id);
      case 'connection':
        return this.#targets.has(address.id) ? new Set([address.id]) : NOBODY;
      case 'all':
        return this.registry.ids();
    }
  }

  #inTopic(name: string): ReadonlySet<string> {
    const userId = userOfPersonalTopic(name);
    if (userId === undefined) return this.pubSub.subscribersOf(name);
    const ids = Array.from(this.registry.idsOfUser(userId));
    return new Set(ids.filter((id) => this.#targets.get(id)?.hasPersonalTopic));
  }

  #orderFor(content: Order): Action {
    switch (content.kind) {
      case 'disconnect':
        return (target) => {
          target.disconnect(content.code, content.reason);
          return true;
        };
      case 'subscribe':
        return (target) => target.subscribe(content.topic);
      case 'unsubscribe':
        return (target) => target.unsubscribe(content.topic, content.reason);
      case 'rights':
        return (target) => target.changeRights(content)?.then(() => true) ?? true;
      case 'metadata':
        return (target) => target.updateMetadata(content)?.then(() => true) ?? true;
      case 'revalidate':
        return (target) => {
          target.revalidate();
          return true;
        };
    }
  }

  /** Isolates failures: one failing socket never prevents delivery to the others. */
  #attempt(act: Action, target: DeliveryTarget): boolean | Promise<boolean> {
    try {
      const outcome = act(target);
      return typeof outcome === 'boolean' ? outcome : outcome.catch(this.#failed);
    } catch (error) {
      return this.#failed(error);
    }
  }

  readonly #failed = (error: unknown): boolean => {
    this.meter.dropped += 1;
    this.#logger.error('Delivery to a connection failed', (error as Error)?.stack);
    return false;
  };
}

/** Counts the connections that an action concerned. */
class Tally {
  #reached = 0;
  #later: Promise<boolean>[] | undefined;

  add(outcome: boolean | Promise<boolean>): void {
    if (outcome === true) this.#reached += 1;
    else if (outcome !== false) (this.#later ??= []).push(outcome);
  }

  get total(): number | Promise<number> {
    if (this.#later === undefined) return this.#reached;
    return Promise.all(this.#later).then((outcomes) => this.#reached + outcomes.filter(Boolean).length);
  }
}

function isForAll({ to, except }: Addressing): boolean {
  return to.length === 1 && to[0]?.kind === 'all' && except.length === 0;
}

/** The topic, if it is the only address. */
function topicOf([address, ...others]: readonly Address[]): string | undefined {
  return address?.kind === 'topic' && others.length === 0 ? address.id : undefined;
}

function isNews(content: EnvelopeContent): content is PresenceNews {
  return content.kind === 'joined' || content.kind === 'left' || content.kind === 'updated';
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

/** Creates the action that writes the shared frames to a recipient. */
function writing(frames: FrameSet): Action {
  return ({ socket }) => {
    socket.send(frames.for(socket.codec));
    return true;
  };
}
