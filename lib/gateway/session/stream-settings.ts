import type { TopicPolicies } from '../../delivery/topic-policies.js';
import type { StreamSettings } from '../../delivery/topic-stream.js';

/**
 * Returns the settings of a topic's history; `undefined` if it keeps none.
 * @param limits `maxHistoryPage`: the maximum number of publications per read
 */
export function streamSettingsOf(
  topic: string,
  policies: TopicPolicies,
  { maxHistoryPage }: { readonly maxHistoryPage: number },
): StreamSettings | undefined {
  const history = policies.of(topic)?.history;
  if (history === undefined) return undefined;
  const { size, ttlMs, sendLatest = false } = history;
  return { retention: { size, ttlMs }, sendLatest, pageSize: maxHistoryPage };
}
