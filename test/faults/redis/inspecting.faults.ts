import { redisBackend } from 'nestjs-realtime/redis';
import { RealtimeInspectorModule } from 'nestjs-realtime/inspector';
import { expect, it } from 'vitest';
import { trustNewServers } from '../../helpers/old-servers.js';
import { startRealtimeApp } from '../../helpers/realtime-app.js';
import { startRedis } from '../../helpers/redis-server.js';

class OpenGuard {
  canActivate = () => true;
}

/** Two nodes, of which the first has the inspector. */
async function stage() {
  trustNewServers();
  const redis = await startRedis();
  const backend = () => redisBackend({ url: redis.url });
  const imports = [RealtimeInspectorModule.forRoot({ guard: OpenGuard, tail: true })];
  const [a, b] = [
    await startRealtimeApp({ backend: backend(), imports }),
    await startRealtimeApp({ backend: backend() }),
  ];
  const fleet = async (query = '') => (await fetch(`${a.url}/realtime/fleet.json${query}`)).json() as Promise<any>;
  /** What is said of the other node. */
  const other = async () => {
    const { nodes, nodeId } = await fleet();
    return nodes.find(({ id }: { id: string }) => id !== nodeId);
  };
  await expect.poll(async () => (await other())?.state).toBe('up');
  return { redis, a, b, fleet, other };
}

it('the inspector of one node shows what another one holds, which needs no inspector', async () => {
  const { a, b, other } = await stage();
  await a.connectAs('ann');
  await b.connectAs('bob');
  await b.connectAs('cid');
  expect(await other()).toMatchObject({
    state: 'up',
    counts: { connections: 2, users: 2 },
    queueBytes: expect.any(Number),
  });
});

it('the inspector of one node shows what another one publishes to a topic', async () => {
  const { b, fleet } = await stage();
  await fleet('?tail=news');
  await b.realtime.publish('news', { type: 'note' });
  const { tail, nodes, nodeId } = await fleet('?tail=news');
  expect(tail).toEqual([expect.objectContaining({ type: 'note', nodeId: expect.not.stringMatching(nodeId) })]);
  expect(nodes).toHaveLength(2);
});

it('the inspector finds the connections of a user on all nodes', async () => {
  const { a, b } = await stage();
  await a.connectAs('ann');
  const { id } = await b.connectAs('ann');
  await b.realtime.subscribe(id, 'news');
  const found: any = await (await fetch(`${a.url}/realtime/user.json?id=ann`)).json();
  expect(found).toMatchObject({ isComplete: true, count: 2 });
  expect(found.connections.map(({ topics }: { topics: string[] }) => topics)).toEqual(
    expect.arrayContaining([[], ['news']]),
  );
});

it('while Redis is away, the inspector shows its own node as degraded and the other as silent, and goes on afterwards', async () => {
  const { redis, a, fleet, other } = await stage();
  await a.connectAs('ann');
  await redis.kill();
  const own = async () => {
    const { nodes, nodeId } = await fleet();
    return nodes.find(({ id }: { id: string }) => id === nodeId);
  };
  await expect.poll(async () => (await own()).state).toBe('degraded');
  expect(await own()).toMatchObject({ counts: { connections: 1 }, reasons: [expect.stringContaining('reached')] });
  expect((await other()).state).toBe('silent');
  const found: any = await (await fetch(`${a.url}/realtime/user.json?id=ann`)).json();
  expect(found.isComplete).toBe(false);
  await redis.restart();
  await expect.poll(async () => (await other())?.state).toBe('up');
  expect((await own()).state).toBe('up');
});
