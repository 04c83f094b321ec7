import { describe, expect, it } from 'vitest';
import { infoField, leastUptimeMs } from './server-info.js';

const INFO = '# Server\r\nredis_version:7.0.15\r\nrun_id:aaa\r\nuptime_in_seconds:3600\r\nuptime_in_days:0\r\n';

describe('a field of INFO', () => {
  it('is found by its whole name', () => {
    expect(['run_id', 'uptime_in_days', 'uptime', 'id'].map((name) => infoField(INFO, name))).toEqual([
      'aaa',
      '0',
      undefined,
      undefined,
    ]);
  });
});

describe('the least uptime of a server', () => {
  it.each([
    [3_600, 3_598_900],
    [3, 1_900],
    [2, 900],
    [1, 0],
    [0, 0],
  ])('leaves out what whole seconds hide: %i s are at least %i ms', (seconds, leastMs) => {
    expect(leastUptimeMs(INFO.replace('3600', `${seconds}`))).toBe(leastMs);
  });

  it.each(['', 'uptime_in_seconds:', 'uptime_in_seconds:long', 'uptime_in_seconds:-5'])('is 0 for %j', (info) => {
    expect(leastUptimeMs(info)).toBe(0);
  });
});
