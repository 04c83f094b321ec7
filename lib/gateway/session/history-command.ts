import { inEpoch } from '../../core/history/recovery.js';
import type { HistoryCommand } from '../../core/protocol/command.js';
import type { WireError } from '../../core/protocol/error-code.js';
import type { SessionServices } from './session-services.js';
import type { Session } from './session.js';

const CLOSED: WireError = {
  code: 'FORBIDDEN',
  message: 'The history of a topic is open to its subscribers, unless the application keeps it to itself.',
};
const NONE: WireError = { code: 'NO_HANDLER', message: 'The topic keeps no history.' };
const BEGUN_ANEW: WireError = {
  code: 'VALIDATION_FAILED',
  message: 'The history has begun anew since then; ask without "since".',
  httpStatus: 410,
};
const AWAY: WireError = { code: 'UNAVAILABLE', message: 'The history cannot be read at the moment; try again.' };

/** Tells a subscriber what was published to a topic. Never rejects. */
export async function answerHistory(
  command: HistoryCommand,
  session: Session,
  { pubSub, dispatcher, history, settings }: SessionServices,
): Promise<void> {
  const { topic, id, since, reverse = false } = command;
  const fail = (error: WireError) => session.replies.fail({ ...error, action: 'history', topic }, id);
  const options = dispatcher.optionsOf(topic);
  if (!pubSub.isSubscribed(session.connection.id, topic) || options?.clientAccess === false) return fail(CLOSED);
  if (!options?.history) return fail(NONE);
  // Who cannot be answered does not want to know.
  if (id === undefined) return;
  const limit = Math.min(command.limit ?? Infinity, settings.limits.maxHistoryPage);
  const range = { limit, reverse, ...(since && { since: since.offset }) };
  try {
    const { top, publications } = await history.read(topic, range, options.history);
    if (session.isClosed) return;
    if (since && inEpoch(since, top.epoch).epoch !== top.epoch) return fail(BEGUN_ANEW);
    session.replies.push({ kind: 'history', id, topic, top, publications });
  } catch {
    if (!session.isClosed) fail(AWAY);
  }
}
