import { describe, expect, it } from 'vitest';
import { mayHaveLostOrders, type Absence, type DataMark } from './lost-orders.js';

const markOf = (identity: string, losses: number): DataMark => ({ identity, losses, isPromoted: false });

/** A node was away for a minute; its lease was over after 15 s, and the server has all its data. */
const ABSENCE: Absence = {
  heardUntil: 0,
  toldToReconnectAt: -Infinity,
  now: 60_000,
  keptMs: 86_400_000,
  isCut: false,
  leaseOverFrom: 15_000,
  before: markOf('run', 0),
  after: markOf('run', 0),
  startedBy: -1e9,
};

const RESTARTED = markOf('another', 0);

describe('orders that a node has missed', () => {
  it('are not lost while the server keeps its data', () => {
    expect(mayHaveLostOrders(ABSENCE)).toBe(false);
  });

  it.each<[string, Partial<Absence>]>([
    ['more were given than are kept', { isCut: true }],
    ['it was away for longer than they are kept', { now: 86_400_001 }],
    ['the server was emptied', { after: markOf('run', 1) }],
    ['what the server counts was reset', { before: markOf('run', 1) }],
    ['the server has started again after the lease was over', { after: RESTARTED, startedBy: 15_001 }],
    ['it had started again before, and was emptied since', { after: markOf('b', 1), startedBy: 9_000 }],
    ['another server has taken its place, which was up all the time', { after: RESTARTED }],
    [
      'the server is a replica that has started lately and was promoted',
      { after: { ...RESTARTED, isPromoted: true }, startedBy: 9_000 },
    ],
    ['another server was asked before', { before: undefined, startedBy: 9_000 }],
    ['the server does not tell its run', { before: markOf('', 0), after: markOf('', 0) }],
    [
      'the server does not tell what it has lost',
      {
        before: markOf('run', -1),
        after: markOf('run', -1),
      },
    ],
  ])('may be lost if %s', (_, different) => {
    expect(mayHaveLostOrders({ ...ABSENCE, ...different })).toBe(true);
  });

  it.each<[string, Partial<Absence>]>([
    ['was emptied', { after: markOf('run', 1) }],
    ['has started again', { after: RESTARTED, startedBy: 59_000 }],
    ['is another one', { before: undefined, after: RESTARTED }],
  ])('were not reported as complete if its lease was never over, and the server %s', (_, different) => {
    expect(mayHaveLostOrders({ ...ABSENCE, leaseOverFrom: 61_000, ...different })).toBe(false);
  });

  it('concern no connection if the node has told all to reconnect since the server has started again', () => {
    const absence = { ...ABSENCE, after: RESTARTED, startedBy: 20_000 };
    expect(mayHaveLostOrders({ ...absence, toldToReconnectAt: 20_000, leaseOverFrom: 20_000 })).toBe(false);
    expect(mayHaveLostOrders({ ...absence, toldToReconnectAt: 19_999, leaseOverFrom: 19_999 })).toBe(true);
  });

  it('concern no connection if the node has told all to reconnect within the time for which they are kept', () => {
    expect(mayHaveLostOrders({ ...ABSENCE, now: 86_400_001, toldToReconnectAt: 1 })).toBe(false);
  });

  it('were not reported as complete by a server that had ended before the lease was over', () => {
    expect(mayHaveLostOrders({ ...ABSENCE, after: RESTARTED, startedBy: 15_000 })).toBe(false);
  });
});
