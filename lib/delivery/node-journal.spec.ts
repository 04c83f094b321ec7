import { expect, it } from 'vitest';
import { NodeJournal } from './node-journal.js';

const journal = () => new NodeJournal(() => 5);

it('keeps what a closed connection was, and who closed it', () => {
  const each = journal();
  each.closed('3008', 3008, 'slow', true, { userId: 'ann', address: '::1' });
  each.closed('1006', 1006, '', false, {});
  expect(each.closes.read()).toEqual([
    {
      kind: '3008',
      count: 1,
      last: [{ at: 5, code: 3008, reason: 'slow', byServer: true, userId: 'ann', address: '::1' }],
    },
    { kind: '1006', count: 1, last: [{ at: 5, code: 1006, reason: '', byServer: false }] },
  ]);
});

it('keeps refusals by status and code, with the reason that the log has', () => {
  const each = journal();
  each.refused({ status: 401, code: 'UNAUTHENTICATED', message: 'The token is not valid.', reason: 'no kid' }, {});
  each.refused({ status: 404, message: 'No WebSocket is served at this path.' }, { address: '10.0.0.1' });
  expect(each.refusals.read().map(({ kind, last }) => [kind, last[0]])).toEqual([
    ['401 UNAUTHENTICATED', { at: 5, status: 401, reason: 'no kid' }],
    ['404', { at: 5, status: 404, reason: 'No WebSocket is served at this path.', address: '10.0.0.1' }],
  ]);
});

it('shortens what clients choose', () => {
  const each = journal();
  each.closed('_other', 4001, 'r'.repeat(500), false, { userId: 'u'.repeat(10_000) });
  const [entry] = each.closes.read()[0]!.last;
  expect([entry?.reason.length, entry?.userId?.length]).toEqual([200, 200]);
});
