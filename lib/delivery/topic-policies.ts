import type { Retention } from '../core/history/history.js';

/** What the application has said about topics, for those who know nothing of its classes. */
export abstract class TopicPolicies {
  /** How much of the past of a topic is kept; nothing when none is. */
  abstract historyOf(topic: string): Retention | undefined;
}
