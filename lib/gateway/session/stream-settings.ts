import type { TopicPolicies } from '../../delivery/topic-policies.js';
import type { StreamSettings } from '../../delivery/topic-stream.js';

/** Most bytes of missed publications that are sent at once: as much as one command costs. */
const PAGE_BYTES = 65_536;

/**
 * Returns the settings of a topic's history; `undefined` if it keeps none.
 * @param limits `maxHistoryPage`: the maximum number of publications per read; `sendQueueBytes`: of which a page takes half at most
 */
export function streamSettingsOf(
  topic: string,
  policies: TopicPolicies,
  { maxHistoryPage, sendQueueBytes }: { readonly maxHistoryPage: number; readonly sendQueueBytes: number },
): StreamSettings | undefined {
  const history = policies.of(topic)?.history;
  if (history === undefined) return undefined;
  const { size, ttlMs, sendLast = 0, recoverLimit = size } = history;
  return {
    retention: { size, ttlMs },
    recoverLimit,
    sendLast,
    pageSize: maxHistoryPage,
    pageBytes: Math.min(PAGE_BYTES, sendQueueBytes / 2),
  };
}
