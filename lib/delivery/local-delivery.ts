import { Injectable, Logger } from '@nestjs/common';
import type { Address } from '../core/address.js';
import type { Envelope } from '../core/envelope.js';
import { recipientsOf, type RecipientIndex } from '../core/routing.js';
import { ConnectionRegistry } from '../ports/connection-registry.js';
import { PubSubManager } from '../ports/pub-sub-manager.js';
import type { DeliveryTarget } from './delivery-target.js';
import { FrameSet } from './frame-set.js';

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

  /** Delivers a message or carries out an order. @returns how many connections it concerned; never throws */
  deliver(envelope: Envelope): number {
    const ids = recipientsOf(envelope, this);
    if (ids.size === 0) return 0;
    const act = this.#actionFor(envelope);
    let reached = 0;
    for (const id of ids) {
      const target = this.#targets.get(id);
      if (target !== undefined && this.#attempt(act, target)) reached += 1;
    }
    return reached;
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

  #actionFor({ to, content }: Envelope): (target: DeliveryTarget) => boolean {
    switch (content.kind) {
      case 'message': {
        const [first] = to;
        const topic = to.length === 1 && first?.kind === 'topic' ? first.id : undefined;
        const frames = new FrameSet(content.text, topic);
        return ({ socket }) => {
          socket.send(frames.for(socket.codec));
          return true;
        };
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
        return (target) => {
          target.changeRights(content);
          return true;
        };
      case 'revalidate':
        return (target) => {
          target.revalidate();
          return true;
        };
    }
  }

  /** One bad socket never keeps the others from being served. */
  #attempt(act: (target: DeliveryTarget) => boolean, target: DeliveryTarget): boolean {
    try {
      return act(target);
    } catch (error) {
      this.#logger.error('A connection failed to take what was addressed to it', (error as Error)?.stack);
      return false;
    }
  }
}
