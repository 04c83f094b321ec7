import { describe, expect, it } from 'vitest';
import { KEY_LIFE_MS, PublicationStreams } from './publication-streams.js';
import { unpublishedEpoch } from './unpublished-epoch.js';

const A = unpublishedEpoch('term', 'a', 0);
const RETENTION = { size: 10, ttlMs: 1_000 };
const DAY_MS = 86_400_000;

function streams(): PublicationStreams {
  return new PublicationStreams('term');
}

const top = (all: PublicationStreams, topic: string, now: number) => all.page(topic, { limit: 0 }, RETENTION, now).top;

describe('the streams of all topics', () => {
  it('do not see each other', () => {
    const all = streams();
    all.append('a', 'x', RETENTION, 0);
    all.append('a', 'y', RETENTION, 0);
    all.append('b', 'z', RETENTION, 0);
    expect([top(all, 'a', 0), top(all, 'b', 0)]).toEqual([
      { epoch: A, offset: 2 },
      { epoch: unpublishedEpoch('term', 'b', 0), offset: 1 },
    ]);
  });

  it.each(['constructor', '__proto__', 'toString'])('know nothing of a topic %s that nobody has used', (topic) => {
    expect(top(streams(), topic, 0)).toEqual({ epoch: unpublishedEpoch('term', topic, 0), offset: 0 });
  });

  it('have another epoch when a position was not asked for in a day', () => {
    const all = streams();
    all.append('a', 'x', RETENTION, 0);
    expect([top(all, 'a', DAY_MS - 1), top(all, 'a', 2 * DAY_MS - 2), top(all, 'a', 3 * DAY_MS)]).toEqual([
      { epoch: A, offset: 1 },
      { epoch: A, offset: 1 },
      { epoch: unpublishedEpoch('term', 'a', 3 * DAY_MS), offset: 0 },
    ]);
  });

  it('hold nothing any more when everything is over', () => {
    const all = streams();
    for (let n = 0; n < 1_000; n++) all.append(`t${n}`, 'x', RETENTION, n, `key ${n}`);
    expect(all.held).toBe(3_000);
    for (let n = 0; n < 20; n++) top(all, 'a', 3 * DAY_MS);
    expect(all.held).toBe(0);
  });

  it('hold no text for longer than a minute after its time', () => {
    const all = streams();
    all.append('a', 'x', RETENTION, 0);
    all.append('a', 'y', { size: 10, ttlMs: DAY_MS }, 0);
    all.append('a', 'z', RETENTION, 0);
    expect(all.held).toBe(4);
    top(all, 'b', 70_000);
    // The position.
    expect(all.held).toBe(1);
  });

  it('hold nothing for topics that were only read', () => {
    const all = streams();
    for (let n = 0; n < 1_000; n++) top(all, `t${n}`, n);
    expect(all.held).toBe(0);
  });

  it('go on from the position that was read before the first publication', () => {
    const all = streams();
    const { epoch } = top(all, 'a', DAY_MS - 1);
    expect(all.append('a', 'x', RETENTION, DAY_MS - 1).position).toEqual({ epoch, offset: 1 });
  });

  it('name a second life of a topic otherwise, however its end and the generation fall', () => {
    for (let begun = 0; begun < DAY_MS; begun += DAY_MS / 7) {
      const all = streams();
      const first = all.append('a', 'x', RETENTION, begun).position;
      const second = all.append('a', 'x', RETENTION, begun + DAY_MS).position;
      expect([second.offset, second.epoch === first.epoch]).toEqual([1, false]);
    }
  });
});

describe('an idempotency key', () => {
  const publish = (all: PublicationStreams, topic: string, now: number, key?: string) =>
    all.append(topic, 'x', RETENTION, now, key);

  it('brings the position of the first publication', () => {
    const all = streams();
    publish(all, 'a', 0, 'k');
    publish(all, 'a', 0);
    expect(publish(all, 'a', 0, 'k')).toEqual({ position: { epoch: A, offset: 1 }, isRepeated: true });
    expect(top(all, 'a', 0).offset).toBe(2);
  });

  it('holds in one topic', () => {
    const all = streams();
    publish(all, 'a', 0, 'k');
    expect(publish(all, 'b', 0, 'k').isRepeated).toBe(false);
  });

  it('is remembered for five minutes', () => {
    const all = streams();
    publish(all, 'a', 0, 'k');
    expect([KEY_LIFE_MS - 1, KEY_LIFE_MS].map((now) => publish(all, 'a', now, 'k').isRepeated)).toEqual([true, false]);
  });

  it('is remembered for five minutes when it is used again, too', () => {
    const all = streams();
    for (const start of [0, KEY_LIFE_MS, 2 * KEY_LIFE_MS]) publish(all, 'a', start, 'k');
    expect(publish(all, 'a', 3 * KEY_LIFE_MS - 1, 'k').isRepeated).toBe(true);
    top(all, 'a', 4 * KEY_LIFE_MS + 10_000);
    expect(all.held).toBe(1);
  });
});
