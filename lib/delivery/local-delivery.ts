import { Injectable, Logger } from '@nestjs/common';
import { topic, type Address } from '../core/address.js';
import type { Envelope } from '../core/envelope.js';
import type { StreamPosition } from '../core/history.js';
import { recipientsOf, type Addressing, type RecipientIndex } from '../core/routing.js';
import { ConnectionRegistry } from '../ports/connection-registry.js';
import { PubSubManager } from '../ports/pub-sub-manager.js';
import type { DeliveryTarget } from './delivery-target.js';
import { FrameSet } from './frame-set.js';

/** Says whether it concerned the connection. */
type Action = (target: DeliveryTarget) => boolean | Promise<boolean>;

const NOBODY: ReadonlySet<string> = new Set();

/** From an envelope to the sockets of this node: who is meant, framed once per codec, handed to each. */
@Injectable()
export class LocalDelivery implements RecipientIndex {
  readonly #logger = new Logger(LocalDelivery.name);
  readonly #targets = new Map<string, DeliveryTarget>();

  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly pubSub: PubSubManager,
  ) {}

  attach(connectionId: string, target: DeliveryTarget): void {
    this.#targets.set(connectionId, target);
  }

  detach(connectionId: string): void {
    this.#targets.delete(connectionId);
  }

  /**
   * Delivers a message or carries out an order.
   * @returns how many connections it concerned, as a promise for an order that is in force only later; never throws or rejects
   */
  deliver(envelope: Envelope): number | Promise<number> {
    return this.#carryOut(envelope, this.#actionFor(envelope));
  }

  /** Tells the subscribers of a topic that publications were missed for good, and where it goes on. */
  missed(name: string, position: StreamPosition, except: readonly Address[]): void {
    void this.#carryOut({ to: [topic(name)], except }, (target) => {
      target.missed(name, position);
      return true;
    });
  }

  #carryOut(addressing: Addressing, act: Action): number | Promise<number> {
    const tally = new Tally();
    if (isForAll(addressing)) {
      // Looking up everybody by id would cost more than all the rest.
      for (const target of this.#targets.values()) tally.add(this.#attempt(act, target));
    } else {
      for (const id of recipientsOf(addressing, this)) {
        const target = this.#targets.get(id);
        if (target !== undefined) tally.add(this.#attempt(act, target));
      }
    }
    return tally.total;
  }

  idsOf(address: Address): ReadonlySet<string> {
    switch (address.kind) {
      case 'user':
        return this.registry.idsOfUser(address.id);
      case 'role':
        return this.registry.idsOfRole(address.id);
      case 'topic':
        return this.pubSub.subscribersOf(address.id);
      case 'connection':
        return this.#targets.has(address.id) ? new Set([address.id]) : NOBODY;
      case 'all':
        return this.registry.ids();
    }
  }

  #actionFor({ to, content }: Envelope): Action {
    switch (content.kind) {
      case 'message': {
        const [first] = to;
        const name = to.length === 1 && first?.kind === 'topic' ? first.id : undefined;
        const frames = new FrameSet(content.text, name, content.position?.offset);
        return ({ socket }) => {
          socket.send(frames.for(socket.codec));
          return true;
        };
      }
      case 'joined':
      case 'left': {
        const [first] = to;
        return (target) => first?.kind === 'topic' && target.presenceChanged(first.id, content);
      }
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
      case 'revalidate':
        return (target) => {
          target.revalidate();
          return true;
        };
    }
  }

  /** One bad socket never keeps the others from being served. */
  #attempt(act: Action, target: DeliveryTarget): boolean | Promise<boolean> {
    try {
      const outcome = act(target);
      return typeof outcome === 'boolean' ? outcome : outcome.catch(this.#failed);
    } catch (error) {
      return this.#failed(error);
    }
  }

  readonly #failed = (error: unknown): boolean => {
    this.#logger.error('A connection failed to take what was addressed to it', (error as Error)?.stack);
    return false;
  };
}

/** Counts the connections that something concerned. */
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
