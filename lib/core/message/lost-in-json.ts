/** A place in a value that JSON would silently drop, empty or turn into `null`. */
export interface JsonLoss {
  /** Path from the value, such as `.items[2].tags`; empty for the value itself. */
  readonly path: string;
  /** Description of the value there, such as `a Set; send [...set]`. */
  readonly what: string;
}

/** Levels that the quick look descends; deeper values, cycles among them, get the thorough one. */
const QUICK_DEPTH = 16;

/** Most characters of a path in an error message. */
const MAX_PATH = 120;

const IDENTIFIER = /^[A-Za-z_$][\w$]{0,63}$/;

/**
 * Finds the first place where `JSON.stringify` would lose something without an error: a function, a symbol, NaN, ±Infinity, an
 * invalid Date, a Map, a Set, an Error (its message), a Promise, or an instance of another class without fields that JSON sees,
 * such as an iterator. A BigInt counts too, because the error of `JSON.stringify` does not name its place. `undefined` stands for
 * "no value" and is no loss.
 *
 * The usual payload, all of plain data, class instances and dates, costs one walk. One with a `toJSON` is serialised to find out.
 * @throws what `JSON.stringify` throws for a cycle or for a `toJSON` that throws
 */
export function lostInJson(value: unknown): JsonLoss | undefined {
  return isKnownWhole(value, 0) ? undefined : stringifyWatched(value).loss;
}

/**
 * Serialises a value that JSON represents as a whole, each `toJSON` once; see {@link lostInJson}.
 * @returns the text, `undefined` for `undefined`, or what would be lost
 * @throws what `JSON.stringify` throws
 */
export function stringifyWhole(value: unknown): { readonly text?: string; readonly loss?: JsonLoss } {
  return isKnownWhole(value, 0) ? { text: JSON.stringify(value) } : stringifyWatched(value);
}

/** True if JSON represents all of the value; false if it does not, or if that is uncertain. */
function isKnownWhole(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      return value === null || (depth < QUICK_DEPTH && isObjectKnownWhole(value, depth + 1));
    default:
      return false;
  }
}

function isObjectKnownWhole(value: object, depth: number): boolean {
  if (Array.isArray(value)) {
    if ('toJSON' in value) return false;
    for (let i = 0; i < value.length; i++) if (!isKnownWhole(value[i], depth)) return false;
    return true;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    if (isDate(value)) return !Number.isNaN(value.getTime());
    if ('toJSON' in value || nameOfObject(value) !== undefined) return false;
  }
  for (const key in value) if (!isKnownWhole((value as Record<string, unknown>)[key], depth)) return false;
  return true;
}

/** `JSON.stringify` walks the value, so that a `toJSON` and its result count as they do there. */
function stringifyWatched(value: unknown): { readonly text?: string; readonly loss?: JsonLoss } {
  let loss: JsonLoss | undefined;
  const paths = new Map<unknown, string>();
  const look = function (this: unknown, key: string, each: unknown): unknown {
    const isRoot = paths.size === 0;
    // The holder of the root is an object of JSON.stringify's own.
    if (isRoot) paths.set(this, '');
    const path = isRoot ? '' : step(paths.get(this) ?? '', key, this);
    const what = nameOf(each, (this as Record<string, unknown>)[key]);
    if (what !== undefined) loss ??= { path: path.slice(0, MAX_PATH), what };
    if (typeof each === 'object' && each !== null) paths.set(each, path);
    // One loss is enough: the rest is not searched.
    return loss === undefined ? each : undefined;
  };
  const text = JSON.stringify(value, look);
  return loss === undefined ? { text } : { loss };
}

/** Recognises a date without `instanceof`: core, which has no clock, may not name the class. */
function isDate(value: unknown): value is { getTime(): number } {
  return (
    Object.prototype.toString.call(value) === '[object Date]' &&
    typeof (value as { getTime?: unknown }).getTime === 'function'
  );
}

function step(path: string, key: string, holder: unknown): string {
  if (Array.isArray(holder)) return `${path}[${key}]`;
  return IDENTIFIER.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}

/** @param original the value before its `toJSON` */
function nameOf(value: unknown, original: unknown): string | undefined {
  switch (typeof value) {
    case 'function':
    case 'symbol':
      return `a ${typeof value}`;
    case 'bigint':
      return 'a BigInt; send String(value)';
    case 'number':
      return Number.isFinite(value) ? undefined : `${value}`;
    case 'object':
      if (value === null) return isDate(original) ? 'an invalid Date' : undefined;
      return nameOfObject(value);
    default:
      return undefined;
  }
}

function nameOfObject(value: object): string | undefined {
  if (value instanceof Map) return 'a Map; send Object.fromEntries(map)';
  if (value instanceof Set) return 'a Set; send [...set]';
  if (value instanceof Error) return 'an Error; send { message: error.message }';
  if (value instanceof Promise) return 'a Promise; await it';
  if (Array.isArray(value) || ArrayBuffer.isView(value) || !isOpaque(value)) return undefined;
  const tag = Object.prototype.toString.call(value).slice('[object '.length, -1);
  const name = tag === 'Object' ? (value.constructor as { readonly name?: unknown } | undefined)?.name : tag;
  return `an instance of ${String(name)} without fields that JSON sees; send plain data`;
}

/** True for an instance of a class with members but without fields: it keeps its contents where JSON does not look. */
function isOpaque(value: object): boolean {
  if (Object.keys(value).length > 0) return false;
  let prototype = prototypeOf(value);
  // The last one is the Object.prototype of some realm: Jest and node:vm have their own.
  for (let next; prototype !== null && (next = prototypeOf(prototype)) !== null; prototype = next) {
    if (Object.getOwnPropertyNames(prototype).some((name) => name !== 'constructor')) return true;
  }
  return false;
}

function prototypeOf(value: object): object | null {
  return Object.getPrototypeOf(value) as object | null;
}
