import assert from 'node:assert/strict';
import { user } from '../../core/routing/address.js';
import { createConnection } from '../../core/connection/connection.js';
import type { NodeSnapshot } from '../../core/bus/node-snapshot.js';
import type { MessageBus } from '../../ports/message-bus.js';
import { BusNode, envelope, message, subject, uniqueTopic } from './bus-node.js';
import type { ContractCase } from './contract-case.js';

/**
 * Guarantees of every `MessageBus` that connects nodes, in addition to the contract for one node. The buses that one case
 * creates belong to nodes that reach each other.
 * @publicApi
 */
export const sharedMessageBusContract: readonly ContractCase<MessageBus>[] = [
  busCase('delivers to every node that has joined the subject', async (a, b) => {
    const here = await joined(a, b);
    await a.publish(here);
    await Promise.all([a.inbox.hold(1), b.inbox.hold(1)]);
  }),
  busCase('delivers each envelope once to each node', async (a, b) => {
    const here = await joined(a, b);
    await a.publish(here);
    assert.deepEqual([(await a.settled()).length, (await b.settled()).length], [1, 1]);
  }),
  busCase('delivers nothing to a node that has not joined the subject', async (a, b) => {
    const here = await joined(a);
    await a.publish(here);
    await a.inbox.hold(1);
    assert.deepEqual(await b.settled(), []);
  }),
  busCase('delivers nothing to a node that has left the subject', async (a, b) => {
    const here = await joined(a, b);
    await b.bus.leave(subject(here));
    await a.publish(here);
    await a.inbox.hold(1);
    assert.deepEqual(await b.settled(), []);
  }),
  busCase('reports the connections that all nodes reached, and how many nodes reached them', async (a, b) => {
    const here = await joined(a, b);
    assert.deepEqual({ ...(await a.publish(here)) }, { recipients: 3, nodes: 2, complete: true });
  }),
  busCase('reports what another node has reached', async (a, b) => {
    const here = await joined(b);
    assert.deepEqual({ ...(await a.publish(here)) }, { recipients: 2, nodes: 1, complete: true });
  }),
  busCase('reports all of many envelopes that are published at the same time', async (a, b) => {
    const here = await joined(a, b);
    const reports = await Promise.all(Array.from({ length: 200 }, () => a.publish(here)));
    for (const report of reports) assert.deepEqual({ ...report }, { recipients: 3, nodes: 2, complete: true });
  }),
  busCase('does not wait for a node that has left the subject', async (a, b) => {
    const here = await joined(a, b);
    await b.bus.leave(subject(here));
    assert.deepEqual({ ...(await a.publish(here)) }, { recipients: 1, nodes: 1, complete: true });
  }),
  busCase('does not wait for a node that has closed', async (a, b) => {
    const here = await joined(a, b);
    await b.close();
    assert.deepEqual({ ...(await a.publish(here)) }, { recipients: 1, nodes: 1, complete: true });
  }),
  busCase('knows only the node that publishes when no report is asked for', async (a, b) => {
    const here = await joined(a, b);
    const report = await a.publish(here, message(here, 'hello'), false);
    assert.deepEqual({ ...report }, { recipients: 1, nodes: 1, complete: false });
    await b.inbox.hold(1);
  }),
  busCase('knows that no other node was reached, though no report is asked for', async (a) => {
    const here = await joined(a);
    const report = await a.publish(here, message(here, 'hello'), false);
    assert.deepEqual({ ...report }, { recipients: 1, nodes: 1, complete: true });
  }),
  busCase('keeps the order of what one node publishes to a subject', async (a, b) => {
    const here = await joined(b);
    const sent = Array.from({ length: 200 }, (_, i) => message(here, i));
    await Promise.all(sent.map((each) => a.publish(here, each)));
    await b.inbox.hold(sent.length);
    assert.deepEqual(b.inbox.envelopes, sent);
  }),
  busCase('delivers what several nodes publish to a subject in one order to all', async (a, b) => {
    const here = await joined(a, b);
    const publish = (node: BusNode) => Array.from({ length: 50 }, (_, i) => node.publish(here, message(here, i)));
    await Promise.all([...publish(a), ...publish(b)]);
    await Promise.all([a.inbox.hold(100), b.inbox.hold(100)]);
    assert.deepEqual(a.inbox.envelopes, b.inbox.envelopes);
  }),
  busCase('waits for a node whose orders take effect later', async (a, b) => {
    const here = await joined(b);
    b.inbox.isLate = true;
    const report = await a.publish(here, envelope(here, { kind: 'subscribe', topic: 'chat:1' }));
    assert.deepEqual({ ...report }, { recipients: 2, nodes: 1, complete: true });
  }),
  busCase('asks every node that has joined the subject', async (a, b) => {
    const here = await joined(a, b);
    a.results = ['here'];
    b.results = ['there', 'everywhere'];
    const found = await a.bus.ask(subject(here), { kind: 'topics', of: 'n.1' });
    assert.deepEqual([...found].sort(), ['everywhere', 'here', 'there']);
  }),
  busCase('asks no node that has not joined the subject', async (a, b) => {
    const here = await joined(a);
    a.results = ['here'];
    b.results = ['there'];
    assert.deepEqual(await a.bus.ask(subject(here), { kind: 'topics', of: 'n.1' }), ['here']);
  }),
  busCase('carries connections that were found unchanged', async (a, b) => {
    const here = await joined(b);
    const found = createConnection({
      id: 'n.1',
      userId: 'ünal',
      roles: ['admin', 'staff'],
      permissions: ['read'],
      metadata: { device: { name: 'phone', tags: [1, null] } },
      createdAt: new Date(1_000),
      expiresAt: new Date(2_000),
    });
    b.results = [found];
    assert.deepEqual(await a.bus.ask(subject(here), { kind: 'connections', of: user('ünal') }), [found]);
  }),
  busCase('carries the snapshots of nodes unchanged', async (a, b) => {
    const here = await joined(b);
    b.results = [snapshot];
    const found = await a.bus.ask(subject(here), { kind: 'inspection', of: { tail: 'chat:1' } }, { partial: true });
    assert.deepEqual([found, b.queries], [[snapshot], [{ kind: 'inspection', of: { tail: 'chat:1' } }]]);
  }),
  busCase('brings more than one message could hold', async (a, b) => {
    const here = await joined(b);
    b.results = Array.from({ length: 5_000 }, (_, i) => `topic:${i}`);
    assert.deepEqual(await a.bus.ask(subject(here), { kind: 'topics', of: 'n.1' }), b.results);
  }),
];

const snapshot: NodeSnapshot = {
  nodeId: 'b',
  at: 2_000,
  startedAt: 1_000,
  counts: { connections: 3, users: 2, topics: 1, subscriptions: 4 },
  health: { status: 'up', reasons: [] },
  queueBytes: 0,
  loopDelayMs: 0.5,
  traffic: [{ address: 'topic', pattern: 'chat:{id}', sent: 4, received: 2, rates: { sent: 0.5, received: 0 } }],
  closes: [{ kind: '3008', count: 1, last: [{ at: 1_500, code: 3008, reason: 'slow', byServer: true }] }],
  refusals: [],
  tail: [{ n: 1, at: 1_900, type: 'said', bytes: 20 }],
};

/** Runs a case on two nodes: the first reports one connection for each envelope, the second two. */
function busCase(name: string, use: (a: BusNode, b: BusNode) => Promise<void>): ContractCase<MessageBus> {
  return {
    name,
    run: (create) => BusNode.run(create, (a) => BusNode.run(create, (b) => use(a, b), 2), 1),
  };
}

/** Returns a topic that only these nodes have joined. */
async function joined(...nodes: readonly BusNode[]): Promise<ReturnType<typeof uniqueTopic>> {
  const here = uniqueTopic();
  for (const node of nodes) await node.bus.join(subject(here));
  return here;
}
