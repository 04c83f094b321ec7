/** Tells which label values belong to a topic: those that the application has declared. */
export interface TopicLabels {
  /** The pattern that serves the topic, as it was declared; nothing if none does. */
  patternOf(topic: string): string | undefined;
  /** True if the topic has a handler for messages of this type. */
  takes(topic: string, type: string): boolean;
}

/** No topic is served. */
export const NO_TOPICS: TopicLabels = { patternOf: () => undefined, takes: () => false };
