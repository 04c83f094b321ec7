import { inEpoch } from '../../core/history/recovery.js';
import type { HistoryCommand } from '../../core/protocol/command.js';
import type { WireError } from '../../core/protocol/error-code.js';
import type { TopicPolicies } from '../../delivery/topic-policies.js';
import type { HistoryStore } from '../../ports/history-store.js';
import type { PubSubManager } from '../../ports/pub-sub-manager.js';
import type { RealtimeSettings } from '../../options/realtime.options.js';
import type { Client } from './client.js';
import { fittingPage } from './fitting-page.js';

interface Services {
  readonly settings: Pick<RealtimeSettings, 'limits'>;
  readonly pubSub: Pick<PubSubManager, 'isSubscribed'>;
  readonly policies: TopicPolicies;
  readonly history: Pick<HistoryStore, 'read'>;
}

const FORBIDDEN: WireError = {
  code: 'FORBIDDEN',
  message: 'Only subscribers may read the history of a topic, and the application may deny it to clients.',
};
const NO_HISTORY: WireError = { code: 'NO_HANDLER', message: 'The topic keeps no history.' };
const EPOCH_ENDED: WireError = {
  code: 'VALIDATION_FAILED',
  message: 'The history was reset after that position; ask again without "since".',
  httpStatus: 410,
};
const UNAVAILABLE: WireError = { code: 'UNAVAILABLE', message: 'The history cannot be read at the moment; try again.' };

/**
 * Answers a subscriber with the publications of a topic. Never rejects.
 * @param isOpen whether the client is still subscribed once the history was read
 */
export async function answerHistory(
  command: HistoryCommand,
  client: Client,
  { pubSub, policies, history, settings }: Services,
  isOpen: () => Promise<boolean>,
): Promise<void> {
  const { topic, id, since, reverse = false } = command;
  const fail = (error: WireError) => client.replies.fail({ ...error, action: 'history', topic }, id);
  const policy = policies.of(topic);
  if (!pubSub.isSubscribed(client.connection.id, topic) || policy?.clientAccess === false) return fail(FORBIDDEN);
  if (!policy?.history) return fail(NO_HISTORY);
  // Without an id the command has no answer.
  if (id === undefined) return;
  const { maxHistoryPage, sendQueueBytes } = settings.limits;
  const limit = Math.min(command.limit ?? Infinity, maxHistoryPage);
  // One publication more than requested shows whether there are further ones.
  const range = { limit: limit && limit + 1, reverse, ...(since && { since: since.offset }) };
  try {
    const { top, publications } = await history.read(topic, range, policy.history);
    const isAllowed = await isOpen();
    if (client.isClosed) return;
    if (!isAllowed) return fail(FORBIDDEN);
    if (since && inEpoch(since, top.epoch).epoch !== top.epoch) return fail(EPOCH_ENDED);
    const page = fittingPage(publications, limit, sendQueueBytes / 2);
    client.replies.pushCounted({
      kind: 'history',
      id,
      topic,
      top,
      publications: page.publications,
      ...(page.more && { more: true }),
    });
  } catch {
    if (!client.isClosed) fail(UNAVAILABLE);
  }
}
