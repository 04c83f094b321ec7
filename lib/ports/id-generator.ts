/** Makes the random part of node and connection ids. */
export abstract class IdGenerator {
  /** An id of 8 to 64 letters, digits, `_` or `-`, never given out before and not to be guessed (at least 96 random bits). */
  abstract next(): string;
}
