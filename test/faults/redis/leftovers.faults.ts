import { describe, expect, it } from 'vitest';
import { Line } from '../../helpers/line.js';
import { Fleet } from './fleet.js';

const NOTHING = { keys: 0, channels: 0, subscribers: 0 };

const close = (fleet: Fleet) => Promise.all(fleet.nodes.map((node) => node.close()));

describe('What is left in Redis', () => {
  it('is nothing when all nodes are closed', async () => {
    const fleet = await Fleet.start();
    await close(fleet);
    await expect.poll(() => fleet.holdings()).toEqual(NOTHING);
  });

  it('is as before when many clients have come and gone', async () => {
    const fleet = await Fleet.start({ over: { lingerMs: 50 } });
    const before = await fleet.holdings();
    const [first, second] = fleet.nodes;
    const visit = async (n: number) => {
      const node = n % 2 === 0 ? first! : second!;
      const line = await Line.open(Number(new URL(node.url).port), `visitor-${n}`);
      const id = await line!.welcomed;
      await node.realtime.subscribe(id!, `topic-${n % 30}`);
      if (n % 3 === 0) line!.cut();
      else line!.close();
      await line!.closed;
    };
    for (let round = 0; round < 5; round++) await Promise.all(Array.from({ length: 40 }, (_, n) => visit(n)));
    await expect.poll(() => fleet.holdings()).toEqual(before);
  });

  it('is as before when connections to Redis were lost again and again', async () => {
    const fleet = await Fleet.start();
    const before = await fleet.holdings();
    for (let time = 0; time < 4; time++) {
      await fleet.redis.cli('CLIENT', 'KILL', 'TYPE', 'PUBSUB');
      for (const { proxy } of fleet.nodes) proxy.cut('PUBLISH');
      await fleet.healed();
    }
    await expect.poll(() => fleet.holdings()).toEqual(before);
    const connections = await fleet.redis.cli('CLIENT', 'LIST', 'TYPE', 'NORMAL');
    // One for the commands of each node, and the one that asks.
    expect(connections.split('\n')).toHaveLength(fleet.nodes.length + 1);
  });

  it('goes when the lease runs out, where a node was closed while Redis was away', async () => {
    const fleet = await Fleet.start({ over: { leaseRefreshMs: 200, leaseTtlMs: 1_000 } });
    for (const { proxy } of fleet.nodes) proxy.refuse();
    await close(fleet);
    expect(await fleet.holdings()).toMatchObject({ channels: 0, subscribers: 0 });
    await expect.poll(() => fleet.holdings()).toEqual(NOTHING);
  });
});
