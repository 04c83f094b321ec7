import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { RedisChannels } from '../connection/redis-channels.js';
import type { RedisServer } from '../connection/redis-server.js';
import { NodeCoverage } from './node-coverage.js';

/**
 * A server where these nodes are subscribed, the nodes that live, and what was found.
 * @param subscribed `a`, or `a 1` if only in partition 1
 */
function setUp(subscribed: readonly string[], live: readonly string[], partitions = 0) {
  const asked: (readonly string[])[] = [];
  const settled: (readonly [sequence: number, isCovered: boolean])[] = [];
  const nodes = new Set(live);
  const state = { isRefused: false, restored: [0, 0, 0, 0, 0, 0, 0, 0] };
  const sendCommand = async (args: string[]) => {
    asked.push(args.filter((name) => !name.includes(':restored:')));
    const counts = [...state.restored];
    await nextTurn();
    if (state.isRefused) throw new Error('NOPERM');
    return args.slice(2).flatMap((name) => {
      const [, restores] = /:restored:(\d)$/.exec(name) ?? [];
      const isSubscribed = subscribed.some((each) => isOf(name, each));
      return [name, restores === undefined ? Number(isSubscribed) : counts[Number(restores)]];
    });
  };
  const isOf = (name: string, subscription: string) => {
    const [id, partition] = subscription.split(' ');
    return name.endsWith(`${partition === undefined ? '' : `{${partition}}`}:probe:${id}`);
  };
  const commands = { run: (use: (client: unknown) => Promise<unknown>) => use({ sendCommand }) };
  const server = { commands, isSharded: partitions > 0, runId: 'run' } as unknown as RedisServer;
  const holders = { liveOthers: () => [...nodes], isLive: (id: string) => nodes.has(id) };
  const coverage = new NodeCoverage(
    new RedisChannels('realtime', 0, partitions),
    holders,
    (...found) => void settled.push(found),
  );
  /** The names of others than the channels of restores that each check has asked for. */
  const checks = () => asked.filter(({ length }) => length > 2);
  return { coverage, server, checks, settled, nodes, state };
}

const settle = async () => {
  for (let turn = 0; turn < 10; turn++) await nextTurn();
};

describe('a message', () => {
  it('is covered when every live node is subscribed', async () => {
    const { coverage, server, checks, settled } = setUp(['a', 'b', 'stranger'], ['a', 'b']);
    coverage.check(server, 1, 0);
    await settle();
    expect(settled).toEqual([[1, true]]);
    expect(checks()).toEqual([['PUBSUB', 'NUMSUB', 'realtime@0:probe:a', 'realtime@0:probe:b']]);
  });

  it('is not when a live node is missing, however many others are subscribed', async () => {
    const { coverage, server, settled } = setUp(['a', 'stranger', 'another'], ['a', 'b']);
    coverage.check(server, 1, 0);
    await settle();
    expect(settled).toEqual([[1, false]]);
  });

  it('is when the node that is missing has ended meanwhile', async () => {
    const { coverage, server, settled, nodes } = setUp(['a'], ['a', 'b']);
    coverage.check(server, 1, 0);
    await Promise.resolve();
    nodes.delete('b');
    await settle();
    expect(settled).toEqual([[1, true]]);
  });

  it('is not when Redis does not say', async () => {
    const { coverage, server, settled, state } = setUp(['a'], ['a']);
    state.isRefused = true;
    coverage.check(server, 1, 0);
    await settle();
    expect(settled).toEqual([[1, false]]);
  });

  it('is not when a node is subscribed to other partitions of the server alone, as after a slot has moved there', async () => {
    const { coverage, server, settled } = setUp(['a', 'b 0'], ['a', 'b'], 2);
    coverage.check(server, 1, 0);
    coverage.check(server, 2, 1);
    await settle();
    expect(settled).toEqual([
      [1, true],
      [2, false],
    ]);
  });

  it('is not when a node has restored its subscriptions since it was sent; the next one is', async () => {
    const { coverage, server, settled, state } = setUp(['a'], ['a']);
    coverage.check(server, 1, 0);
    // A message of the same moment has been sent; the check has not.
    state.restored[3] = 1;
    await settle();
    coverage.check(server, 2, 0);
    await settle();
    expect(settled).toEqual([
      [1, false],
      [2, true],
    ]);
  });

  it('is when a node was restored before, however long ago the last message was sent', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const { coverage, server, settled, state } = setUp(['a'], ['a']);
    coverage.check(server, 1, 0);
    await settle();
    state.restored[0] = 1;
    vi.advanceTimersByTime(1_000);
    coverage.check(server, 2, 0);
    await settle();
    expect(settled.at(-1)).toEqual([2, true]);
  });

  it('is when nodes end that had restored their subscriptions once', async () => {
    const { coverage, server, settled, state } = setUp(['a'], ['a']);
    state.restored[2] = 3;
    coverage.check(server, 1, 0);
    state.restored[2] = 1;
    await settle();
    expect(settled).toEqual([[1, true]]);
  });

  it('is not when the server has started again since it was sent: what was counted before says nothing', async () => {
    const { coverage, server, settled, state } = setUp(['a'], ['a']);
    state.restored[2] = 3;
    coverage.check(server, 1, 0);
    Object.assign(server, { runId: 'another' });
    await settle();
    expect(settled).toEqual([[1, false]]);
  });

  it.each([
    ['at once', 0],
    ['after more than a second', 1_001],
  ])(
    'is not when it was published late and the check of another message found the restored node, %s',
    async (_when, ms) => {
      vi.useFakeTimers({ toFake: ['performance'] });
      onTestFinished(() => void vi.useRealTimers());
      const { coverage, server, settled, state } = setUp(['a'], ['a']);
      const late = coverage.check(server, 1, 0);
      await settle();
      state.restored[3] = 1;
      vi.advanceTimersByTime(ms);
      coverage.check(server, 2, 0);
      await settle();
      const later = coverage.check(server, 3, 0);
      await settle();
      settled.length = 0;
      coverage.checkAgain(server, 1, 0, late);
      coverage.checkAgain(server, 3, 0, later);
      await settle();
      expect(settled).toEqual([
        [1, false],
        [3, true],
      ]);
    },
  );

  it('is when it was published late and no node was restored since, however often others were checked', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const { coverage, server, settled } = setUp(['a'], ['a']);
    const late = coverage.check(server, 1, 0);
    for (let sequence = 2; sequence <= 4; sequence++) {
      vi.advanceTimersByTime(1_001);
      coverage.check(server, sequence, 0);
      await settle();
    }
    coverage.checkAgain(server, 1, 0, late);
    await settle();
    expect(settled.at(-1)).toEqual([1, true]);
  });

  it('needs no check while there is no other node', () => {
    expect(setUp(['a'], []).coverage.isNeeded).toBe(false);
  });
});

describe('many messages', () => {
  it('of one turn share a check', async () => {
    const { coverage, server, checks, settled } = setUp(['a'], ['a']);
    for (let sequence = 1; sequence <= 100; sequence++) coverage.check(server, sequence, 0);
    await settle();
    expect([checks().length, settled.length]).toEqual([1, 100]);
  });

  it('of several partitions share a check, too', async () => {
    const { coverage, server, checks } = setUp(['a'], ['a', 'b'], 2);
    for (const partition of [0, 1, 0, 1]) coverage.check(server, 1, partition);
    await settle();
    const names = ['{0}:probe:a', '{0}:probe:b', '{1}:probe:a', '{1}:probe:b'].map((name) => `realtime@0${name}`);
    expect(checks()).toEqual([['PUBSUB', 'SHARDNUMSUB', ...names]]);
  });

  it('that are published while a check is under way share the next one', async () => {
    const { coverage, server, checks, settled } = setUp(['a'], ['a']);
    for (let sequence = 1; sequence <= 5; sequence++) {
      coverage.check(server, sequence, 0);
      await Promise.resolve();
    }
    await settle();
    expect([checks().length, settled.map(([sequence]) => sequence)]).toEqual([2, [1, 2, 3, 4, 5]]);
  });
});
