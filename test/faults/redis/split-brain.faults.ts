import { OnSubscribe, TopicGateway } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { collectLogs } from '../../helpers/handler-harness.js';
import { startRedis } from '../../helpers/redis-server.js';
import { Fleet } from './fleet.js';
import { without } from './history-twins.js';
import { startReplica } from './replica.js';

@TopicGateway('log', { history: { size: 100, ttlMs: 60_000 } })
class Log {
  @OnSubscribe()
  enter() {
    return true;
  }
}

const RISK = 'min-replicas-to-write is 0';

/**
 * A master is cut off from its replica, and acknowledges two more publications. The replica takes over, and the client that got
 * them comes back. @returns what the client is told, and gets
 */
async function splitBrain() {
  const fleet = await Fleet.start({ size: 1, providers: [Log] });
  const [node] = fleet.nodes;
  const replica = await startReplica(fleet.redis);
  const publish = (payload: string) => node!.realtime.publish('log', { type: 'entry', payload });
  await publish('kept');
  await expect.poll(() => replica.cli('XLEN', 'realtime@0:history:log')).toBe('1');
  await replica.cli('REPLICAOF', '127.0.0.1', 1);
  const ann = await node!.connectAs('ann');
  await ann.request({ action: 'subscribe', topic: 'log' });
  const { epoch, offset } = [await publish('lost 1'), await publish('lost 2')][1]!;
  await ann.next(({ payload }) => payload === 'lost 2');
  await ann.close();

  await replica.cli('REPLICAOF', 'NO', 'ONE');
  node!.proxy.redirect(replica.port);
  node!.proxy.refuse();
  await expect.poll(() => node!.realtime.isAttached).toBe(false);
  node!.proxy.pass();
  await fleet.healed();
  for (const payload of ['new 1', 'new 2', 'new 3']) await publish(payload);
  const back = await node!.connectAs('ann');
  const { payload } = await back.request({ action: 'subscribe', topic: 'log', recover: { epoch, offset } });
  await back.settled();
  const got = back.pending.filter(({ type }) => type === 'entry').map((frame) => frame.payload as string);
  return { recovered: (payload as { recovered: boolean }).recovered, got };
}

describe('A client that got what an old master acknowledged and its successor does not have', () => {
  it('is told that its position is lost', async () => {
    expect(await splitBrain()).toEqual({ recovered: false, got: [] });
  });

  it('would be told that it has missed nothing but the last one, if the run of the server were not looked at', async () => {
    without.runId();
    expect(await splitBrain()).toEqual({ recovered: true, got: ['new 3'] });
  });
});

describe('A node that boots on a master with replicas', () => {
  /** @returns the warnings about what the master does without its replicas */
  async function warnings(args: readonly string[], hasReplica = true) {
    const logs = collectLogs();
    const redis = await startRedis({ args });
    if (hasReplica) await startReplica(redis);
    const fleet = await Fleet.start({ redis });
    await fleet.healed();
    return logs.filter((line) => line.includes(RISK));
  }

  it('warns when it acknowledges publications without them', async () => {
    expect(await warnings([])).toHaveLength(2);
  });

  it('is silent when it refuses to', async () => {
    expect(await warnings(['--min-replicas-to-write', '1', '--min-replicas-max-lag', '10'])).toEqual([]);
  });

  it('is silent where there are none', async () => {
    expect(await warnings([], false)).toEqual([]);
  });
});
