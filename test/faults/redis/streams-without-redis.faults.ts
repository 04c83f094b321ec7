import type { TopicStream } from 'nestjs-realtime';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { watchForCrashes } from '../../helpers/crash-watch.js';
import { Follower, upTo, wordsUpTo } from './follower.js';
import { HistoryFleet, type HistoryFleetParts, type HistoryNode } from './history-fleet.js';

const TOPIC = 'log:stream';

/** How long Redis is away, in milliseconds. */
const AWAY_MS = 2_500;

const WORDS = 400;

/** What a producer has done so far. */
interface Progress {
  yielded: number;
  isReturned: boolean;
}

/** Three nodes, a reader of the second one, and a stream of the first one that has begun to flow. */
async function begin(parts: HistoryFleetParts = {}, words = WORDS) {
  const crashes = watchForCrashes();
  const fleet = await HistoryFleet.start({ over: { commandTimeoutMs: 500, ...parts.over }, ...parts });
  const [producer, reader, third] = fleet.nodes as [HistoryNode, HistoryNode, HistoryNode];
  const follower = await Follower.of(TOPIC, () => [reader.port, third.port]);
  const progress: Progress = { yielded: 0, isReturned: false };
  const stream = await tell(producer, words, progress);
  await follower.until(() => follower.pieces.length > 5);
  return { crashes, fleet, producer, reader, third, follower, progress, stream };
}

function tell({ realtime }: HistoryNode, words: number, progress: Progress): Promise<TopicStream> {
  const source = async function* () {
    try {
      for (; progress.yielded < words; progress.yielded++) {
        yield `${progress.yielded} `;
        await delay(2);
      }
    } finally {
      progress.isReturned = true;
    }
  };
  return realtime.stream(TOPIC, source, { id: 'answer', flushMs: 10 });
}

function expectWhole(follower: Follower, words = WORDS): void {
  expect(follower.text).toBe(wordsUpTo(words));
  expect(follower.numbers).toEqual(upTo(follower.pieces.length));
  expect(follower.ends).toEqual([{ id: 'answer', seq: follower.pieces.length - 1, end: true }]);
  expect(follower.notRecovered).toBe(0);
}

const seconds = (ms: number) => ({ timeout: ms });

describe('When Redis cannot be reached in the middle of a stream', () => {
  it('by any node, the producer waits, and readers have every byte once afterwards', async () => {
    const { crashes, fleet, follower, progress, stream } = await begin();
    for (const { proxy } of fleet.nodes) proxy.refuse();
    await delay(AWAY_MS / 2);
    const { yielded } = progress;
    await delay(AWAY_MS / 2);
    expect(progress.yielded).toBe(yielded);
    for (const { proxy } of fleet.nodes) proxy.pass();
    expect(await stream.done).toMatchObject({ reason: 'end' });
    await follower.ended();
    expectWhole(follower);
    expect(crashes).toEqual([]);
  });

  it('because it halts, readers have every byte once afterwards', async () => {
    const { crashes, fleet, follower, stream } = await begin();
    fleet.redis.pause();
    await delay(AWAY_MS);
    fleet.redis.resume();
    expect(await stream.done).toMatchObject({ reason: 'end' });
    await follower.ended();
    expectWhole(follower);
    expect(crashes).toEqual([]);
  });

  it('by the node that runs it, again and again, and replies are lost, readers have every byte once', async () => {
    const { crashes, producer, follower, stream } = await begin();
    for (let round = 0; round < 5; round++) {
      const cut = producer.proxy.cutAfterRequest('"answer"');
      await Promise.race([cut, stream.done]);
      await delay(150);
    }
    producer.proxy.pass();
    expect(await stream.done).toMatchObject({ reason: 'end' });
    await follower.ended();
    expectWhole(follower);
    expect(crashes).toEqual([]);
  });

  it('by the node of a reader, the reader has every byte once', async () => {
    const { reader, third, follower, stream } = await begin();
    for (const { proxy } of [reader, third]) proxy.refuse();
    await delay(AWAY_MS / 2);
    for (const { proxy } of [reader, third]) proxy.pass();
    expect(await stream.done).toMatchObject({ reason: 'end' });
    await follower.ended();
    expectWhole(follower);
  });

  it('for longer than the lease of the node that runs it, another one ends it, and nothing follows', async () => {
    const over = { leaseRefreshMs: 200, leaseTtlMs: 2_000 };
    const { crashes, producer, follower, progress, stream } = await begin({ over }, 10_000);
    producer.proxy.refuse();
    await follower.ended();
    producer.proxy.pass();
    expect((await stream.done).reason).toBe('error');
    await expect.poll(() => progress.isReturned).toBe(true);
    await delay(1_000);
    expect(follower.ends).toMatchObject([{ error: 'The stream was interrupted: its server has failed.' }]);
    expect(follower.numbers).toEqual(upTo(follower.pieces.length));
    expect(crashes).toEqual([]);
  });

  it('streams do not start, orders to stop reach those of the same node, and all is well afterwards', async () => {
    const { fleet, producer, third, follower, stream } = await begin({}, 10_000);
    for (const { proxy } of fleet.nodes) proxy.refuse();
    await expect.poll(() => third.realtime.isAttached).toBe(false);
    const progress = { yielded: 0, isReturned: false };
    await expect(tell(third, 1, progress)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(third.realtime.stopStream(TOPIC, 'answer')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(progress.yielded).toBe(0);
    expect(await producer.realtime.stopStream(TOPIC, 'answer')).toBe(true);
    for (const { proxy } of fleet.nodes) proxy.pass();
    expect((await stream.done).reason).toBe('stopped');
    await follower.ended();
    expect(follower.ends).toMatchObject([{ end: true, stopped: true }]);
    await expect
      .poll(() => third.realtime.stopStream(TOPIC, 'answer').catch(() => 'away'), seconds(20_000))
      .toBe(false);
  });
});

describe('When Redis comes back empty in the middle of a stream', () => {
  it('the stream goes on with its next number, and readers are told that they have lost something', async () => {
    const { crashes, fleet, producer, follower, stream, third } = await begin({}, 10_000);
    await fleet.redis.kill();
    await delay(500);
    await fleet.redis.restart();
    await follower.until(() => follower.notRecovered > 0);
    const { length } = follower.pieces;
    await follower.until(() => follower.pieces.length > length + 5);
    await producer.realtime.stopStream(TOPIC, 'answer');
    const { pieces } = await stream.done;
    await follower.ended();
    const after = follower.numbers.slice(length);
    expect(after).toEqual(after.map((_, n) => after[0]! + n));
    expect(follower.pieces.at(-1)).toEqual({ id: 'answer', seq: pieces, end: true, stopped: true });
    await expect
      .poll(() => third.realtime.stopStream(TOPIC, 'answer').catch(() => 'away'), seconds(20_000))
      .toBe(false);
    expect(crashes).toEqual([]);
  });
});

describe('When all nodes start a stream with one id at once, over slow connections', () => {
  it('one of them runs it', async () => {
    const fleet = await HistoryFleet.start();
    fleet.nodes.forEach(({ proxy }, index) => proxy.delay(index * 3));
    for (let round = 0; round < 10; round++) {
      let calls = 0;
      let goOn: () => void = () => undefined;
      const started = new Promise<void>((resolve) => (goOn = resolve));
      const source = async function* () {
        calls += 1;
        yield 'once';
        await started;
      };
      const id = `race-${round}`;
      const starts = fleet.nodes.map(({ realtime }) => realtime.stream(TOPIC, source, { id }));
      const streams = await Promise.all(starts);
      goOn();
      const outcomes = await Promise.all(streams.map(({ done }) => done));
      expect([calls, outcomes.map(({ reason, pieces }) => `${reason} ${pieces}`)]).toEqual([
        1,
        ['end 1', 'end 1', 'end 1'],
      ]);
    }
  });
});
