import { beforeEach, describe, expect, it } from 'vitest';
import { createConnection } from '../../core/connection/connection.js';
import { HookOrder } from './hook-order.js';

const ann = createConnection({ id: 'n.1', userId: 'ann', createdAt: new Date(0) });
const CLOSE = { code: 3000, reason: 'for the test' };

let log: string[];
/** Ends the `@OnConnect()` hook. */
let settle: (error?: Error) => void;
let onEvent: (type: string) => void;
let order: HookOrder;
let hasHooks: boolean;
/** What `@OnUnsubscribe()` waits for. */
let unsubscribing: Promise<void> | undefined;

beforeEach(() => {
  log = [];
  hasHooks = true;
  unsubscribing = undefined;
  onEvent = () => undefined;
  const note = async (entry: string) => void log.push(entry);
  order = new HookOrder({
    events: {
      emit(event) {
        log.push(`event ${event.type}${'topic' in event ? ` ${event.topic}` : ''}`);
        onEvent(event.type);
      },
    },
    dispatcher: {
      connected: () => {
        if (!hasHooks) return undefined;
        log.push('connect');
        return new Promise((resolve, reject) => {
          settle = (error) => (error ? reject(error) : resolve());
        });
      },
      unsubscribed: (_connection, topic) => note(`unsubscribe ${topic}`).then(() => unsubscribing),
      disconnected: () => note('disconnect'),
    },
  });
});

const END = [
  'event unsubscribed a',
  'unsubscribe a',
  'event unsubscribed b',
  'unsubscribe b',
  'event disconnected',
  'disconnect',
];

describe('the hooks of a connection', () => {
  it('end with every topic left, and the disconnect last', async () => {
    void order.connected(ann);
    settle();
    order.ended(ann, ['a', 'b'], CLOSE);
    await order.settled;
    expect(log).toEqual(['connect', 'event connected', ...END]);
  });

  it('of the end wait for those of the beginning', async () => {
    void order.connected(ann);
    order.ended(ann, ['a', 'b'], CLOSE);
    await new Promise((resolve) => setImmediate(resolve));
    const before = log.length;
    settle();
    await order.settled;
    expect([before, log.slice(before)]).toEqual([2, END]);
  });

  it('of the end run although the beginning has failed', async () => {
    const connected = order.connected(ann);
    settle(new Error('for the test'));
    await expect(connected).rejects.toThrow('for the test');
    order.ended(ann, [], CLOSE);
    await order.settled;
    expect(log.slice(2)).toEqual(['event disconnected', 'disconnect']);
  });

  it('of the end run when a listener of the first event ends the connection', async () => {
    onEvent = (type) => void (type === 'connected' && order.ended(ann, [], CLOSE));
    void order.connected(ann);
    settle();
    await order.settled;
    expect(log).toEqual(['connect', 'event connected', 'event disconnected', 'disconnect']);
  });

  it('end with the events where the application has no hook for the beginning', async () => {
    hasHooks = false;
    const connected = order.connected(ann);
    order.ended(ann, [], CLOSE);
    await order.settled;
    expect([connected, log]).toEqual([undefined, ['event connected', 'event disconnected', 'disconnect']]);
  });

  it('do not run for a connection whose beginning was never announced', () => {
    order.ended(ann, ['a'], CLOSE);
    expect([log, order.settled]).toEqual([[], undefined]);
  });

  it.each(['left', 'undone'] as const)('of the end wait for that of a topic that was %s', async (how) => {
    void order.connected(ann);
    settle();
    let leave!: () => void;
    unsubscribing = new Promise((resolve) => (leave = resolve));
    void order[how](ann, 'a');
    const started = log.length;
    order.ended(ann, [], CLOSE);
    await new Promise((resolve) => setImmediate(resolve));
    const waiting = log.length;
    leave();
    await order.settled;
    expect([waiting, log.slice(started)]).toEqual([started, ['event disconnected', 'disconnect']]);
  });

  it('are settled once that of a topic is over that a late handler has opened', async () => {
    void order.connected(ann);
    settle();
    order.ended(ann, [], CLOSE);
    await order.settled;
    void order.undone(ann, 'a');
    await order.settled;
    expect(log.slice(2)).toEqual(['event disconnected', 'disconnect', 'unsubscribe a']);
  });

  it('tell of a topic that is left while the connection goes on', async () => {
    await order.left(ann, 'a');
    expect(log).toEqual(['event unsubscribed a', 'unsubscribe a']);
  });
});
