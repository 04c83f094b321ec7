import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { RedisScript } from '../../../lib/adapters/redis/connection/redis-script.js';
import type { StreamPosition } from '../../../lib/core/history/history.js';
import type { PositionedReport } from '../../../lib/ports/history-store.js';
import { collectLogs } from '../../helpers/handler-harness.js';
import { RedisBusNode } from '../../helpers/redis-bus-node.js';
import { startRedis, type RedisServer } from '../../helpers/redis-server.js';
import { startTcpProxy, type TcpProxy } from '../../helpers/tcp-proxy.js';
import { without } from './history-twins.js';
import { startReplica } from './replica.js';

const TOPIC = 'chat:1';
const SUBJECT = 'topic:chat:1';
const RETENTION = { size: 100, ttlMs: 60_000 };
const TIMEOUT_MS = 2_000;

/** How long it may take until a node is back, once Redis is. */
const BACK_MS = 10_000;

let redis: RedisServer;
let proxy: TcpProxy;
/** Reaches Redis through the proxy. */
let node: RedisBusNode;

const startOn = (port: number, probeIntervalMs = 10_000) =>
  RedisBusNode.start({
    url: `redis://127.0.0.1:${port}`,
    commandTimeoutMs: TIMEOUT_MS,
    leaseRefreshMs: 200,
    leaseTtlMs: TIMEOUT_MS,
    probeIntervalMs,
  });

beforeEach(async () => {
  collectLogs();
  redis = await startRedis();
  proxy = await startTcpProxy(redis.port);
  node = await startOn(proxy.port);
  await node.bus.join(SUBJECT);
});

const publish = (text = 'hello', idempotencyKey?: string, on = node): Promise<PositionedReport> =>
  Promise.resolve(
    on.history.publish(TOPIC, `{"type":"t","payload":"${text}"}`, RETENTION, {
      report: true,
      ...(idempotencyKey !== undefined && { idempotencyKey }),
    }),
  );

async function fill(count: number, on = node): Promise<StreamPosition> {
  for (let n = 0; n < count; n++) await publish('hello', undefined, on);
  return top(on);
}

const read = (range: { readonly limit: number; readonly since?: number }, on = node) =>
  on.history.read(TOPIC, range, RETENTION);

const top = async (on = node): Promise<StreamPosition> => (await read({ limit: 0 }, on)).top;

const offsets = async (since?: number) =>
  (await read({ limit: 1_000, ...(since !== undefined && { since }) })).publications.map(({ offset }) => offset);

/** The positions of what has arrived at a node, in that order. */
const arrivedAt = ({ arrived }: RedisBusNode): StreamPosition[] =>
  arrived.flatMap(({ content }) => (content.kind === 'message' && content.position ? [content.position] : []));

/** Does something to the connections of the node, and waits until it has lost them and is back. */
async function lose(connections: () => Promise<void>): Promise<void> {
  const { missed } = node;
  await connections();
  await vi.waitFor(() => expect(node.missed).toBeGreaterThan(missed), { timeout: BACK_MS });
  await vi.waitFor(() => expect(node.bus.isAttached).toBe(true), { timeout: BACK_MS });
}

/** Has the store take every run of a server for the same. */
function ignoreRuns(): void {
  const { run } = RedisScript.prototype;
  const spy = vi.spyOn(RedisScript.prototype, 'run').mockImplementation(function (
    this: RedisScript,
    server,
    keys,
    args,
  ) {
    const isOfHistory = keys[0]?.includes(':stream:');
    return run.call(this, server, keys, isOfHistory ? ['some run', ...args.slice(1)] : args);
  });
  onTestFinished(() => spy.mockRestore());
}

describe('When Redis is killed and comes back empty', () => {
  it('publications are refused meanwhile, and then counted from 1 in another epoch', async () => {
    const before = await fill(3);
    await lose(async () => {
      await redis.kill();
      const since = performance.now();
      await expect(publish()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await expect(read({ limit: 1 })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      expect(performance.now() - since).toBeLessThan(TIMEOUT_MS);
      await redis.restart();
    });
    const after = await publish();
    expect(after.offset).toBe(1);
    expect(after.epoch).not.toBe(before.epoch);
    expect(arrivedAt(node)).toHaveLength(4);
  });
});

describe('When Redis is killed and comes back with an older state', () => {
  const rollBack = async (): Promise<{ readonly before: StreamPosition; readonly after: StreamPosition }> => {
    await fill(10);
    await redis.cli('SAVE');
    const before = await fill(5);
    await lose(async () => {
      await redis.kill();
      await redis.restart();
    });
    await fill(5);
    return { before, after: await top() };
  };

  it('offsets that are given out again stand in another epoch, and what was kept is there', async () => {
    const { before, after } = await rollBack();
    expect([before.offset, after.offset]).toEqual([15, 15]);
    expect(after.epoch).not.toBe(before.epoch);
    expect(await offsets()).toEqual(Array.from({ length: 15 }, (_, n) => n + 1));
  });

  it('two different messages would have one place, if the run of the server were not looked at', async () => {
    ignoreRuns();
    const { before, after } = await rollBack();
    expect(after).toEqual(before);
  });
});

let replica: RedisServer;

/** A replica takes over that has not heard the last five of 15 publications. */
const failOver = async () => {
  replica = await startReplica(redis);
  await fill(10);
  await vi.waitFor(async () => expect(await replica.cli('XLEN', 'realtime@0:history:chat:1')).toBe('10'), {
    timeout: BACK_MS,
  });
  // Later publications do not reach it.
  await replica.cli('REPLICAOF', '127.0.0.1', 1);
  const before = await fill(5);
  const isolated = await startOn(redis.port);
  await lose(async () => {
    await replica.cli('REPLICAOF', 'NO', 'ONE');
    proxy.redirect(replica.port);
    proxy.cut();
  });
  return { before, isolated };
};

describe('When a replica takes over without the last publications', () => {
  it('its offsets stand in another epoch than those that the old master still gives out', async () => {
    const { before, isolated } = await failOver();
    const [here, there] = [await publish(), await publish('elsewhere', undefined, isolated)];
    expect([here.offset, there.offset]).toEqual([11, 16]);
    expect(there.epoch).toBe(before.epoch);
    expect(here.epoch).not.toBe(before.epoch);
  });

  it('they would stand in the same one, if the run of the server were not looked at', async () => {
    ignoreRuns();
    const { before } = await failOver();
    expect(await publish()).toMatchObject({ epoch: before.epoch, offset: 11 });
  });
});

describe('When a master that was replaced is the master again', () => {
  it('what only it had stands in another epoch, of a topic too that nobody has used meanwhile', async () => {
    const { before } = await failOver();
    // Something is published, of which the other topic knows nothing.
    await node.history.publish('chat:2', '{"type":"t"}', RETENTION, { report: true });
    await redis.cli('REPLICAOF', '127.0.0.1', replica.port);
    await vi.waitFor(async () => expect(await redis.cli('XLEN', 'realtime@0:history:chat:1')).toBe('10'), {
      timeout: BACK_MS,
    });
    await lose(async () => {
      await redis.cli('REPLICAOF', 'NO', 'ONE');
      proxy.redirect(redis.port);
      proxy.cut();
    });
    await fill(5);
    const after = await top();
    expect([before.offset, after.offset]).toEqual([15, 15]);
    expect(after.epoch).not.toBe(before.epoch);
  });
});

describe('When Redis is emptied while messages are published', () => {
  it('every epoch begins at 1 and has no hole, and each message arrives once', async () => {
    const reports: PositionedReport[] = [];
    for (let round = 0; round < 5; round++) {
      reports.push(...(await Promise.all(Array.from({ length: 20 }, () => publish()))));
      await redis.cli('FLUSHALL');
    }
    const places = new Map<string, number[]>();
    for (const { epoch, offset } of reports) places.set(epoch, [...(places.get(epoch) ?? []), offset]);
    expect([...places.values()]).toEqual(Array.from({ length: 5 }, () => Array.from({ length: 20 }, (_, n) => n + 1)));
    expect(arrivedAt(node)).toEqual(reports.map(({ epoch, offset }) => ({ epoch, offset })));
    expect(await offsets()).toEqual([]);
  });
});

describe('When the answer to a publication is lost', () => {
  const loseAnswer = async (key?: string) => {
    const other = await startOn(redis.port);
    await other.bus.join(SUBJECT);
    await publish('before');
    await lose(async () => {
      const cut = proxy.cutAfterRequest('lost');
      await expect(publish('lost', key)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await cut;
    });
    const again = await publish('lost', key);
    await publish('after');
    await vi.waitFor(() => expect(other.texts).toContain('after'), { timeout: BACK_MS });
    return { again, texts: other.texts };
  };

  it('it may be published again with the same key: it has its place, and has arrived once', async () => {
    const { again, texts } = await loseAnswer('k');
    expect(again).toMatchObject({ offset: 2, recipients: 0, complete: false });
    expect(texts).toEqual(['before', 'lost', 'after']);
    expect(await offsets()).toEqual([1, 2, 3]);
  });

  it('it would arrive twice without a key', async () => {
    const { again, texts } = await loseAnswer();
    expect(again.offset).toBe(3);
    expect(texts).toEqual(['before', 'lost', 'lost', 'after']);
  });
});

describe('When Redis is full', () => {
  it('publications are refused, and none is missing when there is room again', async () => {
    const before = await fill(2);
    await redis.cli('CONFIG', 'SET', 'maxmemory', 1);
    const refusal = {
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/^Redis has no memory left for the history: OOM command not allowed/) as string,
    };
    await expect(publish()).rejects.toMatchObject(refusal);
    await expect(node.history.publish('new', '{"type":"t"}', RETENTION, { report: true })).rejects.toMatchObject(
      refusal,
    );
    expect(await offsets()).toEqual([1, 2]);
    await redis.cli('CONFIG', 'SET', 'maxmemory', 0);
    expect(await publish()).toMatchObject({ epoch: before.epoch, offset: 3 });
    expect(arrivedAt(node).map(({ offset }) => offset)).toEqual([1, 2, 3]);
  });

  it('and has thrown a position away, what was kept is not taken for what follows', async () => {
    const before = await fill(3);
    await redis.cli('DEL', 'realtime@0:stream:chat:1');
    const after = await publish();
    expect(after.offset).toBe(1);
    expect(after.epoch).not.toBe(before.epoch);
    expect(await offsets()).toEqual([1]);
  });

  it('and has thrown a position away, two different messages would have one place if epochs had no names', async () => {
    without.epochs();
    await fill(1);
    await redis.cli('DEL', 'realtime@0:stream:chat:1');
    const before = await publish();
    await redis.cli('DEL', 'realtime@0:stream:chat:1');
    expect(await publish()).toMatchObject({ epoch: before.epoch, offset: before.offset });
  });

  it('and has thrown publications away, that shows in what is found', async () => {
    const before = await fill(3);
    await redis.cli('DEL', 'realtime@0:history:chat:1');
    expect(await read({ limit: 10, since: 1 })).toEqual({ top: before, publications: [] });
    await publish();
    expect(await offsets(1)).toEqual([4]);
  });
});

describe('When Redis forgets its scripts while messages are published', () => {
  it('each gets its place, and arrives once, in order', async () => {
    const all: Promise<PositionedReport>[] = [];
    for (let round = 0; round < 10; round++) {
      all.push(...Array.from({ length: 20 }, () => publish()));
      await redis.cli('SCRIPT', 'FLUSH');
    }
    const counted = (await Promise.all(all)).map(({ offset }) => offset).sort((a, b) => a - b);
    const expected = Array.from({ length: 200 }, (_, n) => n + 1);
    expect(counted).toEqual(expected);
    expect(arrivedAt(node).map(({ offset }) => offset)).toEqual(expected);
  });
});

describe('When Redis has lost a subscription that its node takes for good', () => {
  it('the node finds out by a publication that reaches nobody', async () => {
    const deaf = await startOn(proxy.port, 600_000);
    await node.stop();
    await deaf.bus.join(SUBJECT);
    proxy.stall(['replies'], 'subscribe');
    // The proxy reads until it has had enough, and then does not see the end of the connection either.
    for (let n = 0; n < 3; n++) await redis.cli('PUBLISH', 'realtime@0:topic:chat:1', 'x'.repeat(100_000));
    await redis.cli('CLIENT', 'KILL', 'TYPE', 'PUBSUB');
    expect(deaf.bus.isAttached).toBe(true);
    expect(await publish('hello', undefined, deaf)).toMatchObject({ offset: 1, recipients: 0 });
    expect(deaf.bus.isAttached).toBe(false);
    proxy.pass();
    await vi.waitFor(() => expect(deaf.missed).toBe(1), { timeout: BACK_MS });
    expect(await publish('hello', undefined, deaf)).toMatchObject({ offset: 2, recipients: 1, complete: true });
  });
});
