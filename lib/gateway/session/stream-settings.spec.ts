import { describe, expect, it } from 'vitest';
import type { TopicPolicy } from '../../delivery/topic-policies.js';
import { streamSettingsOf } from './stream-settings.js';

const LIMITS = { maxHistoryPage: 50 };
const retention = { size: 10, ttlMs: 5_000 };

const settingsFor = (policy: TopicPolicy | undefined) =>
  streamSettingsOf('log', { hasGateways: true, of: (topic) => (topic === 'log' ? policy : undefined) }, LIMITS);

describe('the stream settings of a topic', () => {
  it.each<[string, TopicPolicy | undefined]>([
    ['without a gateway', undefined],
    ['without a history', { presence: true }],
  ])('%s are undefined', (_what, policy) => {
    expect(settingsFor(policy)).toBeUndefined();
  });

  it('have the retention of its history and the page size of the limits', () => {
    expect(settingsFor({ history: retention })).toEqual({ retention, sendLatest: false, pageSize: 50 });
  });

  it('send the latest publication if the history does', () => {
    expect(settingsFor({ history: { ...retention, sendLatest: true } })?.sendLatest).toBe(true);
  });
});
