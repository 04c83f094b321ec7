import { OnSubscribe, TopicGateway, type DeliveryReport } from 'nestjs-realtime';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { ReceivedFrame } from '../../../lib/testing/received-frame.js';
import { Stage, type StageGuest } from '../../helpers/stage.js';

@TopicGateway('log:{name}', { history: { size: 20, ttlMs: 60_000, recoverLimit: 15 } })
class LogTopic {
  @OnSubscribe()
  join() {
    return true;
  }
}

@TopicGateway('state:{name}', { history: { size: 5, ttlMs: 60_000, sendLast: 1 } })
class StateTopic {
  @OnSubscribe()
  join() {
    return true;
  }
}

@TopicGateway('plain:{name}')
class PlainTopic {
  @OnSubscribe()
  join() {
    return true;
  }
}

const stage = Stage.shared({
  providers: [LogTopic, StateTopic, PlainTopic],
  options: { limits: { maxHistoryPage: 10 } },
});

const entry = (payload: unknown) => ({ type: 'entry', payload });

let last = 0;
/** A topic that no other test has used. */
const fresh = (kind = 'log') => `${kind}:${++last}`;

interface Position {
  readonly epoch: string;
  readonly offset: number;
}

/** Publishes on one node after the other. */
async function publish(topic: string, ...payloads: readonly unknown[]): Promise<DeliveryReport[]> {
  const reports: DeliveryReport[] = [];
  for (const payload of payloads) {
    const { realtime } = stage.nodes[reports.length % stage.nodes.length]!;
    reports.push(await realtime.publish(topic, entry(payload)));
  }
  return reports;
}

async function subscribe(guest: StageGuest, topic: string, recover?: Position): Promise<any> {
  const answer = await guest.request({ action: 'subscribe', topic, ...(recover && { recover }) });
  expect(answer.type).toBe('realtime:subscribed');
  return answer.payload;
}

/** The payloads of the next entries, in the order in which they have arrived. */
async function entries(guest: StageGuest, count: number): Promise<unknown[]> {
  const frames: ReceivedFrame[] = [];
  while (frames.length < count) frames.push(await guest.next('entry'));
  return frames.map(({ payload }) => payload);
}

describe('a topic that keeps a history', () => {
  it('counts what is published, from whichever node', async () => {
    const topic = fresh();
    const reports = await publish(topic, 'a', 'b', 'c', 'd');
    expect(reports.map(({ offset }) => offset)).toEqual([1, 2, 3, 4]);
    expect(new Set(reports.map(({ epoch }) => epoch)).size).toBe(1);
  });

  it('sends each message with its offset, in one order to everybody', async () => {
    const topic = fresh();
    const guests = [await stage.connectAs('ann'), await stage.connectAs('bob'), await stage.connectAs('cid')];
    for (const guest of guests) await subscribe(guest, topic);
    await Promise.all(
      Array.from({ length: 30 }, (_, n) => stage.nodes[n % stage.nodes.length]!.realtime.publish(topic, entry(n))),
    );
    const orders: unknown[][] = [];
    for (const guest of guests) {
      const frames: ReceivedFrame[] = [];
      while (frames.length < 30) frames.push(await guest.next('entry'));
      expect(frames.map(({ offset }) => offset)).toEqual(Array.from({ length: 30 }, (_, n) => n + 1));
      orders.push(frames.map(({ payload }) => payload));
    }
    expect(orders[1]).toEqual(orders[0]);
    expect(orders[2]).toEqual(orders[0]);
  });

  it('tells a subscriber where it stands', async () => {
    const topic = fresh();
    const [first] = await publish(topic, 'a', 'b');
    const ann = await stage.connectAs('ann');
    expect(await subscribe(ann, topic)).toEqual({ topic, epoch: first!.epoch, offset: 2 });
  });

  it('reports what a publication has reached', async () => {
    const topic = fresh();
    const ann = await stage.connectAs('ann');
    const bob = await stage.connectAs('bob');
    await subscribe(ann, topic);
    await subscribe(bob, topic);
    const [report] = await publish(topic, 'a');
    expect(report).toMatchObject({ recipients: 2, nodes: Math.min(2, stage.nodes.length), complete: true, offset: 1 });
  });

  it('takes two publications with the same key for one', async () => {
    const topic = fresh();
    const ann = await stage.connectAs('ann');
    await subscribe(ann, topic);
    const first = await stage.nodes[0]!.realtime.publish(topic, entry('once'), { idempotencyKey: 'k' });
    const second = await stage.realtime.publish(topic, entry('once'), { idempotencyKey: 'k' });
    expect(second).toMatchObject({ epoch: first.epoch, offset: first.offset, recipients: 0 });
    await publish(topic, 'after');
    expect(await entries(ann, 2)).toEqual(['once', 'after']);
  });
});

describe('a client that was away', () => {
  it('gets exactly what it has missed, and then what comes, from whichever node', async () => {
    const topic = fresh();
    const ann = await stage.connectAs('ann');
    const { epoch } = await subscribe(ann, topic);
    await publish(topic, 1, 2);
    expect(await entries(ann, 2)).toEqual([1, 2]);
    await ann.close();
    await publish(topic, 3, 4, 5);
    const back = await stage.connectAs('ann');
    expect(await subscribe(back, topic, { epoch, offset: 2 })).toEqual({ topic, epoch, offset: 2, recovered: true });
    await publish(topic, 6);
    expect(await entries(back, 4)).toEqual([3, 4, 5, 6]);
  });

  it('is told that it has missed nothing', async () => {
    const topic = fresh();
    const [report] = await publish(topic, 1);
    const position = { epoch: report!.epoch!, offset: report!.offset! };
    const ann = await stage.connectAs('ann');
    expect(await subscribe(ann, topic, position)).toEqual({ topic, ...position, recovered: true });
    await publish(topic, 2);
    expect(await entries(ann, 1)).toEqual([2]);
  });

  it.each([
    ['more than is kept was published', 25],
    ['it has missed more than the recover limit', 17],
  ])('is told plainly, and gets nothing of it, when %s', async (_why, count) => {
    const topic = fresh();
    const [first] = await publish(topic, ...Array.from({ length: count }, (_, n) => n));
    const ann = await stage.connectAs('ann');
    const answer = await subscribe(ann, topic, { epoch: first!.epoch!, offset: 1 });
    expect(answer).toEqual({ topic, epoch: first!.epoch, offset: count, recovered: false });
    await publish(topic, 'live');
    expect(await entries(ann, 1)).toEqual(['live']);
  });

  it.each([
    ['of another epoch', { epoch: 'another', offset: 1 }],
    ['ahead of the stream', { epoch: undefined, offset: 99 }],
    ['absurdly far ahead', { epoch: undefined, offset: Number.MAX_SAFE_INTEGER }],
  ])('cannot recover with a position %s', async (_what, { epoch, offset }) => {
    const topic = fresh();
    const [report] = await publish(topic, 1, 2);
    const ann = await stage.connectAs('ann');
    const answer = await subscribe(ann, topic, { epoch: epoch ?? report!.epoch!, offset });
    expect(answer).toEqual({ topic, epoch: report!.epoch, offset: 2, recovered: false });
  });

  it('cannot recover with the epoch of another topic', async () => {
    const [one, other] = [fresh(), fresh()];
    await publish(one, 1, 2);
    const [report] = await publish(other, 'x', 'y');
    const ann = await stage.connectAs('ann');
    expect(await subscribe(ann, one, { epoch: report!.epoch!, offset: 1 })).toMatchObject({ recovered: false });
  });

  it('misses nothing and gets nothing twice at the seam, while others publish', async () => {
    const topic = fresh();
    const [first] = await publish(topic, 0);
    let published = 0;
    const end = new AbortController();
    const publisher = (async () => {
      while (!end.signal.aborted) {
        await stage.nodes[published % stage.nodes.length]!.realtime.publish(topic, entry(++published));
        await nextTurn();
      }
    })();
    try {
      for (let round = 0; round < 10; round++) {
        const guest = await stage.connectAs(`guest-${round}`);
        const asked = await stage.realtime.history(topic, { limit: 0 });
        const answer = await subscribe(guest, topic, { epoch: asked.epoch, offset: Math.max(1, asked.offset - 5) });
        expect(answer.recovered).toBe(true);
        const seen = (await entries(guest, 12)) as number[];
        expect(seen).toEqual(Array.from({ length: 12 }, (_, n) => answer.offset + n));
        await guest.close();
      }
    } finally {
      end.abort();
      await publisher;
    }
    expect(first!.offset).toBe(1);
  });
});

describe('the history of a topic', () => {
  it('is read by the server in pages, in both directions', async () => {
    const topic = fresh();
    const [first] = await publish(topic, 1, 2, 3, 4, 5);
    const { epoch } = first!;
    const since = (offset: number) => ({ epoch: epoch!, offset });
    const read = async (options: object) =>
      (await stage.realtime.history(topic, options)).publications.map(({ payload, offset }) => [payload, offset]);
    expect(await read({})).toEqual([1, 2, 3, 4, 5].map((n) => [n, n]));
    expect(await read({ limit: 2 })).toEqual([1, 2].map((n) => [n, n]));
    expect(await read({ limit: 2, since: since(2) })).toEqual([3, 4].map((n) => [n, n]));
    expect(await read({ limit: 2, reverse: true })).toEqual([5, 4].map((n) => [n, n]));
    expect(await read({ limit: 9, reverse: true, since: since(4) })).toEqual([3, 2, 1].map((n) => [n, n]));
    expect(await stage.realtime.history(topic, { limit: 0 })).toEqual({ epoch, offset: 5, publications: [] });
  });

  it('is read by its subscribers', async () => {
    const topic = fresh();
    await publish(topic, 1, 2, 3);
    const ann = await stage.connectAs('ann');
    const { epoch } = await subscribe(ann, topic);
    const answer = await ann.request({ action: 'history', topic, limit: 2, reverse: true });
    expect(answer.type).toBe('realtime:history');
    const publication = (n: number) => ({ ...entry(n), offset: n, timestamp: expect.any(String) });
    const publications = [publication(3), publication(2)];
    expect(answer.payload).toEqual({ topic, epoch, offset: 3, publications, more: true });
  });

  it.each([undefined, 10_000])('is told to a client a page at a time, also if it asks for %s', async (limit) => {
    const topic = fresh();
    await publish(topic, ...Array.from({ length: 15 }, (_, n) => n));
    const ann = await stage.connectAs('ann');
    const { epoch } = await subscribe(ann, topic);
    const offsets = async (since?: Position, reverse?: boolean) => {
      const answer: any = await ann.request({ action: 'history', topic, limit, since, reverse });
      return answer.payload.publications.map(({ offset }: Position) => offset);
    };
    expect(await offsets()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(await offsets({ epoch, offset: 10 })).toEqual([11, 12, 13, 14, 15]);
    expect(await offsets(undefined, true)).toEqual([15, 14, 13, 12, 11, 10, 9, 8, 7, 6]);
    expect(await offsets({ epoch, offset: 6 }, true)).toEqual([5, 4, 3, 2, 1]);
  });

  it('keeps no more than it should', async () => {
    const topic = fresh();
    await publish(topic, ...Array.from({ length: 25 }, (_, n) => n));
    const { publications } = await stage.realtime.history(topic);
    expect(publications.map(({ offset }) => offset)).toEqual(Array.from({ length: 20 }, (_, n) => n + 6));
  });

  it('is kept from those who have not subscribed', async () => {
    const topic = fresh();
    const ann = await stage.connectAs('ann');
    const answer = await ann.request({ action: 'history', topic });
    expect(answer).toMatchObject({ type: 'realtime:error', payload: { code: 'FORBIDDEN', action: 'history', topic } });
  });

  it('is not there where none is kept', async () => {
    const topic = fresh('plain');
    const ann = await stage.connectAs('ann');
    expect(await subscribe(ann, topic)).toEqual({ topic });
    const answer = await ann.request({ action: 'history', topic });
    expect(answer).toMatchObject({ type: 'realtime:error', payload: { code: 'NO_HANDLER' } });
    await expect(stage.realtime.history(topic)).rejects.toThrow('topic must keep a history');
  });

  it('is no partial list when it has begun anew', async () => {
    const topic = fresh();
    await publish(topic, 1);
    const since = { epoch: 'another', offset: 0 };
    await expect(stage.realtime.history(topic, { since })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    const ann = await stage.connectAs('ann');
    await subscribe(ann, topic);
    const answer = await ann.request({ action: 'history', topic, since });
    expect(answer).toMatchObject({ type: 'realtime:error', payload: { code: 'VALIDATION_FAILED' } });
  });
});

describe('a topic that sends its latest publication', () => {
  it('gives it to every new subscriber at once', async () => {
    const topic = fresh('state');
    await publish(topic, 'old', 'new');
    for (const name of ['ann', 'bob', 'cid']) {
      const guest = await stage.connectAs(name);
      await subscribe(guest, topic);
      expect(await entries(guest, 1)).toEqual(['new']);
    }
  });

  it('gives nothing twice to one who has it', async () => {
    const topic = fresh('state');
    const [report] = await publish(topic, 'one');
    const ann = await stage.connectAs('ann');
    expect(await subscribe(ann, topic, { epoch: report!.epoch!, offset: 1 })).toMatchObject({ recovered: true });
    await publish(topic, 'two');
    expect(await entries(ann, 1)).toEqual(['two']);
  });

  it('gives the latest to one who cannot recover', async () => {
    const topic = fresh('state');
    await publish(topic, 1, 2, 3, 4, 5, 6, 7, 8);
    const ann = await stage.connectAs('ann');
    const [first] = await publish(topic, 9);
    expect(await subscribe(ann, topic, { epoch: first!.epoch!, offset: 1 })).toMatchObject({
      recovered: false,
      offset: 8,
    });
    expect(await entries(ann, 1)).toEqual([9]);
  });
});

describe('what has no place in a history', () => {
  it('is refused: several addresses, or exceptions, with a topic that keeps one', async () => {
    const { all, connection, topic, user } = await import('nestjs-realtime');
    const { realtime } = stage;
    const refused = 'to must be a single topic without exceptions';
    await expect(realtime.to(topic('log:x'), user('ann')).send(entry(1))).rejects.toThrow(refused);
    await expect(realtime.to(topic('log:x')).except(connection('a.b')).send(entry(1))).rejects.toThrow(refused);
    await expect(realtime.to(all()).except(topic('log:x')).send(entry(1))).rejects.toThrow(refused);
    await expect(realtime.publish('plain:x', entry(1), { idempotencyKey: 'k' })).rejects.toThrow('idempotencyKey');
  });
});
