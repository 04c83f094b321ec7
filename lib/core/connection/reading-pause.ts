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
  /** The mailboxes of the node hold too much. */
  memory: 8,
  /** The node is shutting down. */
  shutdown: 16,
  /** Others are served first: the frame waits for a later turn of the event loop. */
  turn: 32,
  /** The rate limit of the client is used up, and so is that for refusals. */
  refusals: 64,
} as const;

/** Name of a reason for not reading from a socket. */
export type ReadingPause = keyof typeof READING_PAUSES;

/** Adds a reason to a set. */
export function withPause(pauses: number, reason: ReadingPause): number {
  return pauses | READING_PAUSES[reason];
}

/**
 * True if frames that were read already wait undecoded until the pause is over. At the rate limit they are decoded and refused,
 * so that the client learns of it, as long as the limit for refusals allows. While a mailbox is full but small, they are decoded
 * because one of them may empty it by a cancel. During a shutdown they are decoded because commands that were read are answered.
 */
export function defersFrames(pauses: number, isMailboxLarge: boolean): boolean {
  const others = withoutPause(withoutPause(pauses, 'rate'), 'shutdown');
  return isMailboxLarge ? others !== 0 : withoutPause(others, 'mailbox') !== 0;
}

/** Removes a reason from a set. */
export function withoutPause(pauses: number, reason: ReadingPause): number {
  return pauses & ~READING_PAUSES[reason];
}
