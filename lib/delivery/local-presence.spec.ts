import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { collectLogs } from '../../test/helpers/handler-harness.js';
import type { Presence, PresenceMember } from '../core/presence/presence.js';
import { PresenceStore, type PresenceNode } from '../ports/presence-store.js';
import { LocalPresence } from './local-presence.js';

/** Remembers what it is told. */
class RecordingStore extends PresenceStore {
  readonly calls: string[] = [];
  node: PresenceNode | undefined;

  open(node: PresenceNode): void {
    this.node = node;
    this.calls.push(`open ${node.id}`);
  }
  set(topic: string, { userId, connections }: PresenceMember): void | Promise<void> {
    this.calls.push(`${topic}: ${userId} ${connections}`);
  }
  remove(topic: string, userId: string): void {
    this.calls.push(`${topic}: ${userId} gone`);
  }
  read(): Presence {
    throw new Error('is not asked');
  }
  update(): boolean {
    throw new Error('is not asked');
  }
  picture(): undefined {}
  positions(): readonly undefined[] {
    return [];
  }
  close(graceMs: number): void {
    this.calls.push(`close ${graceMs}`);
  }
}

const ANN = { id: 'n.1', userId: 'ann' };

let store: RecordingStore;
let presence: LocalPresence;

async function open(graceMs: number): Promise<void> {
  store = new RecordingStore();
  presence = new LocalPresence(store, graceMs);
  await presence.open('n');
  store.calls.length = 0;
}

beforeEach(async () => {
  vi.useFakeTimers();
  await open(10_000);
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('when many drop and do not come back', () => {
  const COUNT = 500;

  /** Drops them all. @param clock what a look at the clock shows */
  function drop(clock: () => number): void {
    vi.spyOn(performance, 'now').mockImplementation(clock);
    for (let n = 0; n < COUNT; n++) {
      presence.enter('chat:1', { id: `n.${n}`, userId: `u${n}` });
      presence.drop('chat:1', { id: `n.${n}`, userId: `u${n}` });
    }
    store.calls.length = 0;
  }

  /** Each look at the clock takes four milliseconds, so that 32 are a slice. */
  function slowClock(): () => number {
    let now = 0;
    return () => (now += 4);
  }

  const toFirstLeave = () => {
    for (let timer = 0; timer < 60 && store.calls.length === 0; timer++) vi.advanceTimersToNextTimer();
  };

  /** @returns how many left in each turn */
  function leave(): number[] {
    const left: number[] = [];
    for (let timer = 0; timer < 60 && store.calls.length < COUNT; timer++) {
      const before = store.calls.length;
      vi.advanceTimersToNextTimer();
      if (store.calls.length > before) left.push(store.calls.length - before);
    }
    return left;
  }

  it('they leave in slices, each once', () => {
    drop(slowClock());
    const left = leave();
    expect(left.length).toBeGreaterThanOrEqual(15);
    expect(Math.max(...left)).toBeLessThanOrEqual(32);
    expect(new Set(store.calls)).toEqual(new Set(Array.from({ length: COUNT }, (_, n) => `chat:1: u${n} gone`)));
  });

  it('they would leave in one turn if the clock stood still', () => {
    drop(() => 0);
    expect(leave()).toEqual([COUNT]);
  });

  it('one who comes back before its turn stays', () => {
    drop(slowClock());
    toFirstLeave();
    presence.enter('chat:1', { id: 'n.again', userId: 'u499' });
    vi.advanceTimersByTime(2_000);
    expect(store.calls.filter((call) => call.includes('u499'))).toEqual(['chat:1: u499 1']);
    expect(store.calls).toHaveLength(COUNT);
  });

  it('nobody leaves any more once the node has closed', async () => {
    drop(slowClock());
    toFirstLeave();
    await presence.close();
    const { length } = store.calls;
    vi.advanceTimersByTime(2_000);
    expect(store.calls).toHaveLength(length);
  });
});

describe('what a node tells the store', () => {
  it('is who it is, when it opens', async () => {
    await presence.open('n1');
    expect(store.calls).toEqual(['open n1']);
  });

  it('is whom it has, and whom it no longer has', () => {
    presence.enter('chat:1', ANN);
    presence.leave('chat:1', ANN);
    expect(store.calls).toEqual(['chat:1: ann 1', 'chat:1: ann gone']);
  });

  it('is that somebody dropped, and has not come back in time', () => {
    presence.enter('chat:1', ANN);
    presence.drop('chat:1', ANN);
    vi.advanceTimersByTime(10_000);
    const early = [...store.calls];
    vi.advanceTimersByTime(1_000);
    expect([early, store.calls.slice(2)]).toEqual([['chat:1: ann 1', 'chat:1: ann 0'], ['chat:1: ann gone']]);
  });

  it('is at once that somebody dropped when nobody is waited for', async () => {
    await open(0);
    presence.enter('chat:1', ANN);
    presence.drop('chat:1', ANN);
    expect(store.calls).toEqual(['chat:1: ann 1', 'chat:1: ann gone']);
  });

  it('measures a short time as finely as it needs', async () => {
    await open(100);
    presence.enter('chat:1', ANN);
    presence.drop('chat:1', ANN);
    vi.advanceTimersByTime(110);
    expect(store.calls.at(-1)).toBe('chat:1: ann gone');
  });

  it('is nothing more of those who are here when it closes, but how long to wait for them', async () => {
    presence.enter('chat:1', ANN);
    presence.enter('chat:1', { id: 'n.2', userId: 'bob' });
    presence.drop('chat:1', ANN);
    store.calls.length = 0;
    await presence.close();
    vi.advanceTimersByTime(60_000);
    expect(store.calls).toEqual(['close 10000']);
  });
});

it('a change that falls to the node is passed on', () => {
  const changed = vi.fn();
  presence.onChange(changed);
  presence.release();
  store.node!.changed('chat:1', { kind: 'joined', userId: 'ann' });
  expect(changed).toHaveBeenCalledExactlyOnceWith('chat:1', { kind: 'joined', userId: 'ann' });
});

it('a store that fails against its promise is logged, and harms nobody', async () => {
  const logs = collectLogs();
  store.set = () => Promise.reject(new Error('broken'));
  presence.enter('chat:1', ANN);
  await vi.waitFor(() => expect(logs).toEqual([expect.stringContaining('broken')]), 15_000);
});

it('changes that fall to the node while it starts wait until the application can act on them', () => {
  const changed = vi.fn();
  presence.onChange(changed);
  const left = (userId: string) => ({ kind: 'left', userId }) as const;
  store.node!.changed('chat:1', left('ann'));
  expect(changed).not.toHaveBeenCalled();
  presence.release();
  store.node!.changed('chat:1', left('bob'));
  expect(changed.mock.calls).toEqual([
    ['chat:1', left('ann')],
    ['chat:1', left('bob')],
  ]);
});

it('changes of published streams go to those who run them, at once, with their topic', () => {
  const [changed, streamChanged] = [vi.fn(), vi.fn()];
  presence.onChange(changed);
  presence.onStreamChange(streamChanged);
  store.node!.changed('#stream:chat:1 answer', { kind: 'left', userId: 'answer' });
  presence.release();
  expect(streamChanged).toHaveBeenCalledExactlyOnceWith('chat:1', { kind: 'left', userId: 'answer' });
  expect(changed).not.toHaveBeenCalled();
});
