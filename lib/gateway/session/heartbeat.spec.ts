import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { JsonCodec } from '../../codecs/json/json-codec.js';
import { Heartbeat, type HeartbeatTick, type HeartbeatTimes, type Ticking } from './heartbeat.js';

const codec = new JsonCodec({ maxDepth: 32, maxKeys: 1_000, maxValues: 10_000 });

/** A connection that remembers its ticks. */
const listener = (): Ticking => ({ tick: (tick) => void ticks.push(tick), disconnect: () => undefined });

const TIMES = { intervalMs: 25_000, timeoutMs: 10_000, writeStallMs: 10_000, authTimeoutMs: 10_000 };

let connections: Set<Ticking>;
let ticks: HeartbeatTick[];
let heartbeat: Heartbeat;

beforeEach(() => {
  vi.useFakeTimers();
  ticks = [];
  connections = new Set([listener()]);
});

afterEach(() => {
  heartbeat.stop();
  vi.useRealTimers();
});

function start(times: HeartbeatTimes = TIMES): void {
  heartbeat = new Heartbeat(times, connections, { now: () => Date.now() }, [codec]);
  heartbeat.start();
}

describe('a heartbeat', () => {
  it('reaches the others when one of them fails, and ends that one', () => {
    const disconnect = vi.fn<(code: string) => void>();
    const failing = {
      disconnect,
      tick: () => {
        throw new Error('for the test');
      },
    };
    connections = new Set([failing, ...connections]);
    start();
    vi.advanceTimersByTime(1_000);
    expect([ticks.length, disconnect.mock.calls]).toEqual([1, [['SERVER_ERROR']]]);
  });

  it('ticks once a second', () => {
    start();
    vi.advanceTimersByTime(5_000);
    expect(ticks).toHaveLength(5);
  });

  it('counts its times in ticks', () => {
    start();
    vi.advanceTimersByTime(1_000);
    expect(ticks[0]).toMatchObject({ intervalTicks: 25, timeoutTicks: 10, stallTicks: 10, authTicks: 10 });
  });

  it.each([
    ['the interval', { ...TIMES, intervalMs: 50 }, 20],
    ['the timeout', { ...TIMES, timeoutMs: 100 }, 10],
    ['the time for a stall', { ...TIMES, writeStallMs: 500 }, 2],
  ])('ticks as fast as %s asks for, when that is shorter', (_what, times, perSecond) => {
    start(times);
    vi.advanceTimersByTime(1_000);
    expect(ticks).toHaveLength(perSecond);
  });

  it('never gives a peer less time than it was told', () => {
    start({ ...TIMES, timeoutMs: 1_500 });
    vi.advanceTimersByTime(1_000);
    expect(ticks[0]!.timeoutTicks).toBe(2);
  });

  it('tells the time of the clock', () => {
    vi.setSystemTime(5_000_000);
    start();
    vi.advanceTimersByTime(1_000);
    expect(ticks[0]!.now).toBe(5_001_000);
  });

  it('makes the pings once for all connections', () => {
    connections.add(listener());
    start();
    vi.advanceTimersByTime(1_000);
    expect([ticks.length, ticks[0]!.pings === ticks[1]!.pings]).toEqual([2, true]);
  });

  it('makes a ping with the time of the tick', () => {
    vi.setSystemTime(0);
    start();
    vi.advanceTimersByTime(1_000);
    const { payload } = ticks[0]!.pings.get(codec)!;
    expect(JSON.parse(String(payload))).toEqual({ type: 'realtime:ping', timestamp: '1970-01-01T00:00:01.000Z' });
  });

  it('reaches those that come later, and not those that have gone', () => {
    start();
    connections.clear();
    vi.advanceTimersByTime(1_000);
    connections.add(listener());
    vi.advanceTimersByTime(1_000);
    expect(ticks).toHaveLength(1);
  });

  it('ends when it is stopped', () => {
    start();
    heartbeat.stop();
    vi.advanceTimersByTime(60_000);
    expect([ticks.length, vi.getTimerCount()]).toEqual([0, 0]);
  });
});
