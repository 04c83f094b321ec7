import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRedis, type RedisServer } from '../../helpers/redis-server.js';
import type { FaultNode } from '../load/fault-node.js';
import { startNode } from '../load/start-node.js';
import { Follower, upTo, wordsUpTo } from './follower.js';

/** A lease of 1.8 s. */
const LEASES = { leaseRefreshMs: 200, leaseTtlMs: 2_000 };

/** Time in which something would have come, if it came, in milliseconds. */
const SILENCE_MS = 1_500;

const FAILED = 'The stream was interrupted: its server has failed.';

let redis: RedisServer;
let end = async () => {};

beforeAll(async () => {
  redis = await startRedis({ finished: (given) => void (end = given) });
});
afterAll(() => end());

let lastTopic = 0;

/** So many nodes in processes of their own, which share a Redis with those of other tests, and a topic that no other test uses. */
async function start(count: number, leases: typeof LEASES = LEASES) {
  const topic = `log:stream-${++lastTopic}`;
  const prefix = `streams-${lastTopic}`;
  const spec = {
    redis: { url: redis.url, prefix, ...leases },
    options: {
      drain: { timeoutMs: 5_000 },
      limits: { maxHistoryPage: 1_000, acceptsPerSecond: Infinity, maxUnauthenticatedPerIp: Infinity },
    },
  };
  const join = () => startNode(spec);
  const nodes = await Promise.all(Array.from({ length: count }, join));
  return { topic, nodes, join };
}

const portsOf =
  (...nodes: readonly FaultNode[]) =>
  () =>
    nodes.map(({ port }) => port);

/** Some words of a text, whole ones from the first one on. */
const isBeginning = (text: string) => text === wordsUpTo(text.split(' ').length - 1);

describe('When the node that runs a stream is killed', () => {
  it('readers get its pieces and then one error, within the lease, and the id is free again', async () => {
    const { topic, nodes } = await start(3);
    const [producer, one, two] = nodes as [FaultNode, FaultNode, FaultNode];
    const followers = [await Follower.of(topic, portsOf(one)), await Follower.of(topic, portsOf(two))];
    await producer.ask('tell', topic, 'answer', 10_000, 5);
    await Promise.all(followers.map((each) => each.until(() => each.pieces.length > 5)));
    await producer.kill();
    const since = performance.now();
    await Promise.all(followers.map((each) => each.ended()));
    expect(performance.now() - since).toBeLessThan(15_000);
    await delay(SILENCE_MS);
    for (const { pieces, ends, numbers, text } of followers) {
      expect(ends).toEqual([{ id: 'answer', seq: pieces.length - 1, error: FAILED }]);
      expect(numbers).toEqual(upTo(pieces.length));
      expect(isBeginning(text)).toBe(true);
    }
    expect(followers[1]!.pieces).toEqual(followers[0]!.pieces);
    await one.ask('tell', topic, 'answer', 3, 1);
    expect((await one.ask('outcomeOf', 'answer')).reason).toBe('end');
  });

  it('twin: nobody would be told if its lease did not run out', async () => {
    const { topic, nodes } = await start(2, { leaseRefreshMs: 200, leaseTtlMs: 3_600_000 });
    const [producer, other] = nodes as [FaultNode, FaultNode];
    const follower = await Follower.of(topic, portsOf(other));
    await producer.ask('tell', topic, 'answer', 10_000, 5);
    await follower.until(() => follower.pieces.length > 5);
    await producer.kill();
    await delay(3_000);
    expect(follower.ends).toEqual([]);
  });

  it('with all others, a node that starts afterwards ends it', async () => {
    const { topic, nodes, join } = await start(2);
    const [producer, other] = nodes as [FaultNode, FaultNode];
    let ports = portsOf(other);
    const follower = await Follower.of(topic, () => ports());
    await producer.ask('tell', topic, 'answer', 10_000, 5);
    await follower.until(() => follower.pieces.length > 5);
    await Promise.all([producer.kill(), other.kill()]);
    ports = portsOf(await join());
    await follower.ended();
    expect(follower.ends).toMatchObject([{ id: 'answer', error: FAILED }]);
  });

  it('the handle of another node says how it ended', async () => {
    const { topic, nodes } = await start(2);
    const [producer, other] = nodes as [FaultNode, FaultNode];
    await producer.ask('tell', topic, 'answer', 10_000, 5);
    await other.ask('tell', topic, 'answer', 10_000, 5);
    await producer.kill();
    expect((await other.ask('outcomeOf', 'answer')).reason).toBe('error');
  });
});

describe('When the node that runs a stream halts, and goes on after its lease has run out', () => {
  it('nothing follows the error, and its source is ended', async () => {
    const { topic, nodes } = await start(2);
    const [producer, other] = nodes as [FaultNode, FaultNode];
    const follower = await Follower.of(topic, portsOf(other));
    await producer.ask('tell', topic, 'answer', 10_000, 5);
    await follower.until(() => follower.pieces.length > 5);
    producer.signal('SIGSTOP');
    await follower.ended();
    producer.signal('SIGCONT');
    expect((await producer.ask('outcomeOf', 'answer')).reason).toBe('error');
    await delay(SILENCE_MS);
    expect(follower.ends).toMatchObject([{ error: FAILED }]);
    expect(follower.numbers).toEqual(upTo(follower.pieces.length));
  });
});

describe('When the node of a reader is killed', () => {
  it('the reader goes on at another one, and has every byte once', async () => {
    const { topic, nodes } = await start(3);
    const [producer, doomed, other] = nodes as [FaultNode, FaultNode, FaultNode];
    let ports = portsOf(doomed);
    const follower = await Follower.of(topic, () => ports());
    await producer.ask('tell', topic, 'answer', 300, 5);
    await follower.until(() => follower.pieces.length > 10);
    ports = portsOf(other);
    await doomed.kill();
    await follower.ended();
    expect(follower.text).toBe(wordsUpTo(300));
    expect(follower.ends).toEqual([{ id: 'answer', seq: follower.pieces.length - 1, end: true }]);
    expect([follower.numbers, follower.notRecovered]).toEqual([upTo(follower.pieces.length), 0]);
    expect(follower.visits).toBeGreaterThan(1);
  });
});

describe('When the node that runs a stream is told to end', () => {
  it('it ends a stream that takes too long with an error, and readers elsewhere get it', async () => {
    const { topic, nodes } = await start(2);
    const [producer, other] = nodes as [FaultNode, FaultNode];
    const follower = await Follower.of(topic, portsOf(other));
    await producer.ask('tell', topic, 'answer', 10_000, 5);
    await follower.until(() => follower.pieces.length > 5);
    producer.signal('SIGTERM');
    await follower.ended();
    await producer.ended;
    expect(follower.ends).toMatchObject([{ error: 'The stream was interrupted: its server is shutting down.' }]);
    expect(isBeginning(follower.text)).toBe(true);
    await delay(LEASES.leaseTtlMs + 500);
    expect(follower.ends).toHaveLength(1);
  });

  it('it waits for one that ends in time', async () => {
    const { topic, nodes } = await start(2);
    const [producer, other] = nodes as [FaultNode, FaultNode];
    const follower = await Follower.of(topic, portsOf(other));
    await producer.ask('tell', topic, 'answer', 40, 5);
    await follower.until(() => follower.pieces.length > 2);
    producer.signal('SIGTERM');
    await follower.ended();
    expect([follower.text, follower.ends[0]!.end]).toEqual([wordsUpTo(40), true]);
  });
});

describe('When a stream is stopped on another node while it flows', () => {
  it('readers get what was said until then, one end, and nothing more', async () => {
    const { topic, nodes } = await start(2);
    const [producer, other] = nodes as [FaultNode, FaultNode];
    const follower = await Follower.of(topic, portsOf(other));
    await producer.ask('tell', topic, 'answer', 10_000, 2);
    await follower.until(() => follower.pieces.length > 5);
    expect(await other.ask('stopStream', topic, 'answer')).toBe(true);
    await follower.ended();
    await delay(200);
    expect(follower.ends).toEqual([{ id: 'answer', seq: follower.pieces.length - 1, end: true, stopped: true }]);
    expect(isBeginning(follower.text)).toBe(true);
    const again = () => other.ask('stopStream', topic, 'answer');
    await expect.poll(again).toBe(false);
  });
});
