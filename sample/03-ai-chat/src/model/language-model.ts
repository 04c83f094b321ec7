/** A message of a conversation, as a model reads it. */
export interface ChatMessage {
  readonly role: 'user' | 'assistant';
  readonly text: string;
}

/**
 * A language model. The class is the token under which Nest injects it: replace the fake one in `app.module.ts` by one that calls a
 * provider.
 */
export abstract class LanguageModel {
  /**
   * Answers the last message of a conversation, token by token.
   * @param signal aborted when nobody wants the rest; pass it to `fetch()`, and the provider stops as well
   */
  abstract answer(conversation: readonly ChatMessage[], signal: AbortSignal): AsyncIterable<string>;
}
