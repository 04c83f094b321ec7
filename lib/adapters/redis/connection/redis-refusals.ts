import { SafeLogger } from '../../../errors/safe-logger.js';
/** Most kinds of refusals that are counted separately; more would indicate another fault. */
const MAX_KINDS = 64;

/**
 * Counts the commands that a reachable Redis refuses: a missing right (`NOPERM`), no memory (`OOM`), a disk that cannot be
 * written (`MISCONF`). The first of each kind is logged with Redis's own text.
 */
export class RedisRefusals {
  readonly #logger = new SafeLogger(RedisRefusals.name);
  readonly #counts = new Map<string, number>();

  /** The number of refusals, by the first word of the error text. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** Records a refusal with this text. */
  note(text: string): void {
    const kind = kindOf(text);
    if (kind === undefined) return;
    const count = this.#counts.get(kind) ?? 0;
    if (count === 0 && this.#counts.size >= MAX_KINDS) return;
    this.#counts.set(kind, count + 1);
    if (count === 0) this.#logger.error(`Redis refuses: ${text} (logged once for ${kind})`);
  }
}

/** The error text of Redis if an error is a refusal; `undefined` for a lost connection or any other error. */
export function refusalIn(error: unknown): string | undefined {
  return error instanceof Error && kindOf(error.message) !== undefined ? error.message : undefined;
}

/** The kind of a refusal, the first word of its text, such as `NOPERM`; `undefined` for any other error. */
export function refusalKindIn(error: unknown): string | undefined {
  return error instanceof Error ? kindOf(error.message) : undefined;
}

/** Error replies of Redis begin with a word in capitals. */
function kindOf(text: string): string | undefined {
  return /^([A-Z][A-Z0-9_]+) /.exec(text)?.[1];
}
