import { Injectable } from '@nestjs/common';
import { topic as topicAddress, user } from '../core/routing/address.js';
import type { Envelope } from '../core/routing/envelope.js';
import type { Publication } from '../core/history/history.js';
import { personalTopic } from '../core/topic/reserved-topic.js';
import { RealtimeTracing } from '../ports/realtime-tracing.js';
import { LocalDelivery } from './local-delivery.js';
import { NodeMeter } from './node-meter.js';
import { PendingSubscribers } from './pending-subscribers.js';
import { PublishedStreams } from './published-streams.js';
import { deliverySpan } from './span-starts.js';
import { TopicStreams } from './topic-streams.js';

/**
 * Takes each envelope that the bus hands to this node. A message with a position belongs to a topic that keeps a history and
 * goes through {@link TopicStreams}; everything else goes straight to {@link LocalDelivery}.
 */
@Injectable()
export class EnvelopeRouter {
  constructor(
    private readonly delivery: LocalDelivery,
    private readonly streams: TopicStreams,
    private readonly pending: PendingSubscribers,
    private readonly published: PublishedStreams,
    private readonly meter: NodeMeter,
    private readonly tracing: RealtimeTracing,
  ) {}

  /**
   * Delivers an envelope to this node's connections.
   * @param isRemote true if another node has sent it
   * @param leftOut called before the result is known, with the number of connections that could not take a message, if there are any
   * @returns how many connections it reached; a promise when a publication has to wait for its turn. Never throws or rejects
   */
  route(envelope: Envelope, isRemote = false, leftOut?: (connections: number) => void): number | Promise<number> {
    const { tracer } = this.tracing;
    if (tracer === undefined || !isRemote || envelope.trace === undefined) return this.#route(envelope, leftOut);
    const span = tracer.start(deliverySpan(this.meter.labelsOf(envelope.to), envelope.trace));
    const end = (recipients: number) => span.end({ 'realtime.recipients': recipients });
    const reached = span.run(() => this.#route(envelope, leftOut));
    if (typeof reached === 'number') end(reached);
    else void reached.then(end);
    return reached;
  }

  #route(envelope: Envelope, leftOut: ((connections: number) => void) | undefined): number | Promise<number> {
    const { content, trace } = envelope;
    if (content.kind === 'stop-stream') return this.published.stopHere(content.topic, content.id);
    if (content.kind !== 'message') return this.delivery.deliver(envelope);
    const { position } = content;
    if (position === undefined) return this.delivery.deliver(this.pending.passOver(envelope), leftOut);
    const [first] = envelope.to;
    const publication: Publication = {
      offset: position.offset,
      text: content.text,
      ...(trace !== undefined && { trace }),
    };
    if (first?.kind === 'user') return this.#routeToUser(first.id, publication, position.epoch);
    const arrived = first?.kind === 'topic' ? this.streams.arrive(first.id, publication, position.epoch) : undefined;
    return arrived ?? this.delivery.deliver(envelope);
  }

  /** The user's connections outside the personal topic receive it at once, like any message to the user. */
  #routeToUser(userId: string, publication: Publication, epoch: string): number | Promise<number> {
    const name = personalTopic(userId);
    const { text, trace } = publication;
    const to = { to: [user(userId)], except: [topicAddress(name)], ...(trace !== undefined && { trace }) };
    const others = this.delivery.deliver({ ...to, content: { kind: 'message', text } });
    return sum(others, this.streams.arrive(name, publication, epoch) ?? 0);
  }
}

function sum(a: number | Promise<number>, b: number | Promise<number>): number | Promise<number> {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  return Promise.all([a, b]).then(([first, second]) => first + second);
}
