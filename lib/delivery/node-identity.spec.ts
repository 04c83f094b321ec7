import { expect, it } from 'vitest';
import { RandomIdGenerator } from '../adapters/system/random-id-generator.js';
import { connectionIdOn, nodeOf } from '../core/connection/connection-id.js';
import { NodeIdentity } from './node-identity.js';

it('two nodes never have the same name', () => {
  const ids = new RandomIdGenerator();
  expect(new NodeIdentity(ids).id).not.toBe(new NodeIdentity(ids).id);
});

it('a node is found by the ids of its connections', () => {
  const ids = new RandomIdGenerator();
  const node = new NodeIdentity(ids);
  expect(nodeOf(connectionIdOn(node.id, ids.next()))).toBe(node.id);
});
