/** Generates the random part of node and connection ids. */
export abstract class IdGenerator {
  /** Returns a new, unguessable id of 8 to 64 letters, digits, `_` or `-`, with at least 96 random bits. */
  abstract next(): string;
}
