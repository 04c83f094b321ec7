/**
 * Why a handler was cancelled.
 *
 * - `cancel`: by the `cancel` command of its client.
 * - `leave`: its connection left the topic: it unsubscribed, was unsubscribed, or lost the right to stay.
 * - `disconnect`: its connection ended, for whatever reason, an expired token included.
 * - `shutdown`: its connection ended because the node drains.
 * - `dropped`: an interceptor takes no more of it (`take`, `timeout`), or an item could not be sent.
 */
export type CancelReason = 'cancel' | 'leave' | 'disconnect' | 'shutdown' | 'dropped';

const TEXTS: Readonly<Record<CancelReason, string>> = {
  cancel: 'The client cancelled the message.',
  leave: 'The connection left the topic.',
  disconnect: 'The connection ended.',
  shutdown: 'The server is shutting down.',
  dropped: 'Nobody takes what the handler returns any more.',
};

/** Returns the text for logs and errors. */
export function cancelText(reason: CancelReason): string {
  return TEXTS[reason];
}
