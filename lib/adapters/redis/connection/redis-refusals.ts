import { SafeLogger } from '../../../errors/safe-logger.js';
/** How many different refusals are told apart; more would be a fault of another kind. */
const MAX_KINDS = 64;

/**
 * Counts what Redis refuses although it can be reached: a missing right (`NOPERM`), no memory (`OOM`), a disk that cannot be
 * written (`MISCONF`). The first of each kind is logged with Redis's own text.
 */
export class RedisRefusals {
  readonly #logger = new SafeLogger(RedisRefusals.name);
  readonly #counts = new Map<string, number>();

  /** How often Redis has refused something, by the word that its text begins with. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** Redis has refused something, with this text. */
  note(text: string): void {
    const kind = kindOf(text);
    if (kind === undefined) return;
    const count = this.#counts.get(kind) ?? 0;
    if (count === 0 && this.#counts.size >= MAX_KINDS) return;
    this.#counts.set(kind, count + 1);
    if (count === 0) this.#logger.error(`Redis refuses: ${text} (said once for ${kind})`);
  }
}

/** The text of Redis when an error is a refusal, and `undefined` when it is the loss of a connection or anything else. */
export function refusalIn(error: unknown): string | undefined {
  return error instanceof Error && kindOf(error.message) !== undefined ? error.message : undefined;
}

/** Error replies of Redis begin with a word in capitals. */
function kindOf(text: string): string | undefined {
  return /^([A-Z][A-Z0-9_]+) /.exec(text)?.[1];
}
