import assert from 'node:assert/strict';
import { isEpoch } from '../../core/history/history.js';
import { addressOfTopic } from '../../core/routing/topic-address.js';
import type { ContractCase } from './contract-case.js';
import { HistoryNode, positionOf, span, textOf, textsOf, type HistoryStoreSetup } from './history-node.js';

/** A retention short enough for a test to wait for its end, and long enough for a slow machine to read before. */
const BRIEF = { size: 10, ttlMs: 2_000 };

/**
 * Guarantees of every `HistoryStore` on one node. Topics are unique to each case.
 * @publicApi
 */
export const historyStoreContract: readonly ContractCase<HistoryStoreSetup>[] = [
  historyCase('has a position for a topic to which nothing was published: the offset 0, in an epoch', async (node) => {
    const { epoch, offset } = await node.top(HistoryNode.topic());
    assert.equal(offset, 0);
    assert.ok(isEpoch(epoch), `${JSON.stringify(epoch)} must be 1 to 64 letters, digits, _ or -`);
  }),
  historyCase('has the same epoch before the first publication and after it', async (node) => {
    const topic = HistoryNode.topic();
    const { epoch } = await node.top(topic);
    assert.deepEqual(positionOf(await node.publish(topic)), { epoch, offset: 1 });
  }),
  historyCase('counts the publications of a topic from 1, in one epoch', async (node) => {
    const topic = HistoryNode.topic();
    const first = await node.publish(topic);
    assert.equal(first.offset, 1);
    for (const offset of [2, 3]) {
      assert.deepEqual(positionOf(await node.publish(topic)), { epoch: first.epoch, offset });
    }
  }),
  historyCase('counts without a hole what is published at the same time', async (node) => {
    const reports = await node.fill(HistoryNode.topic(), 200);
    const offsets = reports.map(({ offset }) => offset).sort((a, b) => a - b);
    assert.deepEqual(offsets, span(1, 200));
  }),
  historyCase('knows the position of the latest publication', async (node) => {
    const topic = HistoryNode.topic();
    await node.publish(topic);
    const latest = await node.publish(topic);
    assert.deepEqual(await node.top(topic), positionOf(latest));
  }),
  historyCase('counts each topic for itself, and in an epoch of its own', async (node) => {
    const [here, there] = [HistoryNode.topic(), HistoryNode.topic()];
    await node.fill(here, 3);
    const other = await node.publish(there);
    assert.equal(other.offset, 1);
    assert.notEqual(other.epoch, (await node.top(here)).epoch);
  }),
  historyCase('keeps what was published to one topic out of another', async (node) => {
    const [here, there] = [HistoryNode.topic(), HistoryNode.topic()];
    await node.publish(here, 'here');
    await node.publish(there, 'there');
    const { publications } = await node.page(here, { limit: 10 });
    assert.deepEqual(publications, [{ offset: 1, text: textOf('here') }]);
  }),

  historyCase('hands each publication to the bus with its position', async (node) => {
    const topic = HistoryNode.topic();
    await node.join(topic);
    const position = positionOf(await node.publish(topic, 'hello'));
    await node.node.inbox.hold(1);
    assert.deepEqual(node.node.inbox.envelopes, [
      { to: [{ kind: 'topic', id: topic }], except: [], content: { kind: 'message', text: textOf('hello'), position } },
    ]);
  }),
  historyCase(
    'hands what is published to the topic of a user’s own to the bus as something for that user',
    async (node) => {
      const topic = HistoryNode.personalTopic();
      await node.join(topic);
      const position = positionOf(await node.publish(topic, 'hello'));
      await node.node.inbox.hold(1);
      assert.deepEqual(node.node.inbox.envelopes, [
        { to: [addressOfTopic(topic)], except: [], content: { kind: 'message', text: textOf('hello'), position } },
      ]);
      assert.deepEqual((await node.page(topic, { limit: 10 })).publications, [{ offset: 1, text: textOf('hello') }]);
    },
  ),
  historyCase('keeps apart the topics of users whose ids no UTF-8 can tell apart', async (node) => {
    const topic = HistoryNode.personalTopic();
    await node.publish(`${topic}\ud800`, 'hello');
    assert.deepEqual(await node.offsets(`${topic}\ud801`, { limit: 10 }), []);
  }),
  historyCase('hands publications to the bus in the order of their offsets', async (node) => {
    const topic = HistoryNode.topic();
    await node.join(topic);
    await node.fill(topic, 200);
    await node.node.inbox.hold(200);
    assert.deepEqual(node.arrivedAt, span(1, 200));
  }),
  historyCase('keeps what it has handed to the bus, in the same order', async (node) => {
    const topic = HistoryNode.topic();
    await node.join(topic);
    await node.fill(topic, 50);
    await node.node.inbox.hold(50);
    const { publications } = await node.page(topic, { limit: 50 });
    assert.deepEqual(
      textsOf(publications),
      node.arrived.map(({ text }) => text),
    );
  }),
  historyCase(
    'reports what a publication has reached',
    async (node) => {
      const topic = HistoryNode.topic();
      await node.join(topic);
      const { epoch, ...report } = await node.publish(topic);
      assert.deepEqual(report, { recipients: 7, nodes: 1, complete: true, offset: 1 });
      assert.ok(isEpoch(epoch));
    },
    7,
  ),
  historyCase('keeps what has reached nobody', async (node) => {
    const topic = HistoryNode.topic();
    const { recipients, nodes, complete } = await node.publish(topic);
    assert.deepEqual({ recipients, nodes, complete }, { recipients: 0, nodes: 0, complete: true });
    assert.deepEqual(await node.offsets(topic, { limit: 10 }), [1]);
  }),
  historyCase('publishes when no report is asked for', async (node) => {
    const topic = HistoryNode.topic();
    await node.join(topic);
    const { offset } = await node.publish(topic, 'hello', { report: false });
    await node.node.inbox.hold(1);
    assert.equal(offset, 1);
  }),
  historyCase('carries and keeps a long text of any characters unchanged', async (node) => {
    const topic = HistoryNode.topic();
    const payload = 'ü€😀\u2028\u0000"\\\r\n'.repeat(5_000);
    await node.join(topic);
    await node.publish(topic, payload);
    await node.node.inbox.hold(1);
    const { publications } = await node.page(topic, { limit: 1 });
    assert.equal(node.arrived[0]?.text, textOf(payload));
    assert.equal(publications[0]?.text, textOf(payload));
  }),

  historyCase('keeps the last publications, as many as it is told to', async (node) => {
    const topic = HistoryNode.topic();
    await node.fill(topic, 250, { size: 101, ttlMs: 60_000 });
    assert.deepEqual(await node.offsets(topic, { limit: 1_000 }), span(150, 250));
  }),
  historyCase('keeps all of them until the time after the last one is over', async (node) => {
    const topic = HistoryNode.topic();
    await node.publish(topic, 1, { retention: BRIEF });
    await node.elapse(BRIEF.ttlMs * 0.6);
    await node.publish(topic, 2, { retention: BRIEF });
    await node.elapse(BRIEF.ttlMs * 0.6);
    assert.deepEqual(await node.offsets(topic, { limit: 10 }, BRIEF), [1, 2]);
  }),
  historyCase('forgets them when that time is over, and goes on counting in the same epoch', async (node) => {
    const topic = HistoryNode.topic();
    const retention = { size: 10, ttlMs: 50 };
    await node.publish(topic, 1, { retention });
    const { epoch } = await node.publish(topic, 2, { retention });
    await node.elapse(100);
    const { top, publications } = await node.page(topic, { limit: 10 }, retention);
    assert.deepEqual({ ...top, publications }, { epoch, offset: 2, publications: [] });
    assert.deepEqual(positionOf(await node.publish(topic)), { epoch, offset: 3 });
    assert.deepEqual(await node.offsets(topic, { limit: 10 }), [3]);
  }),

  historyCase('finds no more than the limit, the oldest first', async (node) => {
    const topic = HistoryNode.topic();
    await node.fill(topic, 5);
    assert.deepEqual(await node.offsets(topic, { limit: 2 }), [1, 2]);
  }),
  historyCase('finds the latest first in reverse', async (node) => {
    const topic = HistoryNode.topic();
    await node.fill(topic, 5);
    assert.deepEqual(await node.offsets(topic, { limit: 2, reverse: true }), [5, 4]);
  }),
  historyCase('finds the position alone when nothing more is asked for', async (node) => {
    const topic = HistoryNode.topic();
    await node.fill(topic, 5);
    const { top, publications } = await node.page(topic, { limit: 0 });
    assert.deepEqual([top.offset, publications], [5, []]);
  }),
  historyCase('finds those after an offset', async (node) => {
    const topic = HistoryNode.topic();
    await node.fill(topic, 5);
    assert.deepEqual(await node.offsets(topic, { limit: 2, since: 2 }), [3, 4]);
  }),
  historyCase('finds those before an offset, in reverse', async (node) => {
    const topic = HistoryNode.topic();
    await node.fill(topic, 5);
    assert.deepEqual(await node.offsets(topic, { limit: 2, since: 4, reverse: true }), [3, 2]);
  }),
  historyCase('begins with the oldest that is kept when what follows an offset is not', async (node) => {
    const topic = HistoryNode.topic();
    await node.fill(topic, 10, { size: 3, ttlMs: 60_000 });
    assert.deepEqual(await node.offsets(topic, { limit: 10, since: 2 }), [8, 9, 10]);
  }),
  historyCase('finds nothing before the oldest that is kept, and nothing after the latest', async (node) => {
    const topic = HistoryNode.topic();
    await node.fill(topic, 10, { size: 3, ttlMs: 60_000 });
    assert.deepEqual(await node.offsets(topic, { limit: 10, since: 8, reverse: true }), []);
    assert.deepEqual(await node.offsets(topic, { limit: 10, since: 0, reverse: true }), []);
    assert.deepEqual(await node.offsets(topic, { limit: 10, since: 10 }), []);
  }),
  historyCase('takes an offset that was never counted for one behind the latest', async (node) => {
    const topic = HistoryNode.topic();
    await node.fill(topic, 3);
    const since = Number.MAX_SAFE_INTEGER;
    assert.deepEqual(await node.offsets(topic, { limit: 10, since }), []);
    assert.deepEqual(await node.offsets(topic, { limit: 10, since, reverse: true }), [3, 2, 1]);
  }),
  historyCase('finds everything once, page by page, in both directions', async (node) => {
    const topic = HistoryNode.topic();
    await node.fill(topic, 25);
    for (const [reverse, expected] of [
      [false, span(1, 25)],
      [true, span(25, 1)],
    ] as const) {
      const found: number[] = [];
      let page = await node.offsets(topic, { limit: 10, reverse });
      while (page.length > 0 && found.length < 100) {
        found.push(...page);
        page = await node.offsets(topic, { limit: 10, reverse, since: found.at(-1)! });
      }
      assert.deepEqual(found, expected);
    }
  }),

  historyCase('publishes once what is published again with the same key', async (node) => {
    const topic = HistoryNode.topic();
    await node.join(topic);
    const first = await node.publish(topic, 'once', { key: 'k' });
    await node.publish(topic, 'between');
    const { epoch, offset, recipients, complete, repeated } = await node.publish(topic, 'once', { key: 'k' });
    assert.deepEqual({ epoch, offset }, positionOf(first));
    assert.deepEqual({ recipients, complete, repeated }, { recipients: 0, complete: false, repeated: true });
    assert.equal(first.repeated, undefined);
    await node.node.settled();
    assert.deepEqual(textsOf((await node.page(topic, { limit: 10 })).publications), ['once', 'between'].map(textOf));
    assert.equal(node.arrived.filter(({ text }) => text === textOf('once')).length, 1);
  }),
  historyCase('publishes once what is published several times at the same time with the same key', async (node) => {
    const topic = HistoryNode.topic();
    const reports = await Promise.all(span(1, 20).map(() => node.publish(topic, 'hello', { key: 'k' })));
    assert.deepEqual(
      reports.map(({ offset }) => offset),
      reports.map(() => 1),
    );
    assert.equal((await node.top(topic)).offset, 1);
  }),
  historyCase('takes different keys, and none, for different publications', async (node) => {
    const topic = HistoryNode.topic();
    for (const key of ['k', 'k ', ' k', 'K', undefined, undefined]) {
      await node.publish(topic, 'hello', key === undefined ? {} : { key });
    }
    assert.equal((await node.top(topic)).offset, 6);
  }),
  historyCase('takes the same key in two topics for two', async (node) => {
    const [here, there] = [HistoryNode.topic(), HistoryNode.topic()];
    await node.publish(here, 'hello', { key: 'k' });
    const { offset, recipients, complete } = await node.publish(there, 'hello', { key: 'k' });
    assert.deepEqual({ offset, recipients, complete }, { offset: 1, recipients: 0, complete: true });
  }),
];

function historyCase(
  name: string,
  use: (node: HistoryNode) => Promise<void>,
  reached?: number,
): ContractCase<HistoryStoreSetup> {
  return { name, run: (create) => HistoryNode.run(create, use, reached) };
}
