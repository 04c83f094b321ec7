import { describe, expect, it, vi } from 'vitest';
import { createConnection } from '../core/connection/connection.js';
import type { RealtimeEvent } from '../core/connection/realtime-event.js';
import { ConnectionEvents } from './connection-events.js';

const EVENT: RealtimeEvent = {
  type: 'connected',
  connection: createConnection({ id: 'n.c', userId: 'ann', createdAt: new Date(0) }),
};

describe('connection events', () => {
  it('reach everybody who listens', () => {
    const events = new ConnectionEvents();
    const [one, two] = [vi.fn(), vi.fn()];
    events.stream$.subscribe(one);
    events.stream$.subscribe(two);
    events.emit(EVENT);
    expect([one.mock.calls, two.mock.calls]).toEqual([[[EVENT]], [[EVENT]]]);
  });

  it('are not kept for those who come later', () => {
    const events = new ConnectionEvents();
    events.emit(EVENT);
    const late = vi.fn();
    events.stream$.subscribe(late);
    expect(late).not.toHaveBeenCalled();
  });

  it('cannot be emitted by those who listen', () => {
    expect(new ConnectionEvents().stream$).not.toHaveProperty('next');
  });

  it('are over once they are closed', () => {
    const events = new ConnectionEvents();
    const [next, complete] = [vi.fn(), vi.fn()];
    events.stream$.subscribe({ next, complete });
    events.close();
    events.emit(EVENT);
    expect([next.mock.calls.length, complete.mock.calls.length]).toEqual([0, 1]);
  });
});
