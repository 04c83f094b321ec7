import { describe, expect, it } from 'vitest';
import type { TopicDeliveryPolicy, TopicPolicies } from '../../delivery/topic-policies.js';
import { paceEntryOf, type WantedRates } from './pace-entry.js';

const LIMITS = { sendQueueBytes: 1_000 };

function entryOf(delivery: TopicDeliveryPolicy | undefined, wanted: WantedRates = {}) {
  const policies: TopicPolicies = { hasGateways: true, of: () => (delivery ? { delivery } : undefined) };
  return paceEntryOf('map', policies, LIMITS, wanted);
}

describe('the pace of a subscription', () => {
  it.each([[undefined], [{}], [{ slow: 'close' as const }]])('is none of its own with the delivery %j', (delivery) => {
    expect(entryOf(delivery)).toBeUndefined();
  });

  it('is that of the topic', () => {
    expect(entryOf({ slow: 'latest', maxRateHz: 20 })).toEqual({ slow: 'latest', maxRateHz: 20, maxBytes: 1_000 });
  });

  it.each([
    [{ asked: 2 }, 2],
    [{ granted: 3 }, 3],
    [{ asked: 2, granted: 3 }, 2],
    [{ asked: 3, granted: 2 }, 2],
  ])('is the lesser of what was asked for and allowed: %j', (wanted, askedHz) => {
    expect(entryOf({ slow: 'latest' }, wanted)).toMatchObject({ askedHz });
  });
});
