import { isUtf8 } from 'node:buffer';
import { Cursor } from './cursor.js';
import { isDelimited, WIRE, type MessageForm, type NamedField } from './message-form.js';

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

/**
 * Reads a message from `start` to `end`. Every length is compared with what is there before anything is made of it. Of a field
 * that occurs several times the last one counts, and the others are not decoded, so that repeating one costs nothing.
 * @param maxEntries most entries of a map or list
 */
export function readMessage(
  bytes: Buffer,
  start: number,
  end: number,
  form: MessageForm,
  maxEntries: number,
): Fields | Malformed {
  const fields: Record<string, unknown> = {};
  const delimited = new Map<NamedField, number[]>();
  const cursor = new Cursor(bytes, start, end);
  while (!cursor.isAtEnd) {
    const tag = cursor.varint();
    if (tag === undefined) return CUT_OFF;
    if (tag > MAX_TAG) return UNKNOWN_WIRE_TYPE;
    const field = form.numbered(tag >>> 3);
    const wireType = tag & 7;
    if (field !== undefined && wireType !== (field.tag & 7)) return WRONG_WIRE_TYPE;
    if (field !== undefined && !isDelimited(field)) {
      const value = field.type === 'int' ? cursor.int32() : cursor.varint();
      if (value === undefined) return CUT_OFF;
      fields[field.name] = field.type === 'bool' ? value !== 0 : value;
      continue;
    }
    const length = lengthOf(wireType, cursor);
    if (typeof length === 'object') return length;
    if (!cursor.skip(length)) return CUT_OFF;
    if (field === undefined) continue;
    const spans = delimited.get(field);
    if (spans === undefined) delimited.set(field, [cursor.at - length, cursor.at]);
    else if (field.repeats === undefined) [spans[0], spans[1]] = [cursor.at - length, cursor.at];
    else if (spans.push(cursor.at - length, cursor.at) > 2 * maxEntries) return TOO_MANY;
  }
  for (const [field, spans] of delimited) {
    const value = readDelimited(bytes, spans, field, maxEntries);
    if (value instanceof Malformed) return value;
    fields[field.name] = value;
  }
  return fields;
}

/** Returns how many bytes follow of a value that is not read as a number. */
function lengthOf(wireType: number, cursor: Cursor): number | Malformed {
  switch (wireType) {
    case WIRE.varint:
      return cursor.varint() === undefined ? CUT_OFF : 0;
    case WIRE.fixed64:
      return 8;
    case WIRE.delimited:
      return cursor.varint() ?? CUT_OFF;
    case WIRE.fixed32:
      return 4;
    default:
      // Groups, which proto3 does not have, among them.
      return UNKNOWN_WIRE_TYPE;
  }
}

function readDelimited(bytes: Buffer, spans: readonly number[], field: NamedField, maxEntries: number): unknown {
  if (field.repeats !== undefined) return readEntries(bytes, spans, field, maxEntries);
  const [start = 0, end = 0] = spans;
  if (field.form !== undefined) return readMessage(bytes, start, end, field.form, maxEntries);
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

function readEntries(bytes: Buffer, spans: readonly number[], { form, repeats }: NamedField, maxEntries: number) {
  const entries: Fields[] = [];
  for (let at = 0; at < spans.length; at += 2) {
    const entry = readMessage(bytes, spans[at]!, spans[at + 1]!, form!, maxEntries);
    if (entry instanceof Malformed) return entry;
    entries.push(entry);
  }
  if (repeats === 'list') return entries;
  // Defines each key as the object's own, `__proto__` included.
  return Object.fromEntries(entries.map(({ key = '', value = '' }) => [key, value]));
}
