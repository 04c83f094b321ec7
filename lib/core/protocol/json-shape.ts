import type { Problem } from '../base/problem.js';

/** Limits for the shape of parsed JSON. */
export interface JsonShape {
  readonly maxDepth: number;
  /** Maximum number of keys of an object, and of entries of an array. */
  readonly maxKeys: number;
  /** Maximum number of values in total; each entry of an object or array counts, at every level. Bounds the memory of a parsed message. */
  readonly maxValues: number;
}

/** JSON that exceeds a limit. */
export interface MisshapenJson {
  readonly problem: Problem;
}

/**
 * Returns the problem of parsed JSON that exceeds a limit: nested too deep, too many entries in one container, or too many
 * values in total. It does not recurse: `JSON.parse` accepts 32,000 levels in 64 KB, on which `JSON.stringify`,
 * `structuredClone` and validators fail.
 */
export function explainJsonShape(value: unknown, shape: JsonShape): Problem | undefined {
  const counted = countJsonValues(value, shape);
  return typeof counted === 'number' ? undefined : counted.problem;
}

/** Counts the values of parsed JSON: the entries of all its objects and lists. @returns the number, or that a limit is exceeded */
export function countJsonValues(value: unknown, { maxDepth, maxKeys, maxValues }: JsonShape): number | MisshapenJson {
  if (!isContainer(value)) return 0;
  let level: object[] = [value];
  let values = 0;
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > maxDepth) return misshapen(`must not be nested deeper than ${maxDepth} levels`);
    const next: object[] = [];
    for (const container of level) {
      const entries = descend(container, next);
      if (entries > maxKeys) {
        return misshapen(`must not hold more than ${maxKeys} entries in one object or list`);
      }
      values += entries;
      if (values > maxValues) {
        return misshapen(`must not hold more than ${maxValues} values in total`);
      }
    }
    level = next;
  }
  return values;
}

function misshapen(message: string): MisshapenJson {
  return { problem: { at: 'message', message } };
}

/** Collects the containers inside a container. @returns the number of its entries */
function descend(container: object, found: object[]): number {
  if (Array.isArray(container)) {
    for (const entry of container as unknown[]) if (isContainer(entry)) found.push(entry);
    return container.length;
  }
  let entries = 0;
  // for…in avoids allocating a list of the values; objects from JSON.parse inherit no enumerable keys.
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
