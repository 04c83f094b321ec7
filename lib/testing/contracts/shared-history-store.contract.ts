import assert from 'node:assert/strict';
import type { ContractCase } from './contract-case.js';
import { HistoryNode, positionOf, span, textOf, type HistoryStoreSetup } from './history-node.js';

/**
 * Guarantees of every `HistoryStore` that connects nodes, in addition to the contract for one node. The stores that one case
 * creates belong to nodes that reach each other.
 * @publicApi
 */
export const sharedHistoryStoreContract: readonly ContractCase<HistoryStoreSetup>[] = [
  historyCase('finds on one node what was published on another', async (a, b) => {
    const topic = HistoryNode.topic();
    const position = positionOf(await a.publish(topic, 'hello'));
    const { top, publications } = await b.page(topic, { limit: 10 });
    assert.deepEqual({ ...top }, position);
    assert.deepEqual(publications, [{ offset: 1, text: textOf('hello') }]);
  }),
  historyCase('counts without a hole what several nodes publish at the same time', async (a, b) => {
    const topic = HistoryNode.topic();
    const reports = (await Promise.all([a.fill(topic, 100), b.fill(topic, 100)])).flat();
    const offsets = reports.map(({ offset }) => offset).sort((one, other) => one - other);
    assert.deepEqual(offsets, span(1, 200));
    assert.equal(new Set(reports.map(({ epoch }) => epoch)).size, 1);
  }),
  historyCase('has one epoch for nodes that ask for the first time together', async (a, b) => {
    const topic = HistoryNode.topic();
    const [here, there] = await Promise.all([a.top(topic), b.top(topic)]);
    assert.deepEqual(here, there);
  }),
  historyCase('hands what several nodes publish to all of them, in the order of the offsets', async (a, b) => {
    const topic = HistoryNode.topic();
    await Promise.all([a.join(topic), b.join(topic)]);
    await Promise.all([a.fill(topic, 50), b.fill(topic, 50)]);
    for (const node of [a, b]) {
      await node.node.inbox.hold(100);
      assert.deepEqual(node.arrivedAt, span(1, 100));
    }
  }),
  historyCase('reports what all nodes have reached', async (a, b) => {
    const topic = HistoryNode.topic();
    await Promise.all([a.join(topic), b.join(topic)]);
    const { recipients, nodes, complete } = await a.publish(topic);
    assert.deepEqual({ recipients, nodes, complete }, { recipients: 3, nodes: 2, complete: true });
  }),
  historyCase('knows only the node that publishes when no report is asked for', async (a, b) => {
    const topic = HistoryNode.topic();
    await Promise.all([a.join(topic), b.join(topic)]);
    const { recipients, nodes, complete } = await a.publish(topic, 'hello', { report: false });
    assert.deepEqual({ recipients, nodes, complete }, { recipients: 1, nodes: 1, complete: false });
    await b.node.inbox.hold(1);
  }),
  historyCase('publishes once what another node publishes again with the same key', async (a, b) => {
    const topic = HistoryNode.topic();
    const first = await a.publish(topic, 'hello', { key: 'k' });
    assert.deepEqual(positionOf(await b.publish(topic, 'hello', { key: 'k' })), positionOf(first));
    assert.equal((await a.top(topic)).offset, 1);
  }),
];

/** Runs a case on two nodes: the first reports one connection for each publication, the second two. */
function historyCase(
  name: string,
  use: (a: HistoryNode, b: HistoryNode) => Promise<void>,
): ContractCase<HistoryStoreSetup> {
  return {
    name,
    run: (create) => HistoryNode.run(create, (a) => HistoryNode.run(create, (b) => use(a, b), 2), 1),
  };
}
