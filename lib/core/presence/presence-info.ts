/**
 * Describes an info about a user that is too large: every watcher and every answer about presence gets it.
 * @param bytes its size as JSON
 * @returns the rest of a sentence whose subject is the info; `undefined` if it is small enough
 */
export function explainInfoSize(bytes: number, maxBytes: number): string | undefined {
  if (bytes <= maxBytes) return undefined;
  return `has ${bytes} bytes as JSON, and limits.maxPresenceInfoBytes is ${maxBytes}`;
}

/** True for infos that are equal as JSON. */
export function isSameInfo(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
