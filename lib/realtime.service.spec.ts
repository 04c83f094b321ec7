import { beforeEach, describe, expect, it, vi } from 'vitest';
import { InMemoryHistoryStore } from './adapters/in-memory/in-memory-history-store.js';
import { InMemoryNodeDirectory } from './adapters/in-memory/in-memory-node-directory.js';
import { InMemoryPresenceStore } from './adapters/in-memory/in-memory-presence-store.js';
import { all, connection, role, topic, user, type Address } from './core/routing/address.js';
import { createConnection, type RealtimeConnection } from './core/connection/connection.js';
import { localReport, type DeliveryReport } from './core/routing/delivery-report.js';
import type { Envelope } from './core/routing/envelope.js';
import type { NodeQuery } from './core/bus/node-query.js';
import { ConnectionEvents } from './delivery/connection-events.js';
import { FurtherServers } from './delivery/further-servers.js';
import { LocalPresence } from './delivery/local-presence.js';
import { NodeDrain } from './delivery/node-drain.js';
import { PublishedStreams, StreamRules } from './delivery/published-streams.js';
import { NodeLifecycle } from './delivery/node-lifecycle.js';
import { RealtimeError } from './errors/realtime.error.js';
import { MessageBus, type BusPublishOptions } from './ports/message-bus.js';
import { RealtimeSettings, type RealtimeOptions } from './options/realtime.options.js';
import { RealtimeService } from './realtime.service.js';
import { EventLoopDelay } from './delivery/event-loop-delay.js';
import { NodeHealth } from './delivery/node-health.js';
import { NodeMeter } from './delivery/node-meter.js';
import { RealtimeTracing } from './ports/realtime-tracing.js';

const NEWS = { type: 'news' };

/** A bus between machines, as far as a send can tell: what it answers is up to the test. */
class FakeBus extends MessageBus {
  answer: () => DeliveryReport | Promise<DeliveryReport> = () => localReport(1);
  readonly published: { subject: string; envelope: Envelope; options: BusPublishOptions }[] = [];

  publish(subject: string, envelope: Envelope, options: BusPublishOptions) {
    this.published.push({ subject, envelope, options });
    return this.answer();
  }

  readonly isAttached = true;
  results: readonly RealtimeConnection[] = [];
  readonly asked: { subject: string; query: NodeQuery }[] = [];
  ask(subject: string, query: NodeQuery) {
    this.asked.push({ subject, query });
    return this.results as never;
  }
  open() {}
  join() {}
  leave() {}
  close() {}
}

let bus: FakeBus;
let drain: NodeDrain;
let realtime: RealtimeService;

function create(options: RealtimeOptions = {}): RealtimeService {
  const [directory, events] = [new InMemoryNodeDirectory(), new ConnectionEvents()];
  const [settings, clock] = [new RealtimeSettings(options), { now: () => 0 }];
  const history = new InMemoryHistoryStore(bus, clock, { next: () => 'e1' });
  const isKept = (name: string) => name.startsWith('log:') || name === '#user:kept';
  const of = (name: string) => (isKept(name) ? { history: { size: 3, ttlMs: 1_000 } } : undefined);
  const policies = { hasGateways: false, of };
  const lifecycle = new NodeLifecycle();
  lifecycle.started();
  const presence = new InMemoryPresenceStore(bus);
  const meter = new NodeMeter();
  const health = new NodeHealth(lifecycle, drain, bus, meter, new EventLoopDelay(), clock);
  const [node, ids] = [{ id: 'n1' }, { next: () => 'r1' }];
  const local = new LocalPresence(presence, 0);
  const rules = new StreamRules(0, () => undefined);
  return new RealtimeService(
    bus,
    directory,
    clock,
    events,
    settings,
    drain,
    history,
    policies,
    presence,
    lifecycle,
    new FurtherServers(),
    meter,
    health,
    new PublishedStreams(bus, history, presence, local, policies, node, lifecycle, drain, ids, clock, rules, meter),
    new RealtimeTracing(),
  );
}

beforeEach(() => {
  bus = new FakeBus();
  drain = new NodeDrain();
  realtime = create();
});

describe('a send', () => {
  it.each<[what: string, to: Address[], subject: string]>([
    ['a user', [user('ann')], 'user:ann'],
    ['a role', [role('admin')], 'role:admin'],
    ['a topic', [topic('feed')], 'topic:feed'],
    ['a connection', [connection('n1.c1')], 'node:n1'],
    ['everybody', [all()], 'all'],
    ['several addresses', [user('ann'), user('bob')], 'all'],
  ])('to %s goes out once, on the subject for it', async (_what, to, subject) => {
    await realtime.to(...to).send(NEWS);
    expect(bus.published.map((sent) => [sent.subject, sent.envelope.to])).toEqual([[subject, to]]);
  });

  it.each<[what: string, to: Address[]]>([
    ['no address', []],
    ['an id that no node can have given out', [connection('nobody')]],
  ])('to %s does not go out', async (_what, to) => {
    const report = await realtime.to(...to).send(NEWS);
    expect([report, bus.published]).toEqual([localReport(0), []]);
  });

  it('carries the message as text, with the time of the clock', async () => {
    await realtime.broadcast({ type: 'news', payload: { n: 1 } });
    expect(bus.published[0]!.envelope.content).toEqual({
      kind: 'message',
      text: '{"type":"news","payload":{"n":1},"timestamp":"1970-01-01T00:00:00.000Z"}',
    });
  });

  it('carries its exceptions', async () => {
    await realtime.to(all()).except(user('ann')).except(role('admin')).send(NEWS);
    expect(bus.published[0]!.envelope.except).toEqual([user('ann'), role('admin')]);
  });

  it('answers what the bus answers', async () => {
    const report = { recipients: 7, nodes: 3, complete: false };
    bus.answer = async () => report;
    expect(await realtime.broadcast(NEWS)).toBe(report);
  });

  it('rejects when the bus rejects', async () => {
    bus.answer = () => Promise.reject(new RealtimeError('UNAVAILABLE', 'away'));
    await expect(realtime.broadcast(NEWS)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('rejects, and never throws, when the bus throws', async () => {
    bus.answer = () => {
      throw new Error('broken');
    };
    await expect(realtime.broadcast(NEWS)).rejects.toThrow('broken');
  });

  it.each([
    ['by default', {}, undefined, true],
    ['unless the module says otherwise', { report: false }, undefined, false],
    ['unless the call says otherwise', {}, { report: false }, false],
    ['when the call asks for them, whatever the module says', { report: false }, { report: true }, true],
  ])('asks the nodes for their answers %s', async (_when, options, sendOptions, report) => {
    await create(options).broadcast(NEWS, sendOptions);
    expect(bus.published[0]!.options).toEqual({ report });
  });
});

describe('what is sent to a user for whom it is kept', () => {
  it('goes to the user with its place, which the report has as well', async () => {
    const report = await realtime.sendToUser('kept', NEWS);
    const { epoch } = report;
    expect(report).toEqual({ ...localReport(1), epoch: expect.any(String), offset: 1 });
    expect(bus.published).toMatchObject([
      { subject: 'user:kept', envelope: { to: [user('kept')], content: { position: { epoch, offset: 1 } } } },
    ]);
  });

  it.each([
    ['to others as well', () => realtime.to(user('kept'), user('ann')).send(NEWS)],
    ['with exceptions', () => realtime.to(user('kept')).except(role('admin')).send(NEWS)],
    ['as an exception', () => realtime.to(all()).except(user('kept')).send(NEWS)],
  ])('has no place when it goes %s', async (_how, send) => {
    expect(await send()).toEqual(localReport(1));
    expect(bus.published[0]!.envelope.content).not.toHaveProperty('position');
  });

  it('takes no idempotency key', async () => {
    const options = { idempotencyKey: 'k' } as never;
    await expect(realtime.sendToUser('kept', NEWS, options)).rejects.toMatchObject({ argument: 'idempotencyKey' });
  });
});

describe.each<[string, (service: RealtimeService) => Promise<boolean>, object]>([
  ['subscribing', (service) => service.subscribe('n1.c1', 'feed'), { kind: 'subscribe', topic: 'feed' }],
  [
    'unsubscribing',
    (service) => service.unsubscribe('n1.c1', 'feed', { reason: 'closed' }),
    { kind: 'unsubscribe', topic: 'feed', reason: 'closed' },
  ],
])('%s a connection', (_what, order, content) => {
  it('goes to its node alone', async () => {
    await order(realtime);
    expect(bus.published).toMatchObject([{ subject: 'node:n1', envelope: { to: [connection('n1.c1')], content } }]);
  });

  it('asks for an answer even if sends do not', async () => {
    await order(create({ report: false }));
    expect(bus.published[0]!.options).toEqual({ report: true });
  });

  it.each([
    ['true when it was carried out', 1, true],
    ['false when it changed nothing', 0, false],
  ])('is %s', async (_when, recipients, answer) => {
    bus.answer = () => localReport(recipients);
    expect(await order(realtime)).toBe(answer);
  });

  it('rejects when nobody can tell what became of it', async () => {
    bus.answer = () => ({ recipients: 0, nodes: 0, complete: false });
    await expect(order(realtime)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});

describe('disconnecting', () => {
  it.each([
    [undefined, { code: 'FORCED', reason: 'disconnected by the application' }],
    [{ reason: 'enough' }, { code: 'FORCED', reason: 'enough' }],
    [{ reconnect: true }, { code: 'DISCONNECTED', reason: 'disconnected by the application' }],
  ])('with %j orders a close', async (options, content) => {
    await realtime.disconnect(user('ann'), options);
    expect(bus.published[0]!.envelope.content).toEqual({ kind: 'disconnect', ...content });
  });
});

describe('changing rights', () => {
  it('orders what is given, and nothing else', async () => {
    await realtime.changeRights(user('ann'), { roles: ['admin'] });
    expect(bus.published).toMatchObject([{ subject: 'user:ann', envelope: { to: [user('ann')] } }]);
    expect(bus.published[0]!.envelope.content).toEqual({ kind: 'rights', roles: ['admin'] });
  });

  it.each<[what: string, rights: unknown, argument: string]>([
    ['nothing', undefined, 'rights'],
    ['neither roles nor permissions', {}, 'rights'],
    ['roles that are no list', { roles: 'admin' }, 'roles'],
    ['an empty name', { permissions: [''] }, 'permissions'],
  ])('to %s is refused', async (_what, rights, argument) => {
    await expect(realtime.changeRights(user('ann'), rights as never)).rejects.toMatchObject({ argument });
    expect(bus.published).toEqual([]);
  });
});

describe('a query', () => {
  const found = (id: string, at: number) => createConnection({ id, userId: 'ann', createdAt: new Date(at) });

  it.each<[what: string, ask: (service: RealtimeService) => Promise<unknown>, subject: string, query: object]>([
    ['for a user', (service) => service.connectionsOf('ann'), 'user:ann', { kind: 'connections', of: user('ann') }],
    [
      'for a connection',
      (service) => service.connection('n1.c'),
      'node:n1',
      { kind: 'connections', of: connection('n1.c') },
    ],
    ['for its topics', (service) => service.topicsOf('n1.c'), 'node:n1', { kind: 'topics', of: 'n1.c' }],
    [
      'for subscribers',
      (service) => service.subscribersOf('feed'),
      'topic:feed',
      { kind: 'connections', of: topic('feed') },
    ],
  ])('%s goes to those who can know', async (_what, ask, subject, query) => {
    await ask(realtime);
    expect(bus.asked).toEqual([{ subject, query }]);
  });

  it('about an id that no node can have given out is not asked', async () => {
    expect([await realtime.connection('nobody'), await realtime.topicsOf('nobody'), bus.asked]).toEqual([
      undefined,
      [],
      [],
    ]);
  });

  it('for a user’s connections is answered with the oldest first', async () => {
    bus.results = [found('n2.b', 2), found('n1.a', 1)];
    expect((await realtime.connectionsOf('ann')).map(({ id }) => id)).toEqual(['n1.a', 'n2.b']);
  });

  it('has one order of connections of the same millisecond, whoever answers first', async () => {
    const [one, other] = [found('n1.a', 1), found('n2.b', 1)];
    for (const results of [
      [one, other],
      [other, one],
    ]) {
      bus.results = results;
      expect((await realtime.connectionsOf('ann')).map(({ id }) => id)).toEqual(['n1.a', 'n2.b']);
    }
  });
});

describe('draining', () => {
  it('is what the node does', async () => {
    const end = vi.fn();
    drain.onStart(end);
    const before = realtime.isDraining;
    await realtime.drain();
    expect([before, realtime.isDraining, end.mock.calls.length]).toEqual([false, true, 1]);
  });

  it('happens once, however often it is asked for', async () => {
    const end = vi.fn();
    drain.onStart(end);
    await Promise.all([realtime.drain(), realtime.drain()]);
    expect(end).toHaveBeenCalledOnce();
  });
});
