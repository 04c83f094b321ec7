import type { Command, CommandId } from './command.js';
import type { WireError } from './error-code.js';

/** One command read from a client's frame, or the error in it and the command it belongs to. */
export type Decoded =
  | { readonly ok: true; readonly command: Command }
  | { readonly ok: false; readonly id?: CommandId; readonly error: WireError };
