import type { PresenceCommand } from '../../core/protocol/command.js';
import { NOT_SUBSCRIBED } from '../../handlers/topic-refusals.js';
import { isTold, toWireError } from '../../handlers/wire-error.js';
import type { PubSubManager } from '../../ports/pub-sub-manager.js';
import type { Client } from './client.js';
import type { TopicPresence } from './topic-presence.js';
import { SafeLogger } from '../../errors/safe-logger.js';

interface Services {
  readonly pubSub: Pick<PubSubManager, 'isSubscribed'>;
  readonly presence: Pick<TopicPresence, 'refusalOf' | 'read' | 'answering' | 'fitting'>;
}

const logger = new SafeLogger('RealtimeGateway');

/**
 * Answers a subscriber with the members of a topic. Never rejects.
 * @param isOpen whether the client is still subscribed once the members were read
 */
export async function answerPresence(
  { topic, id }: PresenceCommand,
  { connection, replies }: Pick<Client, 'connection' | 'replies'>,
  { presence, pubSub }: Services,
  isOpen: () => Promise<boolean>,
): Promise<void> {
  const at = { action: 'presence', topic };
  const isSubscribed = pubSub.isSubscribed(connection.id, topic);
  const refusal = presence.refusalOf(topic) ?? (isSubscribed ? undefined : NOT_SUBSCRIBED);
  if (refusal) return replies.fail({ ...refusal, ...at }, id);
  // Without an id the command has no answer.
  if (id === undefined) return;
  try {
    const members = await presence.read(topic);
    if (!(await isOpen())) return replies.fail({ ...NOT_SUBSCRIBED, ...at }, id);
    const answer = presence.fitting(presence.answering(members, connection.id));
    replies.pushCounted({ kind: 'presence', id, presence: answer });
  } catch (error) {
    if (!isTold(error)) logger.error(`The members of "${topic}" could not be read`, (error as Error)?.stack);
    replies.fail(toWireError(error, at), id);
  }
}
