/** A place in a topic's history. */
export interface Position {
  readonly epoch: string;
  readonly offset: number;
}

/** The outcome of a publication, as far as the publisher knows. */
export type Outcome =
  | ({ readonly kind: 'acknowledged' } & Position)
  /** It was told that nothing was published. */
  | { readonly kind: 'refused' }
  /** Unknown: it may have been published. */
  | { readonly kind: 'unknown' };

/** One attempted publication. */
export interface Statement {
  /** Tells it from all others; it is what arrives. */
  readonly key: string;
  /** When it was begun, and when the publisher knew the outcome, in the moments of the journal. */
  readonly begun: number;
  readonly ended: number;
  /** It was published again, with the same idempotency key, until there was an answer. */
  readonly isRepeated?: boolean;
  readonly outcome: Outcome;
}

/** The events that a client received in a topic, in order of arrival. */
export type Note =
  /** It was told where it stands: in answer to a subscription, or unasked. `asked` is there when it wished to recover. */
  | { readonly kind: 'told'; readonly asked?: Position; readonly at: Position; readonly recovered?: boolean }
  | { readonly kind: 'got'; readonly key: string; readonly offset: number }
  /** The connection has ended. */
  | { readonly kind: 'gone' };

/** All that publishers and clients of one topic have written down. */
export interface Records {
  readonly statements: readonly Statement[];
  /** Of each client. */
  readonly diaries: ReadonlyMap<string, readonly Note[]>;
}

/** The record of the answers to the publishers and clients of one topic. */
export class Journal implements Records {
  readonly statements: Statement[] = [];
  readonly diaries = new Map<string, Note[]>();
  #moment = 0;

  /** Names the next moment: everything that is written down has an order. */
  now(): number {
    return ++this.#moment;
  }

  /** Opens the diary of a client. */
  diaryOf(client: string): Note[] {
    const diary: Note[] = [];
    this.diaries.set(client, diary);
    return diary;
  }
}
