import { describe, expect, it } from 'vitest';
import type { TopicPolicy } from '../../delivery/topic-policies.js';
import { streamSettingsOf } from './stream-settings.js';

const LIMITS = { maxHistoryPage: 50, sendQueueBytes: 1_048_576 };
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

  it('have the retention of its history and the page size of the limits, and recover as much as is kept', () => {
    expect(settingsFor({ history: retention })).toEqual({
      retention,
      recoverLimit: 10,
      sendLast: 0,
      pageSize: 50,
      pageBytes: 65_536,
    });
  });

  it('recover as much as the history says', () => {
    expect(settingsFor({ history: { ...retention, recoverLimit: 3 } })?.recoverLimit).toBe(3);
  });

  it('have pages of at most half of a send queue', () => {
    const policies = { hasGateways: true, of: () => ({ history: retention }) };
    expect(streamSettingsOf('log', policies, { ...LIMITS, sendQueueBytes: 2_000 })?.pageBytes).toBe(1_000);
  });

  it('send as many of the latest publications as the history says', () => {
    expect(settingsFor({ history: { ...retention, sendLast: 3 } })?.sendLast).toBe(3);
  });
});
