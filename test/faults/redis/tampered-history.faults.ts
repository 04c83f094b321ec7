import { OnSubscribe, TopicGateway } from 'nestjs-realtime';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { RedisHistoryStore } from '../../../lib/adapters/redis/history/redis-history-store.js';
import { collectLogs } from '../../helpers/handler-harness.js';
import { Fleet } from './fleet.js';

const HISTORY = 'realtime@0:history:log';
const POSITION = 'realtime@0:stream:log';

@TopicGateway('log', { history: { size: 10, ttlMs: 60_000 } })
class Log {
  @OnSubscribe()
  enter() {
    return true;
  }
}

/** A node with five publications in a topic, and what somebody who may write to Redis can do to them. */
async function published() {
  const fleet = await Fleet.start({ size: 1, providers: [Log] });
  const { realtime, connectAs } = fleet.nodes[0]!;
  const publish = (n: number) => realtime.publish('log', { type: 'entry', payload: n });
  const reports = [];
  for (let n = 1; n <= 5; n++) reports.push(await publish(n));
  const { epoch } = reports[0]!;
  return {
    realtime,
    publish,
    redis: fleet.redis,
    /** Puts other texts in the place of all that is kept. */
    async replace(texts: Readonly<Record<string, string>>) {
      await fleet.redis.cli('DEL', HISTORY);
      for (const [id, text] of Object.entries(texts)) await fleet.redis.cli('XADD', HISTORY, id, 'text', text);
    },
    /** A client comes back that has everything up to an offset. @returns what it is told, and what it gets */
    async comeBack(offset: number) {
      const ann = await connectAs('ann');
      const { payload } = await ann.request({ action: 'subscribe', topic: 'log', recover: { epoch, offset } });
      await ann.settled();
      const got = ann.pending.filter(({ type }) => type === 'entry').map((frame) => frame.payload as number);
      return { recovered: (payload as { recovered?: boolean }).recovered, got };
    },
  };
}

const text = (n: number) => `{"type":"entry","payload":${n},"timestamp":"2026-01-31T12:00:00.000Z"}`;

/** Histories that somebody has tampered with. */
const TAMPERED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'broken JSON': {
    '1-0': text(1),
    '2-0': text(2),
    '3-0': '{"type":"entry","payload":"}',
    '4-0': text(4),
    '5-0': text(5),
  },
  'a second frame in a line of its own': { '3-0': `${text(3)}\n{"type":"forged"}`, '4-0': text(4), '5-0': text(5) },
  'a frame of the protocol': {
    '3-0': '{"type":"realtime:unsubscribed","payload":"}"}',
    '4-0': text(4),
    '5-0': text(5),
  },
  'a gap': { '1-0': text(1), '2-0': text(2), '4-0': text(4), '5-0': text(5) },
  'an offset that no node has given': { '4-0': text(4), '5-0': text(5), '6-0': text(6) },
  'an id that no node has given': { '3-0': text(3), '3-7': text(3), '4-0': text(4), '5-0': text(5) },
  nothing: {},
};

describe('A history that was tampered with', () => {
  it.each(Object.keys(TAMPERED))('with %s is told as not recovered, and nothing of it is sent', async (what) => {
    const logs = collectLogs();
    const { replace, comeBack, realtime } = await published();
    await replace(TAMPERED[what]!);
    expect(await comeBack(1)).toEqual({ recovered: false, got: [] });
    const { publications } = await realtime.history('log');
    expect(publications.every(({ type, offset }) => type === 'entry' && offset <= 5)).toBe(true);
    expect(logs.filter((line) => line.includes('no longer kept'))).toHaveLength(what === 'nothing' ? 0 : 1);
  });

  it('serves the publications after the ones that were changed, and goes on', async () => {
    const { replace, comeBack, publish } = await published();
    await replace(TAMPERED['broken JSON']!);
    expect(await comeBack(3)).toEqual({ recovered: true, got: [4, 5] });
    expect(await publish(6)).toMatchObject({ offset: 6, complete: true });
    expect(await comeBack(4)).toEqual({ recovered: true, got: [5, 6] });
  });

  it('would reach clients if nobody looked at it', async () => {
    const soundOf = vi
      .spyOn(RedisHistoryStore.prototype, 'soundOf')
      .mockImplementation((entries) =>
        entries.map(([id, [, kept = '']]) => ({ offset: Number.parseInt(id, 10), text: kept })),
      );
    onTestFinished(() => soundOf.mockRestore());
    const { replace, comeBack } = await published();
    const all = { ...TAMPERED['broken JSON'], '3-0': text(666) };
    await replace(all);
    expect(await comeBack(1)).toEqual({ recovered: true, got: [2, 666, 4, 5] });
  });
});

describe('The position of a history that was tampered with', () => {
  it.each([
    ['an epoch that is too long', ['epoch', 'e'.repeat(65)]],
    ['an epoch that is no name', ['epoch', '"],{}]\n']],
    ['an offset that is no number', ['offset', 'x']],
    ['an offset that is no whole number', ['offset', '1.5']],
    ['a negative offset', ['offset', '-7']],
    ['an offset that cannot be counted on from', ['offset', '9223372036854775807']],
  ])('by %s begins anew: clients are told, and publications go on', async (_what, fields) => {
    const { redis, comeBack, publish } = await published();
    await redis.cli('HSET', POSITION, ...fields);
    expect(await comeBack(1)).toEqual({ recovered: false, got: [] });
    expect(await publish(6)).toMatchObject({ offset: 1, recipients: 1, complete: true });
    expect(await publish(7)).toMatchObject({ offset: 2 });
  });

  it('in its term begins anew', async () => {
    const { redis, comeBack, publish } = await published();
    await redis.cli('HSET', 'realtime@0:term', 'term', '"],{}]');
    expect(await comeBack(1)).toEqual({ recovered: false, got: [] });
    expect(await publish(6)).toMatchObject({ recipients: 1, complete: true });
  });
});
