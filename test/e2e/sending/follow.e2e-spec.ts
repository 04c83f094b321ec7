import { OnSubscribe, TopicGateway } from 'nestjs-realtime';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Stage, type StageGuest } from '../../helpers/stage.js';

@TopicGateway('chat:{name}', { history: { size: 50, ttlMs: 60_000, sendLast: 5, recoverLimit: 30 } })
class ChatTopic {
  @OnSubscribe()
  join() {
    return true;
  }
}

/** More than fits one page. */
@TopicGateway('long:{name}', { history: { size: 1_000, ttlMs: 60_000, sendLast: 700 } })
class LongTopic {
  @OnSubscribe()
  join() {
    return true;
  }
}

@TopicGateway('bare:{name}', { history: { size: 50, ttlMs: 60_000 } })
class BareTopic {
  @OnSubscribe()
  join() {
    return true;
  }
}

const stage = Stage.shared({ providers: [ChatTopic, LongTopic, BareTopic] });

let last = 0;
const fresh = (kind = 'chat') => `${kind}:follow-${++last}`;

/** Publishes so many, on one node after the other. @returns the epoch */
async function fill(topic: string, count: number): Promise<string> {
  let epoch = '';
  for (let n = 0; n < count; n++) {
    const { realtime } = stage.nodes[n % stage.nodes.length]!;
    epoch = (await realtime.publish(topic, { type: 'line' }, { report: false })).epoch!;
  }
  return epoch;
}

async function subscribe(guest: StageGuest, topic: string, more: object = {}): Promise<any> {
  return (await guest.request({ action: 'subscribe', topic, ...more })).payload;
}

async function offsets(guest: StageGuest, count: number): Promise<unknown[]> {
  const found: unknown[] = [];
  while (found.length < count) found.push((await guest.next('line')).offset);
  return found;
}

const upTo = (to: number, from: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);

describe('a topic that sends its last publications', () => {
  it('shows them behind the answer, and then what comes', async () => {
    const topic = fresh();
    const epoch = await fill(topic, 12);
    for (const name of ['ann', 'bob', 'cid']) {
      const guest = await stage.connectAs(name);
      expect(await subscribe(guest, topic)).toEqual({ topic, epoch, offset: 7 });
      expect(await offsets(guest, 5)).toEqual([8, 9, 10, 11, 12]);
    }
    const ann = await stage.connectAs('ann');
    await subscribe(ann, topic);
    await fill(topic, 2);
    expect(await offsets(ann, 7)).toEqual(upTo(14, 8));
  });

  it('shows what there is when there is less', async () => {
    const topic = fresh();
    const ann = await stage.connectAs('ann');
    expect(await subscribe(ann, topic)).toMatchObject({ offset: 0 });
    await fill(topic, 3);
    expect(await offsets(ann, 3)).toEqual([1, 2, 3]);
    const bob = await stage.connectAs('bob');
    expect(await subscribe(bob, topic)).toMatchObject({ offset: 0 });
    expect(await offsets(bob, 3)).toEqual([1, 2, 3]);
  });

  it.each([
    [0, 12],
    [2, 10],
    [5, 7],
    [1_000, 7],
  ])('shows fewer to a client that asks for %s, and no more than it has: behind offset %s', async (asked, offset) => {
    const topic = fresh();
    const epoch = await fill(topic, 12);
    const ann = await stage.connectAs('ann');
    expect(await subscribe(ann, topic, { last: asked })).toEqual({ topic, epoch, offset });
    await fill(topic, 1);
    expect(await offsets(ann, 13 - offset)).toEqual(upTo(13, offset + 1));
  });

  it('lets a client recover what it has missed, and sends nothing twice', async () => {
    const topic = fresh();
    const epoch = await fill(topic, 12);
    const ann = await stage.connectAs('ann');
    const recover = { epoch, offset: 11 };
    expect(await subscribe(ann, topic, { recover, last: 5 })).toEqual({ topic, ...recover, recovered: true });
    await fill(topic, 1);
    expect(await offsets(ann, 2)).toEqual([12, 13]);
  });

  it('shows them to a client that cannot recover, behind the answer that says so', async () => {
    const topic = fresh();
    const epoch = await fill(topic, 40);
    const ann = await stage.connectAs('ann');
    const recover = { epoch, offset: 1 };
    expect(await subscribe(ann, topic, { recover })).toEqual({ topic, epoch, offset: 35, recovered: false });
    expect(await offsets(ann, 5)).toEqual(upTo(40, 36));
  });

  it('shows more than one page of them, in one order with what is published meanwhile', async () => {
    const topic = fresh('long');
    for (let n = 0; n < 9; n++) await Promise.all(Array.from({ length: 100 }, () => fill(topic, 1)));
    let isOver = false;
    const publisher = (async () => {
      // oxlint-disable-next-line no-unmodified-loop-condition -- set when the test is over
      while (!isOver) {
        await fill(topic, 1);
        await nextTurn();
      }
    })();
    try {
      const ann = await stage.connectAs('ann');
      const { offset } = await subscribe(ann, topic);
      expect(offset).toBeGreaterThanOrEqual(200);
      expect(await offsets(ann, 800)).toEqual(upTo(offset + 800, offset + 1));
    } finally {
      isOver = true;
      await publisher;
    }
  });

  it('shows them to a client that the server subscribes', async () => {
    const topic = fresh();
    await fill(topic, 12);
    const ann = await stage.connectAs('ann');
    await stage.realtime.subscribe(ann.id, topic);
    expect((await ann.next('realtime:subscribed')).payload).toMatchObject({ topic, offset: 7 });
    expect(await offsets(ann, 5)).toEqual(upTo(12, 8));
  });
});

it('a topic that sends none sends none to a client that asks for some', async () => {
  const topic = fresh('bare');
  await fill(topic, 3);
  const ann = await stage.connectAs('ann');
  expect(await subscribe(ann, topic, { last: 3 })).toMatchObject({ offset: 3 });
});
