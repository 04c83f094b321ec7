import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { InMemoryConnectionRegistry } from '../adapters/in-memory/in-memory-connection-registry.js';
import { InMemoryMessageBus } from '../adapters/in-memory/in-memory-message-bus.js';
import { InMemoryPresenceStore } from '../adapters/in-memory/in-memory-presence-store.js';
import { InMemoryPubSubManager } from '../adapters/in-memory/in-memory-pub-sub-manager.js';
import type { PresenceNews, PresencePicture, PresenceReading } from '../core/presence/presence-position.js';
import type { PresenceChange } from '../core/presence/presence.js';
import { LocalDelivery } from './local-delivery.js';
import { NodeMeter } from './node-meter.js';
import { PresencePictures } from './presence-pictures.js';
import { PresenceWatchers } from './presence-watchers.js';

/** A store whose pictures are those of the test. */
class PicturedStore extends InMemoryPresenceStore {
  whole: PresencePicture | undefined = { isWhole: true, at: { epoch: '1', sequence: 0 }, users: new Map() };
  reads = 0;

  override picture(): PresencePicture | undefined {
    this.reads += 1;
    return this.whole;
  }
}

/** Long enough that no window ends in a test. */
const WINDOW_MS = 60_000;

let store: PicturedStore;
let pictures: PresencePictures;
let watchers: PresenceWatchers;
/** `left ann`, `reset`: what watchers are told. */
let told: string[];
/** The number of the last change. */
let sequence: number;

beforeEach(() => start(WINDOW_MS));
afterEach(() => pictures.stop());

function start(coalesceMs: number): void {
  told = [];
  sequence = 0;
  store = new PicturedStore(new InMemoryMessageBus());
  watchers = new PresenceWatchers();
  const delivery = new LocalDelivery(
    new InMemoryConnectionRegistry(),
    new InMemoryPubSubManager(),
    watchers,
    { now: () => 0 },
    new NodeMeter(),
  );
  delivery.tellPresence = (_topic, changes, { to } = {}) => {
    told.push(...changes.map(({ kind, userId }) => `${kind} ${userId}${to ? ` to ${[...to].join()}` : ''}`));
    return 1;
  };
  delivery.resetPresence = () => void told.push('reset');
  pictures = new PresencePictures(watchers, delivery, store, coalesceMs);
  pictures.start();
}

/** A change in an unbroken chain, unless changes are skipped. */
function news(kind: PresenceChange['kind'], userId: string, skipped: number): PresenceNews {
  const previous = sequence + skipped;
  sequence = previous + 1;
  return { kind, userId, at: { epoch: '1', sequence, previous } };
}

function hear(kind: PresenceChange['kind'], userId = 'ann', skipped = 0): void {
  for (const change of watchers.hear('room', news(kind, userId, skipped))) told.push(`${change.kind} ${change.userId}`);
}

const EMPTY: PresenceReading = { topic: 'room', users: [], userCount: 0, connectionCount: 0 };
/** The users in an answer that was read before every change. */
const usersAnswered = (connectionId = 'b') =>
  pictures.answering({ ...EMPTY, at: { epoch: '1', sequence: 0 } }, connectionId).users.map(({ userId }) => userId);

describe('an answer', () => {
  it('has changes that were heard after it was read, also those that are kept', async () => {
    watchers.watch('room', 'a');
    await pictures.answer('room', () => EMPTY);
    hear('joined');
    expect(usersAnswered()).toEqual(['ann']);
    hear('left');
    expect([told, usersAnswered()]).toEqual([['joined ann'], []]);
  });

  it('is as it was read when that is not older than what was heard', async () => {
    watchers.watch('room', 'a');
    await pictures.answer('room', () => EMPTY);
    hear('joined');
    const reading = { ...EMPTY, at: { epoch: '1', sequence: 2 } };
    expect(pictures.answering(reading, 'a')).toBe(reading);
  });

  it.each([
    ['a watcher is followed by', 'a', ['joined ann', 'joined ann to a']],
    ['others is not followed by', 'b', ['joined ann']],
  ])('to %s changes that cancel each other', async (_who, asker, expected) => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    pictures.stop();
    start(250);
    watchers.watch('room', 'a');
    await pictures.answer('room', () => EMPTY);
    hear('joined');
    hear('left');
    usersAnswered(asker);
    hear('joined');
    vi.advanceTimersByTime(1_000);
    expect(told).toEqual(expected);
  });
});

describe('the changes that are kept', () => {
  it('are told when the first picture has been read, because a change before it may have been missed', async () => {
    watchers.watch('room', 'a');
    hear('joined');
    hear('left');
    await pictures.answer('room', () => EMPTY);
    expect([told, usersAnswered()]).toEqual([['joined ann', 'left ann'], []]);
  });

  it('are told before a reset, after which watchers read again', async () => {
    store.whole = undefined;
    watchers.watch('room', 'a');
    await pictures.answer('room', () => EMPTY);
    hear('joined');
    hear('left');
    expect(told).toEqual(['joined ann']);
    hear('joined', 'bob', 1);
    await expect.poll(() => told).toEqual(['joined ann', 'joined bob', 'left ann', 'reset']);
    expect(usersAnswered()).toEqual([]);
  });

  it('are forgotten with the last watcher', async () => {
    watchers.watch('room', 'a');
    await pictures.answer('room', () => EMPTY);
    hear('joined');
    watchers.unwatch('room', 'a');
    watchers.watch('room', 'b');
    expect(usersAnswered()).toEqual([]);
  });

  it('include the corrections after a gap', async () => {
    watchers.watch('room', 'a');
    await pictures.answer('room', () => EMPTY);
    hear('joined');
    store.whole = { isWhole: true, at: { epoch: '1', sequence: 3 }, users: new Map([['bob', undefined]]) };
    // It was bob's join after ann's leave, which was lost.
    hear('joined', 'bob', 1);
    await expect.poll(() => pictures.answer('room', () => EMPTY)).toBe(EMPTY);
    expect([told, usersAnswered()]).toEqual([['joined ann', 'joined bob'], ['bob']]);
  });
});

describe('a picture is read', () => {
  it('at once when a change shows that one was missed', async () => {
    watchers.watch('room', 'a');
    await pictures.answer('room', () => EMPTY);
    hear('joined', 'bob', 1);
    expect(store.reads).toBe(2);
  });

  it('not with each change while nodes have yet to report their users after a loss of data', async () => {
    store.whole = { isWhole: false, at: { epoch: '1', sequence: 0 }, users: new Map() };
    watchers.watch('room', 'a');
    await pictures.answer('room', () => EMPTY);
    for (let n = 0; n < 100; n++) {
      hear('joined', `user-${n}`);
      await Promise.resolve();
    }
    expect(store.reads).toBe(1);
    expect(told).toHaveLength(100);
  });
});
