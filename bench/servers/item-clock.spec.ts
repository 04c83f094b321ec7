import { describe, expect, it } from 'vitest';
import { TEXT } from '../dialect.js';
import { ItemClock } from './item-clock.js';

describe('the clock of items', () => {
  it('gives every stream the same items, also one that asks late', async () => {
    const clock = new ItemClock();
    clock.start(2, 5);
    const [prompt, late] = [clock.items(), clock.items()];
    const first = prompt.next();
    clock.tick(7);
    const text = TEXT.slice(0, 5);
    expect(await first).toEqual({ done: false, value: { seq: 0, ts: 7, text } });
    clock.tick(8);
    for (const expected of [7, 8]) expect((await late.next()).value).toMatchObject({ ts: expected });
    expect((await prompt.next()).value).toMatchObject({ ts: 8 });
    expect(await late.next()).toMatchObject({ done: true });
  });

  it('counts the streams that wait', () => {
    const clock = new ItemClock();
    clock.start(2, 5);
    void clock.items().next();
    void clock.items().next();
    expect(clock.waiting).toBe(2);
    clock.tick(7);
    expect(clock.waiting).toBe(0);
  });
});
