import type { Provider } from '@nestjs/common';
import { JwtVerifier, type DeliveryReport, type JwtClaims } from 'nestjs-realtime';
import { ConnectionRegistry, MessageBus, PubSubManager, type Envelope } from 'nestjs-realtime/ports';
import { TestJwtVerifier } from 'nestjs-realtime/testing';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { InMemoryConnectionRegistry } from '../../../../lib/adapters/in-memory/in-memory-connection-registry.js';
import { InMemoryMessageBus } from '../../../../lib/adapters/in-memory/in-memory-message-bus.js';
import { InMemoryPubSubManager } from '../../../../lib/adapters/in-memory/in-memory-pub-sub-manager.js';

/** Adapters that a node can be given in place of its own. */
export type StandIn = keyof typeof STAND_INS;

/** Takes its time to join and leave, as a bus between machines does. */
class RemoteBus extends MessageBus {
  readonly #bus = new InMemoryMessageBus();

  get isAttached(): boolean {
    return this.#bus.isAttached;
  }

  open(...[node]: Parameters<MessageBus['open']>): void {
    this.#bus.open(node);
  }

  async join(subject: string): Promise<void> {
    await nextTurn();
    this.#bus.join(subject);
  }

  async leave(subject: string): Promise<void> {
    await nextTurn();
    this.#bus.leave(subject);
  }

  async publish(subject: string, envelope: Envelope): Promise<DeliveryReport> {
    return this.#bus.publish(subject, envelope);
  }

  ask: MessageBus['ask'] = (subject, query) => this.#bus.ask(subject, query);

  close(): void {
    this.#bus.close();
  }
}

/** A slow verifier, like one that calls another service. */
class RemoteVerifier extends TestJwtVerifier {
  override async verify(token: string): Promise<JwtClaims> {
    await delay(3);
    return super.verify(token);
  }
}

/** Delivers every twentieth message to a topic after the one that follows it. */
class SwappingBus extends InMemoryMessageBus {
  #published = 0;
  #held: (() => unknown) | undefined;

  override publish(subject: string, envelope: Envelope): DeliveryReport | Promise<DeliveryReport> {
    if (envelope.to[0]?.kind === 'topic' && ++this.#published % 20 === 0) {
      this.#held = () => super.publish(subject, envelope);
      return { recipients: 0, nodes: 0, complete: true };
    }
    const report = super.publish(subject, envelope);
    this.#held?.();
    this.#held = undefined;
    return report;
  }
}

/** Does not deliver every twentieth message to a topic. */
class LosingBus extends InMemoryMessageBus {
  #published = 0;

  override publish(subject: string, envelope: Envelope): DeliveryReport | Promise<DeliveryReport> {
    const isLost = envelope.to[0]?.kind === 'topic' && ++this.#published % 20 === 0;
    return isLost ? { recipients: 1, nodes: 1, complete: true } : super.publish(subject, envelope);
  }
}

/** Remembers connections that are gone. */
class HoardingRegistry extends InMemoryConnectionRegistry {
  override remove(id: string) {
    return this.get(id);
  }
}

/** Remembers subscriptions of connections that are gone. */
class HoardingPubSub extends InMemoryPubSubManager {
  override unsubscribeAll(connectionId: string) {
    return [...this.topicsOf(connectionId)];
  }
}

export const STAND_INS = {
  'a remote bus': { provide: MessageBus, useClass: RemoteBus },
  'a remote verifier': { provide: JwtVerifier, useClass: RemoteVerifier },
  'a bus that swaps': { provide: MessageBus, useClass: SwappingBus },
  'a bus that loses': { provide: MessageBus, useClass: LosingBus },
  'a registry that hoards': { provide: ConnectionRegistry, useClass: HoardingRegistry },
  'subscriptions that are hoarded': { provide: PubSubManager, useClass: HoardingPubSub },
} satisfies Record<string, Provider>;
