import { OnSubscribe, TopicGateway } from 'nestjs-realtime';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Stage, type StageGuest } from '../../helpers/stage.js';

/** A minute of a publication every 50 ms. */
const MINUTE = 1_200;

@TopicGateway('ticker:{name}', { history: { size: 1_500, ttlMs: 60_000 } })
class TickerTopic {
  @OnSubscribe()
  join() {
    return true;
  }
}

/** Limits of publications and pages are those that the package has by itself. */
const stage = Stage.shared({ providers: [TickerTopic] });

let last = 0;
const fresh = () => `ticker:${++last}`;

/** Publishes numbers from 1 on, a hundred at a time. @returns the epoch */
async function fill(topic: string, count: number): Promise<string> {
  const { realtime } = stage.nodes[0]!;
  let epoch = '';
  for (let n = 0; n < count; n += 100) {
    const part = Array.from({ length: Math.min(100, count - n) }, (_, at) =>
      realtime.publish(topic, { type: 'tick', payload: n + at + 1 }, { report: false }),
    );
    epoch = (await Promise.all(part)).at(-1)!.epoch!;
  }
  return epoch;
}

async function offsets(guest: StageGuest, topic: string, count: number): Promise<number[]> {
  const found: number[] = [];
  while (found.length < count) {
    const frame = await guest.next((each) => each.topic === topic);
    found.push(frame.offset as number);
  }
  return found;
}

const upTo = (count: number, from = 1) => Array.from({ length: count - from + 1 }, (_, at) => from + at);

describe('a client that was away for a minute', () => {
  it('recovers 1,200 publications, in order, and then gets what comes', async () => {
    const topic = fresh();
    const epoch = await fill(topic, MINUTE + 1);
    const ann = await stage.connectAs('ann');
    const answer = await ann.request({ action: 'subscribe', topic, recover: { epoch, offset: 1 } });
    expect(answer.payload).toEqual({ topic, epoch, offset: 1, recovered: true });
    await stage.realtime.publish(topic, { type: 'tick', payload: 'live' });
    expect(await offsets(ann, topic, MINUTE + 1)).toEqual(upTo(MINUTE + 2, 2));
  });

  it('recovers from the beginning, in whichever epoch', async () => {
    const topic = fresh();
    const epoch = await fill(topic, 700);
    const ann = await stage.connectAs('ann');
    const answer = await ann.request({ action: 'subscribe', topic, recover: { epoch: '', offset: 0 } });
    expect(answer.payload).toEqual({ topic, epoch, offset: 0, recovered: true });
    expect(await offsets(ann, topic, 700)).toEqual(upTo(700));
  });

  it('misses nothing and gets nothing twice while others go on publishing', async () => {
    const topic = fresh();
    const epoch = await fill(topic, 900);
    let published = 900;
    const end = new AbortController();
    const publisher = (async () => {
      while (!end.signal.aborted) {
        const { realtime } = stage.nodes[published % stage.nodes.length]!;
        await realtime.publish(topic, { type: 'tick', payload: ++published });
        await nextTurn();
      }
    })();
    try {
      const guests = await Promise.all(['ann', 'bob', 'cid'].map((name) => stage.connectAs(name)));
      const seen = guests.map(async (guest, at) => {
        const offset = at * 200;
        const answer = await guest.request({ action: 'subscribe', topic, recover: { epoch, offset } });
        expect(answer.payload).toMatchObject({ recovered: true });
        expect(await offsets(guest, topic, 1_000 - offset)).toEqual(upTo(1_000, offset + 1));
      });
      await Promise.all(seen);
    } finally {
      end.abort();
      await publisher;
    }
  });

  it('recovers many topics at once on one connection', async () => {
    const topics = Array.from({ length: 8 }, fresh);
    const epochs = await Promise.all(topics.map((topic) => fill(topic, 400)));
    const ann = await stage.connectAs('ann');
    for (const [at, topic] of topics.entries()) {
      ann.send({ action: 'subscribe', topic, recover: { epoch: epochs[at]!, offset: 0 } });
    }
    for (const topic of topics) expect(await offsets(ann, topic, 400)).toEqual(upTo(400));
  });

  it('gets nothing more of a topic that it leaves meanwhile, and all of it when it comes again', async () => {
    const topic = fresh();
    const epoch = await fill(topic, MINUTE);
    const ann = await stage.connectAs('ann');
    const recover = { epoch, offset: 0 };
    ann.send({ action: 'subscribe', topic, recover, id: 1 });
    const left = await ann.request({ action: 'unsubscribe', topic });
    expect(left.type).toBe('realtime:unsubscribed');
    await ann.settled();
    const before = ann.pending.filter((frame) => frame.topic === topic).length;
    await offsets(ann, topic, before);
    expect(await ann.request({ action: 'subscribe', topic, recover })).toMatchObject({ payload: { recovered: true } });
    expect(await offsets(ann, topic, MINUTE)).toEqual(upTo(MINUTE));
  });
});
