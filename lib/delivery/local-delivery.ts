import { Injectable } from '@nestjs/common';
import { topic, type Address } from '../core/routing/address.js';
import type { Envelope, EnvelopeContent, MessageContent, Order } from '../core/routing/envelope.js';
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
import { MessageFrames } from './message-frames.js';
import { PresenceWatchers } from './presence-watchers.js';
import { Timestamps } from './timestamps.js';
import { SafeLogger } from '../errors/safe-logger.js';

/** Acts on one connection. @returns true when it concerned the connection */
type Action = (target: DeliveryTarget) => boolean | Promise<boolean>;

const NOBODY: ReadonlySet<string> = new Set();

/** Delivers envelopes to the sockets of this node: resolves the recipients, encodes once per codec, and sends to each. */
@Injectable()
export class LocalDelivery implements RecipientIndex {
  readonly #logger = new SafeLogger(LocalDelivery.name);
  readonly #targets = new Map<string, DeliveryTarget>();
  readonly #timestamps: Timestamps;

  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly pubSub: PubSubManager,
    private readonly watchers: PresenceWatchers,
    clock: Clock,
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
    return this.#carryOut(envelope, this.#actionFor(to, content));
  }

  /** Tells the subscribers of a topic that publications are lost for good, and the position at which delivery continues. */
  missed(name: string, position: StreamPosition, except: readonly Address[]): void {
    void this.#carryOut({ to: [topic(name)], except }, (target) => {
      target.missed(name, position);
      return true;
    });
  }

  #carryOut(addressing: Addressing, act: Action): number | Promise<number> {
    if (!isForAll(addressing)) return this.#serve(recipientsOf(addressing, this), act);
    const tally = new Tally();
    // Looking up every connection by id would cost more than the delivery itself.
    for (const target of this.#targets.values()) tally.add(this.#attempt(act, target));
    return tally.total;
  }

  #serve(ids: Iterable<string>, act: Action): number | Promise<number> {
    const tally = new Tally();
    for (const id of ids) {
      const target = this.#targets.get(id);
      if (target !== undefined) tally.add(this.#attempt(act, target));
    }
    return tally.total;
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
    return this.#serve(this.watchers.of(name), writing(frames)) as number;
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

  #actionFor(to: readonly Address[], content: MessageContent | Order): Action {
    switch (content.kind) {
      case 'message':
        return writing(new MessageFrames(content.text, topicOf(to), content.position?.offset));
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

/** Creates the action that writes the shared frames to a recipient. */
function writing(frames: FrameSet): Action {
  return ({ socket }) => {
    socket.send(frames.for(socket.codec));
    return true;
  };
}
