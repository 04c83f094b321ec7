import { InMemoryConnectionRegistry } from '../../lib/adapters/in-memory/in-memory-connection-registry.js';
import { InMemoryHistoryStore } from '../../lib/adapters/in-memory/in-memory-history-store.js';
import { InMemoryMessageBus } from '../../lib/adapters/in-memory/in-memory-message-bus.js';
import { InMemoryPresenceStore } from '../../lib/adapters/in-memory/in-memory-presence-store.js';
import { InMemoryPubSubManager } from '../../lib/adapters/in-memory/in-memory-pub-sub-manager.js';
import type { RealtimeEvent } from '../../lib/core/connection/realtime-event.js';
import { ConnectionEvents } from '../../lib/delivery/connection-events.js';
import { EnvelopeRouter } from '../../lib/delivery/envelope-router.js';
import { LocalDelivery } from '../../lib/delivery/local-delivery.js';
import { LocalPresence } from '../../lib/delivery/local-presence.js';
import { Membership } from '../../lib/delivery/membership.js';
import { PendingSubscribers } from '../../lib/delivery/pending-subscribers.js';
import { NeutralContext } from '../../lib/handlers/neutral-context.js';
import { PresenceInfoLimit } from '../../lib/handlers/presence-info-limit.js';
import { PresencePictures } from '../../lib/delivery/presence-pictures.js';
import { PresenceWatchers } from '../../lib/delivery/presence-watchers.js';
import type { TopicPolicy } from '../../lib/delivery/topic-policies.js';
import type { PublishedStreams } from '../../lib/delivery/published-streams.js';
import { TopicStreams } from '../../lib/delivery/topic-streams.js';
import { AuthCommands } from '../../lib/gateway/auth/auth-commands.js';
import type { Handshake } from '../../lib/gateway/auth/handshake.js';
import { TopicTokens } from '../../lib/gateway/auth/topic-tokens.js';
import { SessionServices } from '../../lib/gateway/session/session-services.js';
import { TopicPresence } from '../../lib/gateway/session/topic-presence.js';
import { ConnectionHookRegistry } from '../../lib/handlers/connection-hook.registry.js';
import { HandlerDispatcher } from '../../lib/handlers/handler.dispatcher.js';
import { TopicHandlerRegistry } from '../../lib/handlers/topic-handler.registry.js';
import { RealtimeSettings, type RealtimeOptions } from '../../lib/options/realtime.options.js';
import type { Authenticated } from '../../lib/ports/authenticator.js';
import { NodeMeter } from '../../lib/delivery/node-meter.js';
import { RealtimeTracing } from '../../lib/ports/realtime-tracing.js';

/** A bus whose joins can be made to wait, or to fail. */
export class SlowBus extends InMemoryMessageBus {
  joining: Promise<void> | undefined;

  // oxlint-disable-next-line typescript/no-misused-promises -- a port may answer later where the one in memory answers at once
  override join(subject: string): void | Promise<void> {
    super.join(subject);
    return this.joining;
  }
}

/** The parts that sessions of a node work with: real ones, in memory, without an application behind them. */
export function sessionParts(options: RealtimeOptions = {}) {
  const clock = { now: () => 0 };
  const settings = new RealtimeSettings(options);
  const registry = new InMemoryConnectionRegistry();
  const pubSub = new InMemoryPubSubManager();
  const bus = new SlowBus();
  const watchers = new PresenceWatchers();
  const [meter, tracing] = [new NodeMeter(), new RealtimeTracing()];
  const delivery = new LocalDelivery(registry, pubSub, watchers, clock, meter);
  const history = new InMemoryHistoryStore(bus, clock, { next: () => 'e1' });
  const streams = new TopicStreams(delivery, history);
  const pending = new PendingSubscribers();
  const published = { stopHere: () => 0 } as unknown as PublishedStreams;
  const router = new EnvelopeRouter(delivery, streams, pending, published, meter, tracing);
  const membership = new Membership(registry, pubSub, delivery, bus, streams, pending);
  const events = new ConnectionEvents();
  const neutral = new NeutralContext();
  const dispatcher = new HandlerDispatcher(
    new TopicHandlerRegistry(),
    new ConnectionHookRegistry(),
    neutral,
    new PresenceInfoLimit(settings.limits.maxPresenceInfoBytes),
  );
  const policyOf = new Map<string, TopicPolicy>();
  const policies = { hasGateways: true, of: (topic: string) => policyOf.get(topic) };
  const store = new InMemoryPresenceStore(bus);
  const presence = new TopicPresence(
    settings,
    policies,
    new LocalPresence(store, 0),
    watchers,
    store,
    new PresencePictures(watchers, delivery, store, 0),
  );
  /** Takes the name of a user as a token. */
  const handshake = {
    authenticate: async (userId: string): Promise<Authenticated> => authenticatedAs(userId),
  } as unknown as Handshake;
  const verifier = { verify: () => Promise.reject(new Error('no token is good')) };
  let ids = 0;
  const services = new SessionServices(
    settings,
    new AuthCommands(handshake, registry, settings),
    new TopicTokens(verifier, clock, settings),
    dispatcher,
    membership,
    pubSub,
    policies,
    history,
    events,
    clock,
    { next: () => `c${++ids}` },
    { id: 'n1' },
    presence,
    neutral,
    meter,
    tracing,
  );
  bus.open({ id: 'n1', receive: (envelope) => router.route(envelope), respond: () => [] });
  const seen: string[] = [];
  events.stream$.subscribe((event: RealtimeEvent) => {
    seen.push('topic' in event ? `${event.type} ${event.topic}` : event.type);
  });
  return { services, bus, registry, pubSub, dispatcher, membership, delivery, history, policyOf, presence, seen };
}

/** The claims of a token of the user. */
export function authenticatedAs(userId: string, roles: readonly string[] = []): Authenticated {
  return { identity: { userId, roles, permissions: [], metadata: {} } } as unknown as Authenticated;
}
