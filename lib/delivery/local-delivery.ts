import { Injectable } from '@nestjs/common';
import { topic, type Address } from '../core/routing/address.js';
import type { Envelope, EnvelopeContent, MessageContent } from '../core/routing/envelope.js';
import type { StreamPosition } from '../core/history/history.js';
import type { PresenceNews } from '../core/presence/presence-position.js';
import type { Push } from '../core/protocol/push.js';
import type { PresenceChange } from '../core/presence/presence.js';
import type { Audience } from '../core/presence/presence-windows.js';
import { userOfPersonalTopic } from '../core/topic/reserved-topic.js';
import { recipientsOf, type Addressing, type RecipientIndex } from '../core/routing/routing.js';
import { Clock } from '../ports/clock.js';
import { ConnectionRegistry } from '../ports/connection-registry.js';
import { PubSubManager } from '../ports/pub-sub-manager.js';
import { RealtimeTracing } from '../ports/realtime-tracing.js';
import type { DeliveryTarget } from './delivery-target.js';
import type { DroppingTopic } from './dropping-topic.js';
import { FanOuts, MANY_RECIPIENTS } from './fan-outs.js';
import { FrameSet } from './frame-set.js';
import { HeldTopics, type Keeper } from './held-topics.js';
import { LatestTopic } from './latest-topic.js';
import { MessageFrames } from './message-frames.js';
import { NodeMeter } from './node-meter.js';
import { PresenceWatchers } from './presence-watchers.js';
import { Tally } from './tally.js';
import { carryingOut, writing, writingIfTaken, type TargetAction } from './target-action.js';
import { Timestamps } from './timestamps.js';
import { TopicPaces } from './topic-paces.js';
import { SafeLogger } from '../errors/safe-logger.js';

/** The recipients for whom a delivery is kept, and its size in bytes. */
interface Holding {
  readonly holds: ReadonlyMap<string, Keeper>;
  readonly bytes: number;
}

const NOBODY: ReadonlySet<string> = new Set();

/** The size that is counted for a delivery without a message, in bytes. */
const NEWS_BYTES = 256;

/** The work of handing a frame to a socket, in orders. */
const FRAME_WEIGHT = 0.25;

/** A task for each of many recipients. */
interface Task {
  readonly act: TargetAction;
  /** The number of frames or orders for one recipient. */
  readonly count: number;
  /** The work for one recipient, in orders. */
  readonly weight: number;
  /** The size of the texts, in bytes. */
  readonly bytes: number;
}

/** Connections by id: a set of ids, or all targets. */
type Ids = ReadonlySet<string> | ReadonlyMap<string, DeliveryTarget>;

/**
 * Delivers envelopes to the sockets of this node: resolves the recipients, encodes once per codec, and sends to each. What
 * arrives for a subscription that is judged again is kept in its hold, and counts as delivered. What is for many connections
 * is given to them in slices, in which others are served; each connection gets everything in the order of the calls.
 */
@Injectable()
export class LocalDelivery implements RecipientIndex {
  /** The subscriptions that are judged again. */
  readonly held = new HeldTopics();
  readonly #logger = new SafeLogger(LocalDelivery.name);
  readonly #targets = new Map<string, DeliveryTarget>();
  readonly #fanOuts = new FanOuts<DeliveryTarget>(this.#targets);
  readonly #timestamps: Timestamps;
  /** The topics that deal with slow readers in a way of their own. */
  readonly paces: TopicPaces;

  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly pubSub: PubSubManager,
    private readonly watchers: PresenceWatchers,
    clock: Clock,
    private readonly meter: NodeMeter,
    private readonly tracing: RealtimeTracing = new RealtimeTracing(),
  ) {
    this.#timestamps = new Timestamps(clock);
    const { held } = this;
    this.paces = new TopicPaces({ targets: this.#targets, fanOuts: this.#fanOuts, held, index: this, meter });
    watchers.beforeChange((connectionId) => void this.catchUp(connectionId));
  }

  attach(connectionId: string, target: DeliveryTarget): void {
    this.#fanOuts.admit(target);
    this.#targets.set(connectionId, target);
  }

  /**
   * Gives a connection what still waits for it. Call it before its addresses change, and before it is closed.
   * @returns false if that has ended the connection
   */
  catchUp(connectionId: string): boolean {
    if (this.#fanOuts.isEmpty) return true;
    const wasThere = this.#targets.has(connectionId);
    this.#fanOuts.catchUp(connectionId);
    return !wasThere || this.#targets.has(connectionId);
  }

  /** @returns the target that was attached */
  detach(connectionId: string): DeliveryTarget | undefined {
    const target = this.#targets.get(connectionId);
    this.#targets.delete(connectionId);
    return target;
  }

  /**
   * Delivers a message or a join or leave, or carries out an order.
   * @param leftOut called before the result is known, with the number of connections that could not take a message, if there are any
   * @returns how many connections it concerned, as a promise for what many connections get, and for an order that takes
   * effect only later; a publication counts for all subscribers at once. Never throws or rejects
   */
  deliver(envelope: Envelope, leftOut?: (connections: number) => void): number | Promise<number> {
    const { to, content } = envelope;
    if (isNews(content)) return this.#tell(to, content);
    if (content.kind === 'stop-stream') return 0;
    if (content.kind !== 'message') return this.#serve(this.#idsFor(envelope), ordering(carryingOut(content)));
    const { text, position } = content;
    const trace = this.tracing.tracer?.tellsClients ? envelope.trace : undefined;
    const name = topicOf(to);
    const frames = new MessageFrames(text, name, position?.offset, trace);
    const paced = this.paces.isEmpty || name === undefined ? undefined : this.paces.of(name);
    if (paced instanceof LatestTopic) return paced.deliver(content, envelope, frames, leftOut);
    const ids = this.#idsFor(envelope);
    if (paced || content.volatile) return this.#sendIfTaken(content, to, ids, frames, leftOut, paced);
    const { size } = ids;
    const reached = this.#serve(ids, sending([frames], text.length), this.#holdingFor(to, frames));
    // The stream of a topic wants to know at once.
    return this.#metered(to, position && typeof reached !== 'number' ? size : reached);
  }

  /** Sends a message to those that can take it. */
  #sendIfTaken(
    content: MessageContent,
    to: readonly Address[],
    ids: Ids,
    frames: MessageFrames,
    leftOut: ((connections: number) => void) | undefined,
    topicOfReaders: DroppingTopic | undefined,
  ): number | Promise<number> {
    let dropped = 0;
    const act = writingIfTaken(frames, content.volatile === true, () => void (dropped += 1), topicOfReaders);
    const task = { ...sending([frames], frames.textBytes), act };
    const reached = this.#serve(ids, task, this.#holdingFor(to, frames));
    const count = (recipients: number): number => {
      this.meter.leftOut += dropped;
      if (dropped > 0) leftOut?.(dropped);
      return recipients;
    };
    return this.#metered(to, typeof reached === 'number' ? count(reached) : reached.then(count));
  }

  #metered(to: readonly Address[], reached: number | Promise<number>): number | Promise<number> {
    if (typeof reached !== 'number') return reached.then((count) => this.#metered(to, count));
    this.meter.sent(to, reached);
    return reached;
  }

  /** Tells the subscribers of a topic that publications are lost for good, and the position at which delivery continues. */
  missed(name: string, position: StreamPosition, except: readonly Address[]): void {
    const paced = this.paces.of(name);
    if (paced instanceof LatestTopic) return paced.lost(position, except);
    const addressing = { to: [topic(name)], except };
    const tell: TargetAction = (target) => {
      target.missed(name, position);
      this.meter.dropped += 1;
      return true;
    };
    void this.#serve(this.#idsFor(addressing), ordering(tell), this.#holdingFor(addressing.to));
  }

  /** Tells one subscriber of a topic that publications are lost for good. */
  missedBy(connectionId: string, name: string, position: StreamPosition): void {
    this.catchUp(connectionId);
    const target = this.#targets.get(connectionId);
    if (target === undefined) return;
    this.meter.dropped += 1;
    void this.#attempt(() => (target.missed(name, position), true), target);
  }

  #idsFor(addressing: Addressing): Ids {
    // Looking up every connection by id would cost more than the delivery itself.
    return isForAll(addressing) ? this.#targets : recipientsOf(addressing, this);
  }

  #serve(ids: Ids, task: Task, holding?: Holding): number | Promise<number> {
    if (ids.size * task.count > MANY_RECIPIENTS) return this.#serveMany(ids, task, holding);
    const { act } = task;
    const tally = new Tally();
    if (ids === this.#targets && this.#fanOuts.isEmpty) {
      for (const target of this.#targets.values()) tally.add(this.#attempt(act, target));
      return tally.total;
    }
    for (const id of ids.keys()) {
      if (!this.#fanOuts.isEmpty) {
        this.#fanOuts.catchUp(id);
        // An order that it has caught up on may have taken it off.
        if (!ids.has(id)) continue;
      }
      const target = this.#targets.get(id);
      if (target !== undefined) tally.add(this.#deliverTo(target, id, act, holding));
    }
    return tally.total;
  }

  #serveMany(ids: Ids, { act, bytes, weight }: Task, holding: Holding | undefined): number | Promise<number> {
    const tally = new Tally();
    const serve = holding
      ? (target: DeliveryTarget, id: string | undefined) => tally.add(this.#deliverTo(target, id, act, holding))
      : (target: DeliveryTarget, id: string | undefined) => tally.add(this.#attempt(act, target, id));
    const done = this.#fanOuts.add({ ids, serve, bytes, weight });
    return done ? done.then(() => tally.total) : tally.total;
  }

  #deliverTo(
    target: DeliveryTarget,
    id: string | undefined,
    act: TargetAction,
    holding: Holding | undefined,
  ): boolean | Promise<boolean> {
    const hold = holding && id !== undefined ? holding.holds.get(id) : undefined;
    return hold ? this.#keep(hold, act, target, id, holding!.bytes) : this.#attempt(act, target, id);
  }

  #keep(hold: Keeper, act: TargetAction, target: DeliveryTarget, id: string | undefined, bytes: number): boolean {
    const isKept = hold.keep(() => void this.#attempt(act, target, id), bytes);
    if (!isKept) this.meter.dropped += 1;
    return isKept;
  }

  /** Returns the recipients that an addressing reaches only through subscriptions that are judged again, if there are any. */
  #holdingFor(to: readonly Address[], message?: Pick<MessageFrames, 'textBytes'>): Holding | undefined {
    if (this.held.isEmpty) return undefined;
    const alone = topicOf(to);
    const holds = alone === undefined ? this.held.among(to, this) : this.held.of(alone);
    return holds.size === 0 ? undefined : { holds, bytes: message?.textBytes ?? NEWS_BYTES };
  }

  /**
   * Sends joins and leaves to the watchers of a topic.
   * @param audience those of them who are told; without it all are
   * @returns the number of connections reached
   */
  tellPresence(name: string, changes: readonly PresenceChange[], audience?: Audience): number | Promise<number> {
    const pushes = changes.map((change) => ({ ...change, topic: name }));
    return this.#push(name, pushes, audienceIn(this.watchers.of(name), audience));
  }

  /** Tells the watchers of a topic that changes were missed, so that they have to read the members again. */
  resetPresence(name: string): void {
    void this.#push(name, [{ kind: 'presence-reset', topic: name }], this.watchers.of(name));
  }

  /** Fan-out is limited to connections that asked for presence: most subscribers of a large topic do not. */
  #tell(to: readonly Address[], news: PresenceNews): number | Promise<number> {
    const name = topicOf(to);
    return name === undefined ? 0 : this.tellPresence(name, this.watchers.hear(name, news));
  }

  #push(name: string, pushes: readonly Push[], ids: ReadonlySet<string>): number | Promise<number> {
    if (pushes.length === 0) return 0;
    const frames = pushes.map((push) => new FrameSet((codec) => codec.encodePush(push, this.#timestamps.now())!));
    const textBytes = NEWS_BYTES * pushes.length;
    const holding = this.held.isEmpty ? undefined : this.#holdingFor([topic(name)], { textBytes });
    return this.#serve(ids, sending(frames, textBytes), holding);
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

  /** Isolates failures: one failing socket never prevents delivery to the others. */
  #attempt(act: TargetAction, target: DeliveryTarget, id?: string): boolean | Promise<boolean> {
    try {
      const outcome = act(target, id);
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

function isForAll({ to, except }: Addressing): boolean {
  return to.length === 1 && to[0]?.kind === 'all' && except.length === 0;
}

function ordering(act: TargetAction): Task {
  return { act, count: 1, weight: 1, bytes: 0 };
}

function sending(frames: readonly FrameSet[], bytes: number): Task {
  return { act: writing(frames), count: frames.length, weight: frames.length * FRAME_WEIGHT, bytes };
}

function audienceIn(watchers: ReadonlySet<string>, { to, except }: Audience = {}): ReadonlySet<string> {
  if (to) return new Set([...to].filter((id) => watchers.has(id)));
  return except ? new Set([...watchers].filter((id) => !except.has(id))) : watchers;
}

/** The topic, if it is the only address. */
function topicOf([address, ...others]: readonly Address[]): string | undefined {
  return address?.kind === 'topic' && others.length === 0 ? address.id : undefined;
}

function isNews(content: EnvelopeContent): content is PresenceNews {
  return content.kind === 'joined' || content.kind === 'left' || content.kind === 'updated';
}
