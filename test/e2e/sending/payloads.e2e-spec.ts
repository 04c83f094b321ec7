import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Stage, type StageGuest } from '../../helpers/stage.js';

const stage = Stage.shared();
let ann: StageGuest;

beforeEach(async () => {
  ann = await stage.connectAs('ann');
});

describe('a payload', () => {
  const payloads: [string, unknown][] = [
    ['a string', 'hello'],
    ['an empty string', ''],
    ['a string of JSON', '{"type":"realtime:welcome"}'],
    ['a number', 1.5],
    ['zero', 0],
    ['true', true],
    ['false', false],
    ['null', null],
    ['a list', [1, [2, [3]]]],
    ['nested objects', { a: { b: [{ c: null }] } }],
    ['an object with the fields of a frame', { type: 'x', id: 1, topic: 't', payload: {}, timestamp: 'never' }],
    ['characters beyond ASCII', 'naïve 日本語 👩‍👩‍👧 \u2028\u2029 \u0000 \\ "'],
    ['a lone surrogate', '\ud800'],
    ['200 KB', 'ü'.repeat(100_000)],
    ['65,536 bytes, where the length of a frame takes eight bytes', 'x'.repeat(65_536)],
    ['126 bytes, where the length of a frame takes two bytes', 'x'.repeat(126)],
  ];

  it.each(payloads)('arrives as it was sent: %s', async (_what, payload) => {
    await stage.realtime.sendToUser('ann', { type: 'news', payload });
    expect((await ann.next()).payload).toEqual(payload);
  });

  it.each(payloads)('arrives in a topic as it was sent: %s', async (_what, payload) => {
    await stage.subscribe(ann, 'feed');
    await stage.realtime.publish('feed', { type: 'news', payload });
    expect(await ann.next()).toMatchObject({ topic: 'feed', payload });
  });

  it('is missing when there is none', async () => {
    await stage.realtime.sendToUser('ann', { type: 'news' });
    expect(Object.keys(await ann.next())).toEqual(['type', 'timestamp']);
  });

  it('is missing when it is undefined', async () => {
    await stage.realtime.sendToUser('ann', { type: 'news', payload: undefined });
    expect(await ann.next()).not.toHaveProperty('payload');
  });

  it('arrives as its toJSON() says', async () => {
    await stage.realtime.sendToUser('ann', { type: 'news', payload: { at: new Date(0) } });
    expect((await ann.next()).payload).toEqual({ at: '1970-01-01T00:00:00.000Z' });
  });

  it('is read when it is sent: a later change does not arrive', async () => {
    const payload = { n: 1 };
    const sent = stage.realtime.sendToUser('ann', { type: 'news', payload });
    payload.n = 2;
    await sent;
    expect((await ann.next()).payload).toEqual({ n: 1 });
  });

  it('is serialised once, however many recipients there are', async () => {
    await stage.connectAs('ann');
    const toJSON = vi.fn(() => 'text');
    await stage.realtime.broadcast({ type: 'news', payload: { toJSON } });
    expect(toJSON).toHaveBeenCalledTimes(1);
  });
});

describe('a message', () => {
  it('does not take fields of its own along', async () => {
    await stage.realtime.sendToUser('ann', { type: 'news', id: 7, topic: 'feed', secret: true } as { type: string });
    expect(Object.keys(await ann.next())).toEqual(['type', 'timestamp']);
  });

  it.each(['a', 'x'.repeat(255), 'constructor', '__proto__', 'a "quoted" type', 'größe', 'Realtime:welcome'])(
    'may have the type %j',
    async (type) => {
      await stage.realtime.sendToUser('ann', { type, payload: 1 });
      expect(await ann.next()).toMatchObject({ type, payload: 1 });
    },
  );
});

describe('a timestamp', () => {
  it('is the time of the send when it was left out', async () => {
    const before = Date.now();
    await stage.realtime.sendToUser('ann', { type: 'news' });
    const at = Date.parse((await ann.next()).timestamp);
    expect([at >= before, at <= Date.now()]).toEqual([true, true]);
  });

  it('is written as ISO 8601 in UTC with milliseconds', async () => {
    await stage.realtime.sendToUser('ann', { type: 'news' });
    expect((await ann.next()).timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('is kept when it was given', async () => {
    await stage.realtime.sendToUser('ann', { type: 'news', timestamp: '2020-02-29T23:59:59.999Z' });
    expect((await ann.next()).timestamp).toBe('2020-02-29T23:59:59.999Z');
  });
});
