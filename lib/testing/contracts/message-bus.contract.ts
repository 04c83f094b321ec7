import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { all, connection, role, topic, user } from '../../core/routing/address.js';
import type { Envelope, EnvelopeContent } from '../../core/routing/envelope.js';
import type { MessageBus } from '../../ports/message-bus.js';
import { BusNode, envelope, message, subject, uniqueTopic } from './bus-node.js';
import type { ContractCase } from './contract-case.js';

const CONTENTS: readonly EnvelopeContent[] = [
  { kind: 'subscribe', topic: 'chat:1' },
  { kind: 'message', text: '{"type":"contract","payload":{"a":[1,null]},"timestamp":"2026-01-31T12:00:00.000Z"}' },
  { kind: 'unsubscribe', topic: 'chat:1', reason: 'the room was closed' },
  { kind: 'disconnect', code: 'FORCED', reason: 'signed out' },
  { kind: 'rights', roles: ['admin', 'ünal'], permissions: [] },
  { kind: 'metadata', patch: { plan: 'gold', trial: null }, reauthorize: true },
  { kind: 'revalidate' },
  { kind: 'stop-stream', topic: 'chat:1', id: 'answer:42' },
];

/**
 * Guarantees of every `MessageBus` on one node. It may be connected to other nodes: subjects are unique to each case, and
 * cases wait up to 2 s for effects that may take time.
 * @publicApi
 */
export const messageBusContract: readonly ContractCase<MessageBus>[] = [
  busCase('delivers what is published to a joined subject, to the node that published it too', async (node) => {
    const here = uniqueTopic();
    await node.bus.join(subject(here));
    await node.publish(here);
    await node.inbox.hold(1);
  }),
  busCase('delivers each envelope once', async (node) => {
    const here = uniqueTopic();
    await node.bus.join(subject(here));
    await node.publish(here);
    await node.inbox.hold(1);
    assert.equal((await node.settled()).length, 1);
  }),
  busCase('delivers nothing from a subject that was not joined', async (node) => {
    await node.bus.join(subject(uniqueTopic()));
    await node.publish(uniqueTopic());
    assert.deepEqual(await node.settled(), []);
  }),
  busCase('delivers nothing from a subject that was left', async (node) => {
    const here = uniqueTopic();
    await node.bus.join(subject(here));
    await node.bus.leave(subject(here));
    await node.publish(here);
    assert.deepEqual(await node.settled(), []);
  }),
  busCase('keeps other subjects joined when one is left', async (node) => {
    const [here, there] = [uniqueTopic(), uniqueTopic()];
    await node.bus.join(subject(here));
    await node.bus.join(subject(there));
    await node.bus.leave(subject(there));
    await node.publish(here);
    await node.inbox.hold(1);
  }),
  busCase('delivers from a subject that was left and joined again', async (node) => {
    const here = uniqueTopic();
    await node.bus.join(subject(here));
    await node.bus.leave(subject(here));
    await node.bus.join(subject(here));
    await node.publish(here);
    await node.inbox.hold(1);
  }),
  busCase('is joined when a join was called after a leave, settled or not', async (node) => {
    const here = uniqueTopic();
    await node.bus.join(subject(here));
    await Promise.all([node.bus.leave(subject(here)), node.bus.join(subject(here))]);
    await node.publish(here);
    await node.inbox.hold(1);
  }),
  busCase('delivers each envelope once from a subject that was joined again', async (node) => {
    const here = uniqueTopic();
    await node.bus.join(subject(here));
    await node.bus.join(subject(here));
    await node.publish(here);
    await node.inbox.hold(1);
    assert.equal((await node.settled()).length, 1);
  }),
  busCase('delivers nothing from a subject that was left once, however often it was joined', async (node) => {
    const here = uniqueTopic();
    await node.bus.join(subject(here));
    await node.bus.join(subject(here));
    await node.bus.leave(subject(here));
    await node.publish(here);
    assert.deepEqual(await node.settled(), []);
  }),
  busCase('joins many subjects at the same time', async (node) => {
    const topics = Array.from({ length: 50 }, uniqueTopic);
    await Promise.all(topics.map((here) => node.bus.join(subject(here))));
    await Promise.all(topics.map((here) => node.publish(here)));
    await node.inbox.hold(topics.length);
  }),
  busCase('joins a subject of any text', async (node) => {
    const here = user(`ü \r\n"'\\{}*?[a]:#${randomUUID()}`);
    await node.bus.join(subject(here));
    await node.publish(here);
    await node.inbox.hold(1);
  }),
  busCase('takes a subject for a name, not for a pattern', async (node) => {
    const stem = `contract-${randomUUID()}`;
    await node.bus.join(subject(user(`${stem}*`)));
    await node.publish(user(`${stem}-1`));
    assert.deepEqual(await node.settled(), []);
  }),
  busCase('keeps the order of what is published to a subject', async (node) => {
    const here = uniqueTopic();
    const sent = Array.from({ length: 200 }, (_, i) => message(here, i));
    await assertArrival(node, here, sent);
  }),
  busCase('keeps the order of messages and orders among each other', async (node) => {
    const here = uniqueTopic();
    await assertArrival(
      node,
      here,
      [...CONTENTS, ...CONTENTS].map((content) => envelope(here, content)),
    );
  }),
  busCase('carries every kind of content unchanged', async (node) => {
    const here = uniqueTopic();
    await node.bus.join(subject(here));
    for (const [i, content] of CONTENTS.entries()) {
      await node.publish(here, envelope(here, content));
      await node.inbox.hold(i + 1);
      assert.deepEqual(node.inbox.envelopes[i]?.content, content);
    }
  }),
  busCase('carries a long text of any characters unchanged', async (node) => {
    const here = uniqueTopic();
    await assertArrival(node, here, [message(here, 'ü€😀\u2028\u0000"\\\r\n'.repeat(5_000))]);
  }),
  busCase('carries addresses and exceptions unchanged', async (node) => {
    const here = uniqueTopic();
    const addresses = [user('ünal'), role('a b'), connection('n.1'), topic('chat:1'), all()];
    const sent = { ...message(here, 'hello'), to: addresses, except: addresses.slice(0, 4).reverse() };
    await assertArrival(node, here, [sent]);
  }),
  busCase(
    'reports the connections that were reached, and the node that reached them',
    async (node) => {
      const here = uniqueTopic();
      await node.bus.join(subject(here));
      assert.deepEqual({ ...(await node.publish(here)) }, { recipients: 7, nodes: 1, complete: true });
    },
    7,
  ),
  busCase(
    'does not count a node that reached nobody',
    async (node) => {
      const here = uniqueTopic();
      await node.bus.join(subject(here));
      assert.deepEqual({ ...(await node.publish(here)) }, { recipients: 0, nodes: 0, complete: true });
    },
    0,
  ),
  busCase('reports no recipients, and no error, when nobody has joined the subject', async (node) => {
    assert.deepEqual({ ...(await node.publish(uniqueTopic())) }, { recipients: 0, nodes: 0, complete: true });
  }),
  busCase('delivers when no report is asked for', async (node) => {
    const here = uniqueTopic();
    await node.bus.join(subject(here));
    await node.publish(here, message(here, 'hello'), false);
    await node.inbox.hold(1);
  }),
  busCase(
    'reports an order that takes effect later once it has',
    async (node) => {
      const here = uniqueTopic();
      await node.bus.join(subject(here));
      node.inbox.isLate = true;
      const report = await node.publish(here, envelope(here, CONTENTS[0]!));
      assert.deepEqual({ ...report }, { recipients: 4, nodes: 1, complete: true });
    },
    4,
  ),
  busCase('is attached once it was opened', async (node) => {
    assert.equal(node.bus.isAttached, true);
  }),
  busCase('is not attached after it was closed', async (node) => {
    await node.close();
    assert.equal(node.bus.isAttached, false);
  }),
  busCase('asks the node itself about a subject that it has joined', async (node) => {
    const here = uniqueTopic();
    await node.bus.join(subject(here));
    node.results = ['chat:1', 'chat:2'];
    assert.deepEqual(await node.bus.ask(subject(here), { kind: 'topics', of: 'n.1' }), ['chat:1', 'chat:2']);
  }),
  busCase('passes the query on unchanged', async (node) => {
    const here = uniqueTopic();
    await node.bus.join(subject(here));
    await node.bus.ask(subject(here), { kind: 'connections', of: user('ünal "\n') });
    assert.deepEqual(node.queries, [{ kind: 'connections', of: user('ünal "\n') }]);
  }),
  busCase('finds nothing, and no error, when nobody has joined the subject', async (node) => {
    node.results = ['chat:1'];
    assert.deepEqual(await node.bus.ask(subject(uniqueTopic()), { kind: 'topics', of: 'n.1' }), []);
  }),
  busCase('delivers nothing after it was closed', async (node) => {
    const here = uniqueTopic();
    await node.bus.join(subject(here));
    await node.close();
    await node.publish(here).catch(() => undefined);
    assert.deepEqual(node.inbox.envelopes, []);
  }),
  busCase('refuses what is published or asked after it was closed', async (node) => {
    const here = uniqueTopic();
    await node.bus.join(subject(here));
    await node.close();
    const ask = async () => node.bus.ask(subject(here), { kind: 'connections', of: here });
    await assert.rejects(node.publish(here), { code: 'UNAVAILABLE' });
    await assert.rejects(node.publish(here, envelope(here, { kind: 'revalidate' })), { code: 'UNAVAILABLE' });
    await assert.rejects(ask(), { code: 'UNAVAILABLE' });
  }),
];

function busCase(name: string, use: (node: BusNode) => Promise<void>, reached?: number): ContractCase<MessageBus> {
  return { name, run: (create) => BusNode.run(create, use, reached) };
}

/** Publishes without waiting in between, and compares the envelopes that arrive with those sent. */
async function assertArrival(node: BusNode, to: ReturnType<typeof topic>, sent: readonly Envelope[]): Promise<void> {
  await node.bus.join(subject(to));
  await Promise.all(sent.map((each) => node.publish(to, each)));
  await node.inbox.hold(sent.length);
  assert.deepEqual(node.inbox.envelopes, sent);
}
