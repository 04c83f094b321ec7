import { Logger } from '@nestjs/common';
import type { PresenceCommand } from '../../core/protocol/command.js';
import { NOT_SUBSCRIBED } from '../../handlers/topic-refusals.js';
import { isTold, toWireError } from '../../handlers/wire-error.js';
import type { Session } from './session.js';
import type { SessionServices } from './session-services.js';

const logger = new Logger('RealtimeGateway');

/** Tells a subscriber who is in a topic. Never rejects. */
export async function answerPresence(
  { topic, id }: PresenceCommand,
  { connection, replies }: Session,
  { presence, pubSub }: SessionServices,
): Promise<void> {
  const at = { action: 'presence', topic };
  const isSubscribed = pubSub.isSubscribed(connection.id, topic);
  const refusal = presence.refusalOf(topic) ?? (isSubscribed ? undefined : NOT_SUBSCRIBED);
  if (refusal) return replies.fail({ ...refusal, ...at }, id);
  // Who cannot be answered does not want to know.
  if (id === undefined) return;
  try {
    replies.push({ kind: 'presence', id, topic, presence: await presence.read(topic) });
  } catch (error) {
    if (!isTold(error)) logger.error(`Who is in "${topic}" could not be told`, (error as Error)?.stack);
    replies.fail(toWireError(error, at), id);
  }
}
