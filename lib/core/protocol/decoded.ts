import type { Command, CommandId } from './command.js';
import type { WireError } from './error-code.js';

/** One command read from a client's frame, or the error in it and the command it belongs to. */
export type Decoded = (
  | {
      readonly ok: true;
      readonly command: Command;
      /** Size of its text, in bytes, where its frame holds other commands as well. */
      readonly bytes?: number;
    }
  | { readonly ok: false; readonly id?: CommandId; readonly error: WireError; readonly blame?: Blame }
) & {
  /** The number of values that were parsed for it; may be missing if there are fewer than 1,000. */
  readonly values?: number;
};

/**
 * Decides whether a refused command counts as a violation: always (the default); never, because the command is well-formed and
 * its target does not exist; or only when it is repeated without a pause.
 */
export type Blame = 'always' | 'never' | 'if-repeated';
