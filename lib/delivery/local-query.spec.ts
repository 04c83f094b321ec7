import { beforeEach, expect, it } from 'vitest';
import { InMemoryConnectionRegistry } from '../adapters/in-memory/in-memory-connection-registry.js';
import { InMemoryPubSubManager } from '../adapters/in-memory/in-memory-pub-sub-manager.js';
import { all, role, topic, user, type Address } from '../core/routing/address.js';
import { createConnection } from '../core/connection/connection.js';
import { LocalDelivery } from './local-delivery.js';
import type { NodeInspection } from './node-inspection.js';
import type { InspectionRequest } from '../core/bus/node-query.js';
import { LocalQuery } from './local-query.js';
import { PresenceWatchers } from './presence-watchers.js';
import { NodeMeter } from './node-meter.js';

const ann = createConnection({ id: 'n.1', userId: 'ann', roles: ['admin'], createdAt: new Date(0) });
const bob = createConnection({ id: 'n.2', userId: 'bob', createdAt: new Date(0) });

let query: LocalQuery;

beforeEach(() => {
  const [registry, pubSub] = [new InMemoryConnectionRegistry(), new InMemoryPubSubManager()];
  registry.set(ann);
  registry.set(bob);
  pubSub.subscribe('n.2', 'feed');
  pubSub.subscribe('n.2', 'chat:1');
  query = new LocalQuery(
    registry,
    pubSub,
    new LocalDelivery(registry, pubSub, new PresenceWatchers(), { now: () => 0 }, new NodeMeter()),
    { snapshot: (of: InspectionRequest) => ({ nodeId: 'n', of }) } as unknown as NodeInspection,
  );
});

it.each<[what: string, of: Address, found: object[]]>([
  ['of a user', user('ann'), [ann]],
  ['of a role', role('admin'), [ann]],
  ['of a topic', topic('feed'), [bob]],
  ['of everybody', all(), [ann, bob]],
  ['of nobody', user('eve'), []],
])('the connections %s are found', (_what, of, found) => {
  expect(query.run({ kind: 'connections', of })).toEqual(found);
});

it('the topics of a connection are found', () => {
  expect(query.run({ kind: 'topics', of: 'n.2' })).toEqual(['feed', 'chat:1']);
});

it('answers an inspection with one snapshot of this node', () => {
  expect(query.run({ kind: 'inspection', of: { tail: 'chat' } })).toEqual([{ nodeId: 'n', of: { tail: 'chat' } }]);
});
