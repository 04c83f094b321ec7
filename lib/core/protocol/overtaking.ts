import type { Decoded } from './decoded.js';

/** Size up to which a frame is decoded to see whether its command may overtake others, in characters or bytes: 1 to 20 µs. */
export const OVERTAKING_LENGTH = 512;

/**
 * Returns true for a command that may overtake those of other clients while a crowd keeps the node busy: it calls one handler, ends
 * such a call, or is a ping or its answer. The others wait, since a crowd sends them all at once, and each may be told to all
 * watchers: subscriptions, their ends, presence, history, and new tokens.
 */
export function overtakes(decoded: Decoded): boolean {
  if (!decoded.ok) return false;
  switch (decoded.command.action) {
    case 'message':
    case 'cancel':
    case 'ping':
    case 'pong':
      return true;
    case 'subscribe':
    case 'unsubscribe':
    case 'history':
    case 'presence':
    case 'auth':
      return false;
  }
}

/**
 * Returns true for what may be kept decoded while it waits: it takes hardly more memory than its text, because there is no payload
 * in it. That is a command that a crowd sends all at once, or the error of a frame that is wrong.
 */
export function isCompact(decoded: Decoded): boolean {
  if (!decoded.ok) return true;
  const { command } = decoded;
  return command.action === 'unsubscribe' || (command.action === 'subscribe' && command.payload === undefined);
}
