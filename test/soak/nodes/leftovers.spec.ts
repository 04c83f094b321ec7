import { once } from 'node:events';
import { connect } from 'node:net';
import { createClient } from '@redis/client';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { FaultNode } from '../../faults/load/fault-node.js';
import { Line } from '../../helpers/line.js';
import { RedisServer } from '../../helpers/redis-server.js';
import { checkNodesWithoutClients, checkServersWithoutNodes } from '../checker/check-leftovers.js';
import { leftWithoutClients, leftWithoutNodes } from './leftovers.js';

/** Within it everything is gone that goes. */
const SETTLED_MS = 15_000;

let redis: RedisServer;
let node: FaultNode;
beforeAll(async () => {
  redis = await RedisServer.start();
  node = await FaultNode.start({ redis: { url: redis.url, lingerMs: 100 } });
});
afterAll(async () => {
  await node.kill();
  await redis.end();
});

async function foundWithoutClients(withinMs = 0): Promise<string> {
  const found: string[] = [];
  const left = await leftWithoutClients([node], [redis], 1, withinMs);
  checkNodesWithoutClients(left, (_kind, what) => found.push(what));
  return found.join('\n');
}

async function foundWithoutNodes(withinMs = 0): Promise<string> {
  const found: string[] = [];
  checkServersWithoutNodes(await leftWithoutNodes([redis], withinMs), (_kind, what) => found.push(what));
  return found.join('\n');
}

describe('The look for what is left', () => {
  it('finds the session, the subscriptions and the sockets of clients that are still there, until they go', async () => {
    const line = (await Line.open(node.port, 'ann'))!;
    await line.ask({ action: 'subscribe', topic: 'room:1' });
    const socket = connect(node.port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    await expect.poll(() => node.ask('clientSockets')).toBe(2);
    const found = await foundWithoutClients();
    for (const what of ['in the memory of', '2 sockets of clients', '1 subscriptions by counts()', 'topic:room:1'])
      expect(found).toContain(what);
    socket.destroy();
    line.close();
    expect(await foundWithoutClients(SETTLED_MS)).toBe('');
  });

  it('finds a key that does not expire, and one that expires after 70 days, and lets one of an hour be', async () => {
    const key = 'realtime@0:{1}:presence';
    await redis.cli('SET', key, 1);
    expect(await foundWithoutNodes()).toContain(`key ${key}, which does not expire`);
    await redis.cli('PEXPIRE', key, 70 * 86_400_000);
    expect(await foundWithoutNodes()).toContain(`key ${key}, which expires in `);
    await redis.cli('PEXPIRE', key, 3_600_000);
    expect(await foundWithoutNodes()).not.toContain('key ');
  });

  it.each(['subscribe', 'sSubscribe'] as const)('finds a channel that somebody has taken by %s', async (how) => {
    const client = createClient({ url: redis.url });
    onTestFinished(() => client.destroy());
    await client.connect();
    await client[how]('realtime@0:topic:hall:1', () => undefined);
    expect(await foundWithoutNodes()).toContain('channel realtime@0:topic:hall:1');
  });

  it('finds that a server cannot be looked at', async () => {
    const away = await RedisServer.start();
    await away.end();
    expect((await leftWithoutNodes([away], 0)).unseen).not.toEqual([]);
    expect((await leftWithoutClients([node], [away], 1, 0)).unseen).not.toEqual([]);
  });
});
