import { describe, expect, it } from 'vitest';
import { countAnswer, emptyTally, isAnsweredByAll, isSettled, reportOf, type DeliveryTally } from './delivery-tally.js';

/** Two nodes received it and both have answered: three connections on one of them. */
function answered(over: Partial<DeliveryTally> = {}): DeliveryTally {
  const tally = emptyTally(false);
  countAnswer(tally, 3);
  countAnswer(tally, 0);
  return Object.assign(tally, { reached: 2, expected: 2 }, over);
}

describe('a delivery tally', () => {
  it('counts connections, and the nodes that have some', () => {
    expect(answered()).toMatchObject({ answered: 2, recipients: 3, nodes: 1 });
  });

  it.each<[string, Partial<DeliveryTally>, boolean]>([
    ['all that received it have answered', {}, true],
    ['nobody received it', { reached: 0, expected: 0, answered: 0 }, true],
    ['an answer is missing', { expected: 3, reached: 3 }, false],
    ['the bus has not returned how many received it', { expected: undefined }, false],
    ['it is not known whether every live node could be reached', { isCovered: undefined }, false],
  ])('is settled or not when %s', (_when, over, settled) => {
    expect(isSettled(answered(over))).toBe(settled);
  });

  it.each<[string, Partial<DeliveryTally>]>([
    ['a live node could not be reached', { isCovered: false }],
    ['a node could not act on it', { isDoubtful: true }],
    ['an answer is missing', { expected: 3, reached: 3 }],
  ])('is not answered by all when %s', (_when, over) => {
    expect(isAnsweredByAll(answered(over))).toBe(false);
  });
});

describe('the report of a tally', () => {
  it('is complete when every node has answered', () => {
    expect(reportOf(answered(), true)).toEqual({ recipients: 3, nodes: 1, complete: true });
  });

  it('has the connections of all nodes that it was left out for', () => {
    const tally = answered();
    countAnswer(tally, 1, 2);
    countAnswer(tally, 0, 3);
    expect(reportOf(tally, true)).toMatchObject({ recipients: 4, nodes: 2, dropped: 5 });
  });

  it('is incomplete when a node that received it was not asked to answer', () => {
    expect(reportOf(answered({ reached: 3 }), true).complete).toBe(false);
  });

  it('is incomplete when this node cannot reach every live node now', () => {
    expect(reportOf(answered(), false).complete).toBe(false);
  });

  it('is incomplete when a live node could not be reached', () => {
    expect(reportOf(answered({ isCovered: false }), true).complete).toBe(false);
  });
});
