import type { PaceEntry } from '../../delivery/paced-node.js';
import type { TopicPolicies } from '../../delivery/topic-policies.js';

/** The numbers of updates per second that are wanted for a subscription, by the client and by the application. */
export interface WantedRates {
  readonly asked?: number | undefined;
  readonly granted?: number | undefined;
}

/**
 * Returns how a topic is delivered to a client that cannot take its messages; `undefined` if it is closed then.
 * @param limits `sendQueueBytes`: the most bytes of values that may wait for the client
 */
export function paceEntryOf(
  topic: string,
  policies: TopicPolicies,
  { sendQueueBytes }: { readonly sendQueueBytes: number },
  { asked, granted }: WantedRates,
): PaceEntry | undefined {
  const { slow = 'close', maxRateHz } = policies.of(topic)?.delivery ?? {};
  if (slow === 'close') return undefined;
  const askedHz = asked === undefined || granted === undefined ? (asked ?? granted) : Math.min(asked, granted);
  return {
    slow,
    ...(maxRateHz !== undefined && { maxRateHz }),
    ...(askedHz !== undefined && { askedHz }),
    maxBytes: sendQueueBytes,
  };
}
