import type { Decoded } from '../../ports/codec.js';
import { failed } from './command-reader.js';

/** Maximum number of commands in one frame. SDKs send at most one per subscription and channel operation of one tick. */
export const MAX_COMMANDS = 4_096;

/** Ends the connection, because a frame holds more. */
export const TOO_MANY_COMMANDS = failed(`a frame may hold at most ${MAX_COMMANDS} commands`);

/** Adds the size of a command in bytes, for a frame that holds others as well. */
export function withBytes(decoded: Decoded, bytes: number): Decoded {
  if (!decoded.ok) return decoded;
  const { command, values } = decoded;
  // Literals are several times faster than spreading.
  return values === undefined ? { ok: true, command, bytes } : { ok: true, command, bytes, values };
}
