import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { InMemoryMessageBus } from '../adapters/in-memory/in-memory-message-bus.js';
import { EventLoopDelay } from './event-loop-delay.js';
import { NodeDrain } from './node-drain.js';
import { NodeHealth } from './node-health.js';
import { NodeLifecycle } from './node-lifecycle.js';
import { NodeMeter } from './node-meter.js';

class FakeBus extends InMemoryMessageBus {
  isCut = false;
  counts = new Map<string, number>();

  override get isAttached(): boolean {
    return !this.isCut;
  }

  override get refusals(): ReadonlyMap<string, number> {
    return this.counts;
  }
}

let bus: FakeBus;
let lifecycle: NodeLifecycle;
let meter: NodeMeter;
let eventLoop: EventLoopDelay;
let health: NodeHealth;

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
  bus = new FakeBus();
  lifecycle = new NodeLifecycle();
  meter = new NodeMeter();
  eventLoop = new EventLoopDelay();
  vi.spyOn(eventLoop, 'read').mockImplementation(() => ({ p50: 0, p99: 0, max: 0 }));
  health = new NodeHealth(lifecycle, new NodeDrain(), bus, meter, eventLoop, { now: () => Date.now() });
  health.onModuleInit();
  lifecycle.started();
});

afterEach(() => {
  health.onApplicationShutdown();
  vi.useRealTimers();
});

const told = () => health.read().reasons.map(({ code, since }) => [code, since.getTime()]);

it('a reason is seen within a second while nobody asks', () => {
  bus.isCut = true;
  vi.advanceTimersByTime(60_000);
  expect(told()).toEqual([['DETACHED', 1_000]]);
});

it('a refusal counts for 30 seconds after it was seen', () => {
  bus.counts.set('OOM', 1);
  vi.advanceTimersByTime(10_000);
  expect(told()).toEqual([['BUS_REFUSES', 1_000]]);
  vi.advanceTimersByTime(21_000);
  expect(told()).toEqual([]);
});

it('a bus that counts no refusals refuses nothing', () => {
  Object.defineProperty(bus, 'refusals', { value: undefined });
  vi.advanceTimersByTime(1_000);
  expect(told()).toEqual([]);
});

it('the event loop is late only once it is measured', () => {
  vi.mocked(eventLoop.read).mockReturnValue({ p50: 0, p99: 2, max: 2 });
  vi.advanceTimersByTime(5_000);
  expect(vi.mocked(eventLoop.read)).not.toHaveBeenCalled();
  expect(told()).toEqual([['EVENT_LOOP_LATE', 5_000]]);
});

it('send queues that are nearly full are seen', () => {
  meter.sendQueue = { total: 95, maxBytes: 100 };
  vi.advanceTimersByTime(1_000);
  expect(told()).toEqual([['SEND_BUDGET_SPENT', 1_000]]);
});

it('nothing runs after the shutdown', () => {
  health.onApplicationShutdown();
  expect(vi.getTimerCount()).toBe(0);
});
