import { describe, expect, it, vi } from 'vitest';
import { HeldTopics, TopicHold } from './held-topics.js';

function hold(maxBytes = 1_000, budget = { used: 0, maxBytes }) {
  const overflow = vi.fn<() => void>();
  const given: number[] = [];
  const topicHold = new TopicHold(budget, overflow);
  const keep = (n: number, bytes = 100) => topicHold.keep(() => given.push(n), bytes);
  return { topicHold, budget, overflow, given, keep };
}

describe('a hold', () => {
  it('gives out what it has kept, in order', () => {
    const { topicHold, budget, given, keep } = hold();
    expect([keep(1), keep(2), given]).toEqual([true, true, []]);
    topicHold.giveOut();
    expect([given, budget.used]).toEqual([[1, 2], 0]);
  });

  it('drops everything when more comes than fits, and says so once, in a later microtask', async () => {
    const { topicHold, budget, overflow, given, keep } = hold(300);
    expect([keep(1), keep(2), keep(3)]).toEqual([true, false, false]);
    expect([overflow.mock.calls.length, budget.used]).toEqual([0, 0]);
    await Promise.resolve();
    topicHold.giveOut();
    expect([overflow.mock.calls.length, given]).toEqual([1, []]);
  });

  it('is bounded together with the others of its connection', () => {
    const first = hold(300);
    const second = hold(0, first.budget);
    expect([first.keep(1), second.keep(2)]).toEqual([true, false]);
    first.topicHold.drop();
    expect(first.budget.used).toBe(0);
  });

  it('counts something for entries without a size, too', () => {
    const { keep } = hold(1_000);
    expect(Array.from({ length: 20 }, (_, n) => keep(n, 0)).filter(Boolean).length).toBeLessThan(20);
  });
});

describe('the topics that are held', () => {
  it('are known by topic and connection until the hold ends', () => {
    const held = new HeldTopics();
    const { topicHold } = hold();
    held.begin('a', 'c1', topicHold);
    held.begin('a', 'c2', topicHold);
    expect([held.isEmpty, [...held.of('a').keys()], held.of('b').size]).toEqual([false, ['c1', 'c2'], 0]);
    held.end('a', 'c1');
    held.end('a', 'c2');
    held.end('a', 'c2');
    expect([held.isEmpty, held.of('a').size]).toEqual([true, 0]);
  });
});
