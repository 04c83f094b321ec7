import type { Problem } from '../base/problem.js';

/** Limits on the shape of parsed JSON. */
export interface JsonShape {
  readonly maxDepth: number;
  /** Most keys of an object, and most entries of an array. */
  readonly maxKeys: number;
  /** Most values in all: each entry of an object or array counts, at every level. Bounds the memory of a parsed message. */
  readonly maxValues: number;
}

/**
 * Explains how parsed JSON exceeds a limit: nested too deep, too many entries in one container, or too many in all. `JSON.parse` takes 32,000 levels in 64 KB, which
 * `JSON.stringify`, `structuredClone` and validators then fail on; so this walks without recursion.
 */
export function explainJsonShape(value: unknown, { maxDepth, maxKeys, maxValues }: JsonShape): Problem | undefined {
  if (!isContainer(value)) return undefined;
  let level: object[] = [value];
  let values = 0;
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > maxDepth) return { at: 'message', message: `must not be nested deeper than ${maxDepth} levels` };
    const next: object[] = [];
    for (const container of level) {
      const entries = descend(container, next);
      if (entries > maxKeys) {
        return { at: 'message', message: `must not hold more than ${maxKeys} entries in one object or list` };
      }
      values += entries;
      if (values > maxValues) {
        return { at: 'message', message: `must not hold more than ${maxValues} values in all` };
      }
    }
    level = next;
  }
  return undefined;
}

/** Collects what is inside a container and is one itself. @returns how many entries it has */
function descend(container: object, found: object[]): number {
  if (Array.isArray(container)) {
    for (const entry of container as unknown[]) if (isContainer(entry)) found.push(entry);
    return container.length;
  }
  let entries = 0;
  // A list of the values would be made for nothing; JSON.parse makes no object that inherits an enumerable key.
  for (const key in container) {
    entries += 1;
    const entry = (container as Readonly<Record<string, unknown>>)[key];
    if (isContainer(entry)) found.push(entry);
  }
  return entries;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
