/**
 * The reasons for not reading from a socket, as bits of a set. Several may hold at once; the socket is read again when none is
 * left.
 */
export const READING_PAUSES = {
  /** The token is being verified, or the welcome has not gone out yet. */
  start: 1,
  /** The mailbox is full. */
  mailbox: 2,
  /** The rate limit of the client is used up. */
  rate: 4,
  /** The client has yet to read an answer that takes a large part of its send queue. */
  answer: 8,
  /** The mailboxes of the node hold too much. */
  memory: 16,
  /** The node is shutting down. */
  shutdown: 32,
} as const;

/** Name of a reason for not reading from a socket. */
export type ReadingPause = keyof typeof READING_PAUSES;

/** Adds a reason to a set. */
export function withPause(pauses: number, reason: ReadingPause): number {
  return pauses | READING_PAUSES[reason];
}

/** Removes a reason from a set. */
export function withoutPause(pauses: number, reason: ReadingPause): number {
  return pauses & ~READING_PAUSES[reason];
}
