import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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

beforeEach(() => {
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
  delivery.tellPresence = (_topic, changes) => {
    told.push(...changes.map(({ kind, userId }) => `${kind} ${userId}`));
    return 1;
  };
  delivery.resetPresence = () => void told.push('reset');
  pictures = new PresencePictures(watchers, delivery, store, WINDOW_MS);
  pictures.start();
});

afterEach(() => pictures.stop());

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
const usersTold = () => pictures.asTold(EMPTY).users.map(({ userId }) => userId);

describe('the changes that are kept', () => {
  it('are in no answer', async () => {
    watchers.watch('room', 'a');
    await pictures.answer('room', () => EMPTY);
    hear('joined');
    hear('left');
    expect([told, usersTold()]).toEqual([['joined ann'], ['ann']]);
  });

  it('are told when the first picture has been read, because a change before it may have been missed', async () => {
    watchers.watch('room', 'a');
    hear('joined');
    hear('left');
    await pictures.answer('room', () => EMPTY);
    expect([told, usersTold()]).toEqual([['joined ann', 'left ann'], []]);
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
    expect(usersTold()).toEqual([]);
  });

  it('are forgotten with the last watcher', async () => {
    watchers.watch('room', 'a');
    await pictures.answer('room', () => EMPTY);
    hear('joined');
    watchers.unwatch('room', 'a');
    watchers.watch('room', 'b');
    expect(usersTold()).toEqual([]);
  });

  it('include the corrections after a gap', async () => {
    watchers.watch('room', 'a');
    await pictures.answer('room', () => EMPTY);
    hear('joined');
    store.whole = { isWhole: true, at: { epoch: '1', sequence: 3 }, users: new Map([['bob', undefined]]) };
    // It was bob's join after ann's leave, which was lost.
    hear('joined', 'bob', 1);
    await expect.poll(() => pictures.answer('room', () => EMPTY)).toBe(EMPTY);
    expect([told, usersTold()]).toEqual([
      ['joined ann', 'joined bob'],
      ['ann', 'bob'],
    ]);
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
