import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
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
  const state = { isRefused: false };
  const sendCommand = async (args: string[]) => {
    asked.push(args);
    await nextTurn();
    if (state.isRefused) throw new Error('NOPERM');
    return args.slice(2).flatMap((name) => [name, subscribed.some((each) => isOf(name, each)) ? 1 : 0]);
  };
  const isOf = (name: string, subscription: string) => {
    const [id, partition] = subscription.split(' ');
    return name.endsWith(`${partition === undefined ? '' : `{${partition}}`}:probe:${id}`);
  };
  const commands = { run: (use: (client: unknown) => Promise<unknown>) => use({ sendCommand }) };
  const server = { commands, isSharded: partitions > 0 } as unknown as RedisServer;
  const holders = { liveOthers: () => [...nodes], isLive: (id: string) => nodes.has(id) };
  const coverage = new NodeCoverage(
    new RedisChannels('realtime', 0, partitions),
    holders,
    (...found) => void settled.push(found),
  );
  return { coverage, server, asked, settled, nodes, state };
}

const settle = async () => {
  for (let turn = 0; turn < 10; turn++) await nextTurn();
};

describe('a message', () => {
  it('is covered when every live node is subscribed', async () => {
    const { coverage, server, asked, settled } = setUp(['a', 'b', 'stranger'], ['a', 'b']);
    coverage.check(server, 1, 0);
    await settle();
    expect(settled).toEqual([[1, true]]);
    expect(asked).toEqual([['PUBSUB', 'NUMSUB', 'realtime@0:probe:a', 'realtime@0:probe:b']]);
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

  it('needs no check while there is no other node', () => {
    expect(setUp(['a'], []).coverage.isNeeded).toBe(false);
  });
});

describe('many messages', () => {
  it('of one turn share a check', async () => {
    const { coverage, server, asked, settled } = setUp(['a'], ['a']);
    for (let sequence = 1; sequence <= 100; sequence++) coverage.check(server, sequence, 0);
    await settle();
    expect([asked.length, settled.length]).toEqual([1, 100]);
  });

  it('of several partitions share a check, too', async () => {
    const { coverage, server, asked } = setUp(['a'], ['a', 'b'], 2);
    for (const partition of [0, 1, 0, 1]) coverage.check(server, 1, partition);
    await settle();
    const names = ['{0}:probe:a', '{0}:probe:b', '{1}:probe:a', '{1}:probe:b'].map((name) => `realtime@0${name}`);
    expect(asked).toEqual([['PUBSUB', 'SHARDNUMSUB', ...names]]);
  });

  it('that are published while a check is under way share the next one', async () => {
    const { coverage, server, asked, settled } = setUp(['a'], ['a']);
    for (let sequence = 1; sequence <= 5; sequence++) {
      coverage.check(server, sequence, 0);
      await Promise.resolve();
    }
    await settle();
    expect([asked.length, settled.map(([sequence]) => sequence)]).toEqual([2, [1, 2, 3, 4, 5]]);
  });
});
