import fc from 'fast-check';
import { expect, it } from 'vitest';
import { explainStreamId, explainStreamOptions } from './stream-options.js';
import { readStreamRun, streamInfo, streamKey, type StreamRun } from './stream-run.js';

const RUN: StreamRun = {
  topic: 'chat:1',
  id: 'answer',
  type: 'stream',
  node: 'n1',
  nonce: 'r1',
  retention: { size: 100, ttlMs: 60_000 },
};

it('a run is read from its registration after JSON', () => {
  expect(readStreamRun('chat:1', 'answer', JSON.parse(JSON.stringify(streamInfo(RUN))))).toEqual(RUN);
});

it.each([
  undefined,
  null,
  'n1',
  {},
  { ...Object(streamInfo(RUN)), node: '' },
  { ...Object(streamInfo(RUN)), nonce: 'a b' },
  { ...Object(streamInfo(RUN)), type: 'realtime:x' },
  { ...Object(streamInfo(RUN)), size: 0 },
  { ...Object(streamInfo(RUN)), ttlMs: 'long' },
])('%j is no registration', (info) => {
  expect(readStreamRun('chat:1', 'answer', info)).toBeUndefined();
});

it('anything at all may stand where a registration should be', () => {
  fc.assert(fc.property(fc.anything(), (info) => void readStreamRun('chat:1', 'answer', info)));
});

it('each place of each run has a key of its own', () => {
  const keys = [streamKey(RUN, 0), streamKey(RUN, 1), streamKey(RUN, 'end'), streamKey({ ...RUN, nonce: 'r2' }, 0)];
  expect(new Set(keys).size).toBe(4);
});

it.each([
  [{}, []],
  [{ id: 'answer:42', type: 'token', flushMs: 0, maxBytes: 4 }, []],
  [{ id: '' }, ['id']],
  [{ id: 'a b' }, ['id']],
  [{ id: 'x'.repeat(65) }, ['id']],
  [{ type: 'realtime:stream' }, ['type']],
  [{ flushMs: -1, maxBytes: 3 }, ['flushMs', 'maxBytes']],
  [{ flushMs: 10_001, maxBytes: 1.5 }, ['flushMs', 'maxBytes']],
  [{ flushMs: '50' as never }, ['flushMs']],
])('of the options %j, these are wrong: %j', (options, expected) => {
  expect(explainStreamOptions(options).map(({ at }) => at)).toEqual(expected);
});

it.each([undefined, 42, '', '#a', 'a\nb'])('%j names no stream', (id) => {
  expect(explainStreamId(id)).toHaveLength(1);
});
