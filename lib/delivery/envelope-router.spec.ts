import { beforeEach, describe, expect, it } from 'vitest';
import { all, topic, user, type Address } from '../core/routing/address.js';
import type { Envelope, EnvelopeContent } from '../core/routing/envelope.js';
import { EnvelopeRouter } from './envelope-router.js';
import type { LocalDelivery } from './local-delivery.js';
import { PendingSubscribers } from './pending-subscribers.js';
import type { PublishedStreams } from './published-streams.js';
import type { TopicStreams } from './topic-streams.js';
import { RealtimeTracing, type RealtimeSpan, type SpanStart } from '../ports/realtime-tracing.js';
import { NodeMeter } from './node-meter.js';

const position = { epoch: 'e', offset: 3 };

let delivered: Envelope[];
let arrived: unknown[];
/** Topics with a stream on this node. */
let streams: Set<string>;
let pending: PendingSubscribers;
let stopped: unknown[];
let router: EnvelopeRouter;
let tracing: RealtimeTracing;

beforeEach(() => {
  delivered = [];
  arrived = [];
  stopped = [];
  streams = new Set();
  pending = new PendingSubscribers();
  const delivery = { deliver: (envelope: Envelope) => delivered.push(envelope) } as unknown as LocalDelivery;
  const arrive = (...args: unknown[]) => (streams.has(args[0] as string) ? arrived.push(args) : undefined);
  const stopHere = (...args: unknown[]) => stopped.push(args);
  const published = { stopHere } as unknown as PublishedStreams;
  tracing = new RealtimeTracing();
  const served = { arrive } as unknown as TopicStreams;
  router = new EnvelopeRouter(delivery, served, pending, published, new NodeMeter(), tracing);
});

const envelope = (to: Address, content: EnvelopeContent): Envelope => ({ to: [to], except: [], content });
const message = { kind: 'message', text: '"hi"' } as const;

describe('an envelope', () => {
  it.each<[string, Envelope]>([
    ['an order', envelope(all(), { kind: 'disconnect', code: 'FORCED', reason: 'no' })],
    ['a message without a position', envelope(topic('a'), message)],
    ['a publication to a topic that nobody here is in', envelope(topic('a'), { ...message, position })],
  ])('with %s is delivered as it is', (_what, one) => {
    expect([router.route(one), delivered[0] === one, arrived]).toEqual([1, true, []]);
  });

  it('with an order to stop a stream goes to the streams of this node, and to no connection', () => {
    expect(router.route(envelope(all(), { kind: 'stop-stream', topic: 'a', id: 's1' }))).toBe(1);
    expect([stopped, delivered]).toEqual([[['a', 's1']], []]);
  });

  it('with a publication goes through the stream of its topic', () => {
    streams.add('a');
    void router.route(envelope(topic('a'), { ...message, position }));
    expect([arrived, delivered]).toEqual([[['a', { offset: 3, text: '"hi"' }, 'e']], []]);
  });

  it('to a user goes through the personal topic, and to the user’s other connections at once', () => {
    streams.add('#user:ann');
    expect(router.route(envelope(user('ann'), { ...message, position }))).toBe(2);
    expect(delivered).toEqual([{ to: [user('ann')], except: [topic('#user:ann')], content: message }]);
    expect(arrived).toHaveLength(1);
  });

  it('passes over subscribers that have no confirmation yet', () => {
    pending.hold('a', '1');
    void router.route(envelope(topic('a'), message));
    expect(delivered[0]!.except).toEqual([{ kind: 'connection', id: '1' }]);
  });
});

describe('a delivery', () => {
  const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  let spans: (SpanStart & { readonly more?: object | undefined })[];

  beforeEach(() => {
    spans = [];
    const start = (begun: SpanStart): RealtimeSpan => ({
      traceparent: undefined,
      run: (work) => work(),
      end: (more) => void spans.push({ ...begun, more }),
    });
    tracing.tracer = { tellsClients: false, start, failed: () => undefined, bind: (work) => work };
  });

  it('of a message of another node has one span, whose parent is the publish', () => {
    expect(router.route({ ...envelope(user('ann'), message), trace: TRACE }, true)).toBe(1);
    expect(spans).toEqual([
      {
        kind: 'delivery',
        name: 'deliver user',
        attributes: { 'realtime.address': 'user' },
        parent: TRACE,
        more: { 'realtime.recipients': 1 },
      },
    ]);
  });

  it('of a message of this node has none, nor has one without a context', () => {
    void router.route({ ...envelope(user('ann'), message), trace: TRACE });
    void router.route(envelope(user('ann'), message), true);
    expect([spans, delivered.length]).toEqual([[], 2]);
  });

  it('through a stream carries the context on', () => {
    streams.add('a');
    void router.route({ ...envelope(topic('a'), { ...message, position }), trace: TRACE }, true);
    expect(arrived).toEqual([['a', { offset: 3, text: '"hi"', trace: TRACE }, 'e']]);
  });
});
