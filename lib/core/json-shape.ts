import type { Problem } from './problem.js';

/** How big parsed JSON may be in each direction. */
export interface JsonShape {
  readonly maxDepth: number;
  /** Most keys of an object, and most entries of an array. */
  readonly maxKeys: number;
}

/**
 * Says where parsed JSON is nested too deep or has too many keys. `JSON.parse` takes 32,000 levels in 64 KB, which
 * `JSON.stringify`, `structuredClone` and validators then fail on; so this walks without recursion.
 */
export function explainJsonShape(value: unknown, { maxDepth, maxKeys }: JsonShape): Problem | undefined {
  if (!isContainer(value)) return undefined;
  let level: object[] = [value];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > maxDepth) return { at: 'message', message: `must not be nested deeper than ${maxDepth} levels` };
    const next: object[] = [];
    for (const container of level) {
      const entries: unknown[] = Array.isArray(container) ? container : Object.values(container);
      if (entries.length > maxKeys) {
        return { at: 'message', message: `must not hold more than ${maxKeys} entries in one object or list` };
      }
      for (const entry of entries) if (isContainer(entry)) next.push(entry);
    }
    level = next;
  }
  return undefined;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
