import type { RealtimeMessage } from 'nestjs-realtime';
import type { ChatMessage } from '../model/language-model.js';

interface Piece {
  readonly id: string;
  readonly items?: readonly string[];
  readonly end?: boolean;
  readonly error?: string;
}

/** Reads the messages of a conversation from what was published in it, oldest first. */
export function conversationOf(publications: readonly RealtimeMessage[]): ChatMessage[] {
  const messages: ChatMessage[] = [];
  const answers = new Map<string, { role: 'assistant'; text: string }>();
  for (const { type, payload } of publications) {
    if (type === 'question') messages.push({ role: 'user', text: (payload as { text: string }).text });
    if (type !== 'answer') continue;
    const { id, items = [] } = payload as Piece;
    const answer = answers.get(id) ?? { role: 'assistant', text: '' };
    if (!answers.has(id)) messages.push(answer);
    answers.set(id, answer);
    answer.text += items.join('');
  }
  return messages;
}

/** Returns the id of the question that is being answered, if the last publication does not end an answer. */
export function runningIn(last?: RealtimeMessage): string | undefined {
  if (!last) return undefined;
  const { id, end, error } = last.payload as Piece;
  return end || error !== undefined ? undefined : id;
}
