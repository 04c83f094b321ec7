import { describe, expect, it } from 'vitest';
import { collectLogs } from '../../../../test/helpers/handler-harness.js';
import { unavailable } from './redis-connection.js';
import { RedisRefusals, refusalIn } from './redis-refusals.js';

describe('a refusal of Redis', () => {
  it('is counted by its kind, and logged once with its text', () => {
    const logs = collectLogs();
    const refusals = new RedisRefusals();
    for (const text of ['OOM no memory', 'NOPERM no right to xadd', 'OOM no memory', 'OOM really none']) {
      refusals.note(text);
    }
    expect([...refusals.counts]).toEqual([
      ['OOM', 3],
      ['NOPERM', 1],
    ]);
    expect(logs.filter((line) => line.includes('Redis refuses'))).toHaveLength(2);
    expect(logs.join()).toContain('NOPERM no right to xadd');
  });

  it('is bounded in its kinds', () => {
    collectLogs();
    const refusals = new RedisRefusals();
    for (let n = 0; n < 1_000; n++) refusals.note(`KIND${n} text`);
    expect(refusals.counts.size).toBe(64);
  });

  it.each([
    [new Error('MISCONF Redis is configured to save RDB snapshots'), true],
    [new Error('ERR unknown command'), true],
    [new Error('Socket closed unexpectedly'), false],
    [new Error('connect ECONNREFUSED 127.0.0.1:6379'), false],
    ['OOM no error', false],
  ])('is told from the loss of a connection: %s', (error, isRefusal) => {
    expect(refusalIn(error) !== undefined).toBe(isRefusal);
  });

  it('names its kind to callers, whose clients may read it, and keeps the text of Redis as the cause', () => {
    const cause = new Error("NOPERM User ann has no permissions to access the 'shop:secret' key");
    const error = unavailable(cause);
    expect(error).toMatchObject({ code: 'UNAVAILABLE', cause, message: expect.stringContaining('(NOPERM)') });
    expect(error.message).not.toMatch(/ann|secret/);
  });
});
