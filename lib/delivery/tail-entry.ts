import type { TopicTails } from '../core/message/topic-tails.js';

/** Longest text of a message that is shown, in characters. */
const EXCERPT = 1_000;

/** Shows a published message to those who watch its topic. Call it only while a topic may be watched. */
export function showInTail(tails: TopicTails, topic: string, type: string, text: string, now: number): void {
  tails.add(topic, type, now, {
    bytes: () => Buffer.byteLength(text),
    // A copy: a slice would keep the whole text in memory.
    excerpt: () => (text.length <= EXCERPT ? text : `${Buffer.from(text.slice(0, EXCERPT)).toString()}…`),
  });
}
