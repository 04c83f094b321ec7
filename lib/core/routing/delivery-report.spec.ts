import { describe, expect, it } from 'vitest';
import { localReport } from './delivery-report.js';

describe('localReport', () => {
  it('counts this node when it wrote to somebody', () => {
    expect(localReport(3)).toEqual({ recipients: 3, nodes: 1, complete: true });
  });

  it('has the number of connections that it was left out for, if there are any', () => {
    expect(localReport(3, 2)).toEqual({ recipients: 3, nodes: 1, complete: true, dropped: 2 });
  });

  it('counts no node when there was nobody', () => {
    expect(localReport(0)).toEqual({ recipients: 0, nodes: 0, complete: true });
  });
});
