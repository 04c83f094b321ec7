import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { followStream, type FollowOptions } from './follow-stream.js';
import type { PlainSocket } from './plain-socket.js';
import type { RealtimeStreamError } from './stream-error.js';

let subscription: EventEmitter;

beforeEach(() => {
  subscription = new EventEmitter();
});

function publish(...payloads: readonly unknown[]): void {
  for (const payload of payloads) subscription.emit('publication', { data: { type: 'stream', payload } });
}

/** What is taken until the end, or until an error. */
async function taken(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = [];
  try {
    for await (const item of items) all.push(item);
  } catch (error) {
    const { code, details } = error as RealtimeStreamError;
    all.push({ code, ...(details !== undefined && { details }) });
  }
  return all;
}

const follow = (id: string | PromiseLike<string> = 's', options: FollowOptions = {}) =>
  followStream(subscription, id, options);

const piece = (seq: number, ...items: readonly unknown[]) => ({ id: 's', seq, items });
const end = (seq: number) => ({ id: 's', seq, end: true });

describe('a published stream', () => {
  it('is all items of its pieces, until its end', async () => {
    const items = follow();
    publish(piece(0, 'a', { n: 1 }), piece(1, 'b'), end(2), piece(3, 'never'));
    expect(await taken(items)).toEqual(['a', { n: 1 }, 'b']);
  });

  it('gives a piece that comes again once', async () => {
    const items = follow();
    publish(piece(0, 'a'), piece(1, 'b'), piece(0, 'a'), piece(1, 'b'), piece(2, 'c'), end(3));
    expect(await taken(items)).toEqual(['a', 'b', 'c']);
  });

  it.each<[string, unknown]>([
    ['of another stream', { id: 'other', seq: 0, items: ['x'] }],
    ['that are no objects', 'text'],
    ['with no items', { id: 's' }],
    ['with items that are none', { id: 's', seq: 0, items: 'x' }],
    ['without a payload', undefined],
  ])('is not disturbed by messages %s', async (_what, other) => {
    const items = follow();
    publish(other, piece(0, 'a'), other, end(1));
    expect(await taken(items)).toEqual(['a']);
  });

  it('is not disturbed by publications of another shape', async () => {
    const items = follow();
    for (const data of [undefined, null, 'text', 1]) subscription.emit('publication', { data });
    publish(end(0));
    expect(await taken(items)).toEqual([]);
  });

  it('fails with the text of its error', async () => {
    const items = follow();
    publish(piece(0, 'a'), { id: 's', seq: 1, error: 'The model failed.' });
    expect(await taken(items)).toEqual(['a', { code: 'FAILED' }]);
  });

  it('ends when it was stopped', async () => {
    const items = follow();
    publish(piece(0, 'a'), { ...end(1), stopped: true });
    expect(await taken(items)).toEqual(['a']);
  });

  it('fails when the subscription ends', async () => {
    const items = follow();
    publish(piece(0, 'a'));
    subscription.emit('unsubscribed');
    expect(await taken(items)).toEqual(['a', { code: 'UNSUBSCRIBED' }]);
  });
});

describe('a published stream of which pieces are missing', () => {
  it.each<[string, readonly unknown[], readonly unknown[], { from: number; to: number }]>([
    ['at the beginning', [piece(2, 'c'), end(3)], [], { from: 0, to: 2 }],
    ['in the middle', [piece(0, 'a'), piece(2, 'c'), end(3)], ['a'], { from: 1, to: 2 }],
    ['at the end', [piece(0, 'a'), end(3)], ['a'], { from: 1, to: 3 }],
  ])('is an error that says which, after what came before: %s', async (_where, pieces, before, details) => {
    const items = follow();
    publish(...pieces);
    expect(await taken(items)).toEqual([...before, { code: 'TRUNCATED', details }]);
  });

  it('goes on for those who want to be told only', async () => {
    const gaps: unknown[] = [];
    const items = follow('s', { onTruncated: (missing) => gaps.push(missing) });
    publish(piece(1, 'b'), piece(4, 'e'), end(5));
    expect([await taken(items), gaps]).toEqual([
      ['b', 'e'],
      [
        { from: 0, to: 1 },
        { from: 2, to: 4 },
      ],
    ]);
  });
});

describe('a published stream of whose topic the server has lost something', () => {
  const subscribed = (recovered: boolean) => subscription.emit('subscribed', { wasRecovering: true, recovered });

  it('is an error, since its end may be lost', async () => {
    const items = follow();
    publish(piece(0, 'a'));
    subscribed(true);
    publish(piece(1, 'b'));
    subscribed(false);
    publish(piece(2, 'c'));
    expect(await taken(items)).toEqual(['a', 'b', { code: 'TRUNCATED', details: { from: 2 } }]);
  });

  it('goes on if it has not begun', async () => {
    const items = follow();
    subscribed(false);
    publish(piece(0, 'a'), end(1));
    expect(await taken(items)).toEqual(['a']);
  });

  it('goes on for those who want to be told only', async () => {
    const gaps: unknown[] = [];
    const items = follow('s', { onTruncated: (missing) => gaps.push(missing) });
    publish(piece(0, 'a'));
    subscribed(false);
    publish(piece(1, 'b'), end(2));
    expect([await taken(items), gaps]).toEqual([['a', 'b'], [{ from: 1 }]]);
  });
});

describe('an error that does not know how many pieces there were', () => {
  it('ends the stream', async () => {
    const items = follow();
    publish(piece(0, 'a'), piece(1, 'b'), { id: 's', seq: 0, error: 'The node is gone.' });
    expect(await taken(items)).toEqual(['a', 'b', { code: 'FAILED' }]);
  });
});

describe('a closed socket', () => {
  it('ends the stream at once', async () => {
    const socket = Object.assign(new EventTarget(), { readyState: 3, send: () => undefined });
    const items = followStream({ socket: socket as unknown as PlainSocket, topic: 'chat:1' }, 's');
    expect(await taken(items)).toEqual([{ code: 'DISCONNECTED' }]);
  });
});

describe('a stream whose id is to come', () => {
  it('that is refused when nobody listens any more is no unhandled rejection', async () => {
    const rejections: unknown[] = [];
    const onRejection = (reason: unknown) => rejections.push(reason);
    process.on('unhandledRejection', onRejection);
    onTestFinished(() => void process.off('unhandledRejection', onRejection));
    const items = follow(Promise.reject(new Error('refused')), { signal: AbortSignal.abort() });
    await expect(items.next()).rejects.toMatchObject({ name: 'AbortError' });
    await new Promise((resolve) => setImmediate(resolve));
    expect(rejections).toEqual([]);
  });

  it('misses nothing meanwhile', async () => {
    const items = follow(Promise.resolve('s'));
    publish({ id: 'other', seq: 0, items: ['x'] }, piece(0, 'a'));
    await Promise.resolve();
    publish(end(1));
    expect(await taken(items)).toEqual(['a']);
  });

  it('fails when it does not come', async () => {
    expect(await taken(follow(Promise.reject(Object.assign(new Error('refused'), { code: 103 }))))).toEqual([
      { code: 103 },
    ]);
  });
});

describe('listening', () => {
  it.each<[string, (items: AsyncIterator<unknown>, controller: AbortController) => unknown]>([
    ['is left', (items) => items.return!()],
    ['is aborted', (_items, controller) => controller.abort()],
    ['has ended', () => publish(end(0))],
    ['has failed', () => publish(piece(1, 'b'))],
  ])('ends when the stream %s', async (_how, stop) => {
    const controller = new AbortController();
    const items = follow('s', { signal: controller.signal });
    const before = subscription.listenerCount('publication') + subscription.listenerCount('unsubscribed');
    await stop(items, controller);
    const after = subscription.listenerCount('publication') + subscription.listenerCount('unsubscribed');
    expect([before, after]).toEqual([2, 0]);
    await taken(items);
  });
});
