import { describe, expect, it } from 'vitest';
import type { PresenceUpdate } from '../../../core/presence/presence-outbox.js';
import type { Said, Tended, Tending } from './presence-calls.js';
import { PresencePartition } from './presence-partition.js';
import type { TopicChange } from './presence-text.js';

/** Redis as one node sees it: each of its lives has an epoch, in which the node enters first. */
class Redis {
  readonly said: string[] = [];
  /** With each report, the time until which the node had known its users. */
  readonly known: number[] = [];
  now = 0;
  /** The newest lease call. */
  tended!: Tending;
  /** The lease calls with which the node entered. */
  readonly entries: Tending[] = [];
  incarnation = 1;
  epoch = 'first';
  entered: string | undefined;
  /** The incarnation of the node that was declared dead before a loss of data, as another node remembers. */
  buried: string | undefined;
  /** The incarnations that the next lease call declares dead. */
  dead: readonly string[] = [];
  /** The incarnations whose last entries the next lease call ends. */
  ended: readonly string[] = [];
  /** The reply to the next report. */
  changes: readonly TopicChange[] = [];

  get name(): string {
    return `me.${this.incarnation}`;
  }

  renew(): void {
    this.incarnation += 1;
  }

  say(lot: readonly PresenceUpdate[], knownAt: number): Promise<Said | undefined> {
    if (this.entered !== this.epoch) return Promise.resolve(undefined);
    for (const { userId, manner } of lot) this.said.push(`${userId} ${manner}`);
    this.known.push(knownAt);
    const { changes, now: at } = this;
    this.changes = [];
    return Promise.resolve({ changes, gone: [], at });
  }

  tend(tending: Tending): Promise<Tended> {
    this.tended = tending;
    if (tending.isEntering) {
      this.entries.push(tending);
      this.entered = this.epoch;
    }
    const { epoch, buried, dead, ended } = this;
    this.dead = this.ended = [];
    return Promise.resolve({
      epoch,
      isHolder: this.entered === epoch,
      isMore: false,
      changes: [],
      isBuried: buried === this.name,
      wasBuried: buried !== undefined && tending.formers.includes(buried),
      dead,
      ended,
      at: this.now,
    });
  }

  acknowledge(): void {}

  leave(): Promise<void> {
    return Promise.resolve();
  }

  /** Loses its data. */
  lose(epoch: string): void {
    this.epoch = epoch;
    this.entered = undefined;
  }
}

async function attached(): Promise<{ redis: Redis; partition: PresencePartition }> {
  const redis = new Redis();
  const partition = new PresencePartition(
    redis,
    () => {},
    (error) => {
      throw error;
    },
  );
  await partition.tend();
  await partition.set('chat:1', { userId: 'ann', connections: 1 }, 0);
  return { redis, partition };
}

describe('The reports of a node in one partition', () => {
  it('name after a loss of data the nodes that it saw declared dead, also if it was declared dead itself', async () => {
    const { redis, partition } = await attached();
    redis.dead = ['other.1'];
    await partition.tend();
    redis.lose('second');
    redis.buried = 'me.1';
    await partition.tend();
    expect(redis.entries.at(-1)!.seenDead).toEqual(new Map([['other.1', false]]));
    expect(redis.said).toEqual(['ann aloud', 'ann aloud']);
  });

  it('name them again after the next loss: their nodes may be away since before the first', async () => {
    const { redis, partition } = await attached();
    redis.dead = ['other.1'];
    await partition.tend();
    for (const epoch of ['second', 'third']) {
      redis.lose(epoch);
      await partition.tend();
      expect(redis.entries.at(-1)!.seenDead).toEqual(new Map([['other.1', false]]));
    }
  });

  it('are repeated when a node remembers only after a second loss that this one was declared dead before the first', async () => {
    const { redis, partition } = await attached();
    redis.lose('second');
    await partition.tend();
    redis.lose('third');
    await partition.tend();
    const { formers } = redis.entries.at(-1)!;
    expect(formers).toEqual(['me.1', 'me.2']);
    redis.buried = 'me.1';
    await partition.tend();
    expect(redis.said).toEqual(['ann aloud', 'ann silently', 'ann silently', 'ann again']);
  });

  it('begin anew after a second loss of data if this node was declared dead between the two: its users have left', async () => {
    const { redis, partition } = await attached();
    await partition.set('chat:1', { userId: 'bob', connections: 1 }, 0);
    redis.lose('second');
    await partition.tend();
    redis.lose('third');
    redis.buried = 'me.2';
    redis.said.length = 0;
    // The partition reports nothing until it has asked why.
    await partition.remove('chat:1', 'bob');
    await partition.tend();
    expect(redis.said).toEqual(['ann aloud']);
    // An incarnation before the first loss may have been declared dead, too.
    await partition.tend();
    expect(redis.tended.formers).toEqual(['me.1']);
  });

  it('are not repeated then for a user who has joined by the silent report', async () => {
    const { redis, partition } = await attached();
    redis.lose('second');
    redis.changes = [['chat:1', { kind: 'joined', userId: 'ann' }]];
    await partition.tend();
    redis.buried = 'me.1';
    await partition.tend();
    expect(redis.said).toEqual(['ann aloud', 'ann silently']);
  });

  it('name after a loss of data also the nodes whose entries were all ended', async () => {
    const { redis, partition } = await attached();
    [redis.dead, redis.ended] = [
      ['dead.1', 'ended.1'],
      ['ended.1', 'closed.1'],
    ];
    await partition.tend();
    redis.lose('second');
    await partition.tend();
    const seen = { 'dead.1': false, 'ended.1': true, 'closed.1': true };
    expect(Object.fromEntries(redis.entries.at(-1)!.seenDead)).toEqual(seen);
  });

  it('name a node as ended also when it is known as dead only later, from a node that has ended', async () => {
    const { redis, partition } = await attached();
    redis.ended = ['other.1'];
    await partition.tend();
    redis.dead = ['other.1'];
    await partition.tend();
    redis.lose('second');
    await partition.tend();
    expect(redis.entries.at(-1)!.seenDead).toEqual(new Map([['other.1', true]]));
  });

  it('name nodes that were declared dead also when many others have closed since', async () => {
    const { redis, partition } = await attached();
    redis.dead = ['dead.1'];
    await partition.tend();
    for (let n = 0; n < 150; n++) {
      redis.ended = [`closed-${n}.1`];
      await partition.tend();
    }
    redis.lose('second');
    await partition.tend();
    const { seenDead } = redis.entries.at(-1)!;
    expect([seenDead.get('dead.1'), seenDead.get('closed-149.1'), seenDead.size]).toEqual([false, true, 101]);
  });

  it('name after a second loss of data the leaves that the node has acted on since the first, unless a join followed', async () => {
    const { redis, partition } = await attached();
    const act = async (now: number, ...changes: (readonly [kind: 'joined' | 'left', userId: string])[]) => {
      [redis.now, redis.changes] = [now, changes.map(([kind, userId]) => ['chat:1', { kind, userId }])];
      await partition.set('chat:1', { userId: 'ann', connections: now }, 0);
    };
    await act(5, ['left', 'eve']);
    redis.lose('second');
    await partition.tend();
    await act(6, ['left', 'bob'], ['left', 'cem']);
    await act(7, ['joined', 'bob'], ['left', 'dan']);
    redis.lose('third');
    await partition.tend();
    expect(redis.entries.at(-1)!.leaves).toEqual([
      ['chat:1', 'cem', 6],
      ['chat:1', 'dan', 7],
    ]);
    for (let time = 0; time < 40; time++) await partition.tend();
    redis.lose('fourth');
    await partition.tend();
    expect(redis.entries.at(-1)!.leaves).toEqual([]);
  });

  it('say until when the users were known before the loss of data, until all of them are reported again', async () => {
    const { redis, partition } = await attached();
    redis.now = 5;
    await partition.tend();
    [redis.now, redis.known.length] = [9, 0];
    redis.lose('second');
    await partition.tend();
    await partition.set('chat:1', { userId: 'bob', connections: 1 }, 0);
    expect(redis.known).toEqual([5, 9]);
  });
});
