import { Injectable } from '@nestjs/common';
import { InMemoryConnectionRegistry } from '../adapters/in-memory/in-memory-connection-registry.js';
import { InMemoryHistoryStore } from '../adapters/in-memory/in-memory-history-store.js';
import { InMemoryMessageBus } from '../adapters/in-memory/in-memory-message-bus.js';
import { InMemoryNodeDirectory } from '../adapters/in-memory/in-memory-node-directory.js';
import { InMemoryPresenceStore } from '../adapters/in-memory/in-memory-presence-store.js';
import { InMemoryPubSubManager } from '../adapters/in-memory/in-memory-pub-sub-manager.js';
import { RandomIdGenerator } from '../adapters/system/random-id-generator.js';
import { SystemClock } from '../adapters/system/system-clock.js';
import type { Address } from '../core/routing/address.js';
import type { IdentityInput } from '../core/identity/claims.js';
import { connectionIdOn } from '../core/connection/connection-id.js';
import { createConnection } from '../core/connection/connection.js';
import type { DeliveryReport } from '../core/routing/delivery-report.js';
import type { Envelope } from '../core/routing/envelope.js';
import type { Retention } from '../core/history/history.js';
import type { RealtimeMessage } from '../core/message/message.js';
import { ALL_SUBJECT, nodeSubject } from '../core/bus/subject.js';
import { ConnectionEvents } from '../delivery/connection-events.js';
import { LocalDelivery } from '../delivery/local-delivery.js';
import { LocalQuery } from '../delivery/local-query.js';
import { countsOf } from '../delivery/node-counts.js';
import { FurtherServers } from '../delivery/further-servers.js';
import { NodeDrain } from '../delivery/node-drain.js';
import { NodeInspection } from '../delivery/node-inspection.js';
import { NodeLifecycle } from '../delivery/node-lifecycle.js';
import { EventLoopDelay } from '../delivery/event-loop-delay.js';
import { NodeHealth } from '../delivery/node-health.js';
import { NodeMeter } from '../delivery/node-meter.js';
import { LocalPresence } from '../delivery/local-presence.js';
import { NodeIdentity } from '../delivery/node-identity.js';
import { PublishedStreams, StreamRules } from '../delivery/published-streams.js';
import type { TopicPolicies } from '../delivery/topic-policies.js';
import { PendingSubscribers } from '../delivery/pending-subscribers.js';
import { TopicStreams } from '../delivery/topic-streams.js';
import { Membership } from '../delivery/membership.js';
import { PresenceWatchers } from '../delivery/presence-watchers.js';
import { textOfTold } from '../handlers/wire-error.js';
import { RealtimeSettings } from '../options/realtime.options.js';
import { RealtimeService } from '../realtime.service.js';
import { RecordingConnection, type RecordingParts } from './recording-connection.js';
import { RealtimeTracing } from '../ports/realtime-tracing.js';

/** A message that was sent, with its addresses. */
export interface SentMessage {
  readonly to: readonly Address[];
  readonly except: readonly Address[];
  readonly message: Required<Pick<RealtimeMessage, 'type' | 'timestamp'>> & RealtimeMessage;
}

const NODE = 'recording';

/**
 * A `RealtimeService` for unit tests. It checks arguments and routes like the real one, records the messages sent, and
 * delivers to connections without a network.
 *
 * ```ts
 * const realtime = new RecordingRealtimeService();
 * const alice = realtime.connect({ userId: 'alice' });
 * await new OrdersService(realtime).create(order);
 * expect(realtime.sent[0]).toMatchObject({ to: [user('alice')], message: { type: 'order.created' } });
 * expect(alice.received[0]?.payload).toEqual(order);
 * ```
 */
@Injectable()
export class RecordingRealtimeService extends RealtimeService {
  /** All messages sent, in order, with or without recipients. */
  readonly sent: SentMessage[];
  readonly #ids = new RandomIdGenerator();
  readonly #policies: { hasGateways: boolean; of: TopicPolicies['of'] };
  readonly #parts: RecordingParts;

  constructor() {
    const policies: { hasGateways: boolean; of: TopicPolicies['of'] } = {
      hasGateways: false,
      of: () => ({ presence: true }),
    };
    const lifecycle = new NodeLifecycle();
    lifecycle.started();
    const registry = new InMemoryConnectionRegistry();
    const pubSub = new InMemoryPubSubManager();
    const sent: SentMessage[] = [];
    const bus = new RecordingBus(sent);
    const events = new ConnectionEvents();
    const directory = new InMemoryNodeDirectory();
    const clock = new SystemClock();
    const history = new InMemoryHistoryStore(bus, clock, new RandomIdGenerator());
    const store = new InMemoryPresenceStore(bus);
    const [meter, drain, eventLoop] = [new NodeMeter(), new NodeDrain(), new EventLoopDelay()];
    const health = new NodeHealth(lifecycle, drain, bus, meter, eventLoop, clock);
    const presence = new LocalPresence(store, 0);
    const ids = new RandomIdGenerator();
    const node = new NodeIdentity({ next: () => NODE });
    const rules = new StreamRules(0, textOfTold);
    super(
      bus,
      directory,
      clock,
      events,
      new RealtimeSettings({}),
      drain,
      history,
      policies,
      store,
      lifecycle,
      new FurtherServers(),
      meter,
      health,
      new PublishedStreams(bus, history, store, presence, policies, node, lifecycle, drain, ids, clock, rules, meter),
      new RealtimeTracing(),
    );
    const watchers = new PresenceWatchers();
    const delivery = new LocalDelivery(registry, pubSub, watchers, clock, meter);
    const streams = new TopicStreams(delivery, history);
    const inspection = new NodeInspection({ id: NODE }, registry, pubSub, meter, eventLoop, health, clock);
    bus.open({
      id: NODE,
      receive: (envelope) => delivery.deliver(envelope),
      respond: new LocalQuery(registry, pubSub, delivery, inspection).run,
    });
    directory.open({
      id: NODE,
      startedAt: new Date(),
      counts: () => countsOf(registry, pubSub),
    });
    bus.join(ALL_SUBJECT);
    bus.join(nodeSubject(NODE));
    this.sent = sent;
    void presence.open(NODE);
    presence.release();
    this.#policies = policies;
    const membership = new Membership(registry, pubSub, delivery, bus, streams, new PendingSubscribers());
    this.#parts = { membership, pubSub, events, watchers, presence };
  }

  /** Sets the retention of topics, which `@TopicGateway()` sets in an application. By default no topic keeps a history. */
  keepHistory(historyOf: (topic: string) => Retention | undefined): void {
    this.#policies.of = (topic) => {
      const history = historyOf(topic);
      return { presence: true, ...(history && { history }) };
    };
  }

  /** Opens a connection, which receives messages to its user, its roles, its id, its topics and to all. */
  connect(identity: IdentityInput): RecordingConnection {
    const id = connectionIdOn(NODE, this.#ids.next());
    const connection = createConnection({ id, ...identity, createdAt: new Date() });
    const { membership, events } = this.#parts;
    const recording = new RecordingConnection(connection, this.#parts);
    void membership.add(connection, recording);
    events.emit({ type: 'connected', connection });
    return recording;
  }
}

class RecordingBus extends InMemoryMessageBus {
  constructor(private readonly sent: SentMessage[]) {
    super();
  }

  override publish(subject: string, envelope: Envelope): DeliveryReport | Promise<DeliveryReport> {
    const { to, except, content } = envelope;
    if (content.kind === 'message') this.sent.push({ to, except, message: JSON.parse(content.text) as never });
    return super.publish(subject, envelope);
  }
}
