import { describe, expect, it } from 'vitest';
import { HeardSequences } from './heard-sequences.js';

describe('what a node says', () => {
  it('is new once', () => {
    const heard = new HeardSequences();
    expect([heard.isNew('a', 0, 1), heard.isNew('a', 0, 1)]).toEqual([true, false]);
  });

  it('is not new when something later was heard', () => {
    const heard = new HeardSequences();
    expect([heard.isNew('a', 0, 5), heard.isNew('a', 0, 3), heard.isNew('a', 0, 6)]).toEqual([true, false, true]);
  });

  it('is counted for each node and partition by itself', () => {
    const heard = new HeardSequences();
    heard.isNew('a', 0, 5);
    expect([heard.isNew('b', 0, 1), heard.isNew('a', 7, 1)]).toEqual([true, true]);
  });

  it('is forgotten in the end: of 4,096 nodes it is known what they said', () => {
    const heard = new HeardSequences();
    heard.isNew('a', 0, 5);
    for (let i = 0; i < 4_096; i++) heard.isNew(`n${i}`, 0, 1);
    expect([heard.isNew('n4095', 0, 1), heard.isNew('a', 0, 5)]).toEqual([false, true]);
  });
});
