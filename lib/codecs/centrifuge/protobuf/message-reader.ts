import { isUtf8 } from 'node:buffer';
import { Cursor } from './cursor.js';
import { WIRE, type MessageForm, type NamedField } from './message-form.js';

/** The fields of a message by name, with the values that the JSON form of the protocol would have. */
export type Fields = Readonly<Record<string, unknown>>;

/** The reason why bytes are not a message. */
export class Malformed {
  constructor(readonly reason: string) {}
}

const CUT_OFF = new Malformed('a command is cut off, or has a number of more than 64 bits');
const UNKNOWN_WIRE_TYPE = new Malformed('a command has a field of a wire type that does not exist');
const WRONG_WIRE_TYPE = new Malformed('a command has a field of the wrong wire type');
const NOT_TEXT = new Malformed('a command has a string that is not UTF-8');
const NOT_JSON = new Malformed('the data of a command is not JSON text');
const TOO_MANY = new Malformed('a command has too many entries in a map or list');

/** Largest tag: field numbers have 29 bits. */
const MAX_TAG = 0xffff_ffff;

const REPLACEMENT = '\ufffd';

/** The entries of maps and lists that may still be read; one budget for all messages of a frame. */
export interface EntryBudget {
  entries: number;
}

/**
 * Reads a message from `start` to `end`. Every length is compared with what is there before anything is made of it. Of a field
 * that occurs several times the last one counts; only the first and the last are decoded, so that repeating one costs nothing.
 */
export function readMessage(
  bytes: Buffer,
  start: number,
  end: number,
  form: MessageForm,
  budget: EntryBudget,
): Fields | Malformed {
  const fields: Record<string, unknown> = {};
  const cursor = new Cursor(bytes, start, end);
  /** Fields that have occurred before, with the place of the last one. */
  let repeated: Map<NamedField, number> | undefined;
  while (!cursor.isAtEnd) {
    const tag = cursor.varint();
    if (tag === undefined) return CUT_OFF;
    if (tag > MAX_TAG) return UNKNOWN_WIRE_TYPE;
    const field = form.numbered(tag >>> 3);
    if (field === undefined) {
      const problem = skipValue(tag & 7, cursor);
      if (problem) return problem;
      continue;
    }
    if (tag !== field.tag) return WRONG_WIRE_TYPE;
    if (!field.isDelimited) {
      const value = field.type === 'int' ? cursor.int32() : cursor.varint();
      if (value === undefined) return CUT_OFF;
      fields[field.name] = field.type === 'bool' ? value !== 0 : value;
      continue;
    }
    const at = cursor.at;
    const length = cursor.varint();
    if (length === undefined || !cursor.skip(length)) return CUT_OFF;
    const before = fields[field.name];
    if (before !== undefined && field.repeats === undefined) {
      (repeated ??= new Map()).set(field, at);
      continue;
    }
    const value = readValue(bytes, cursor.at - length, cursor.at, field, budget);
    if (value instanceof Malformed) return value;
    if (field.repeats === undefined) fields[field.name] = value;
    else fields[field.name] = withEntry(before, field, value as Fields);
  }
  for (const [field, at] of repeated ?? []) {
    const last = new Cursor(bytes, at, end);
    const length = last.varint()!;
    const value = readValue(bytes, last.at, last.at + length, field, budget);
    if (value instanceof Malformed) return value;
    fields[field.name] = value;
  }
  return fields;
}

/** Skips a value of a field that is not known. */
function skipValue(wireType: number, cursor: Cursor): Malformed | undefined {
  switch (wireType) {
    case WIRE.varint:
      return cursor.varint() === undefined ? CUT_OFF : undefined;
    case WIRE.fixed64:
      return cursor.skip(8) ? undefined : CUT_OFF;
    case WIRE.delimited:
      return cursor.skip(cursor.varint() ?? Infinity) ? undefined : CUT_OFF;
    case WIRE.fixed32:
      return cursor.skip(4) ? undefined : CUT_OFF;
    default:
      // Groups, which proto3 does not have, among them.
      return UNKNOWN_WIRE_TYPE;
  }
}

function readValue(bytes: Buffer, start: number, end: number, field: NamedField, budget: EntryBudget): unknown {
  if (field.repeats !== undefined && --budget.entries < 0) return TOO_MANY;
  if (field.form !== undefined) return readMessage(bytes, start, end, field.form, budget);
  const text = bytes.toString('utf8', start, end);
  // Decoding replaces what is not UTF-8.
  if (text.includes(REPLACEMENT) && !isUtf8(bytes.subarray(start, end))) return NOT_TEXT;
  if (field.type === 'text') return text;
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return NOT_JSON;
  }
}

/** Adds an entry to those of a list or a map that were read before. */
function withEntry(before: unknown, { repeats }: NamedField, entry: Fields): unknown {
  if (repeats === 'list') {
    const list = (before as Fields[] | undefined) ?? [];
    list.push(entry);
    return list;
  }
  const { key = '', value = '' } = entry;
  const map = before ?? {};
  // An assignment to `__proto__` would set the prototype.
  Object.defineProperty(map, key as string, { value, configurable: true, enumerable: true, writable: true });
  return map;
}
