import { BackwardWriter } from './backward-writer.js';
import type { MessageForm, NamedField } from './message-form.js';

/** JSON text that is written as it is, without being parsed and serialised again. */
export class JsonText {
  constructor(readonly text: string) {}
}

/**
 * Returns an object as a message with its length before it. Zero values are omitted, as in proto3; objects are not, if empty.
 * Throws if the value of a JSON field cannot be serialised.
 */
export function encodeDelimited(form: MessageForm, value: object): Uint8Array {
  const writer = new BackwardWriter();
  writeFields(writer, form, value);
  writer.varint(writer.length);
  return writer.bytes;
}

/** The same, without the length. */
export function encodeMessage(form: MessageForm, value: object): Uint8Array {
  const writer = new BackwardWriter();
  writeFields(writer, form, value);
  return writer.bytes;
}

function writeFields(writer: BackwardWriter, { fields }: MessageForm, value: object): void {
  for (let at = fields.length - 1; at >= 0; at--) {
    const field = fields[at]!;
    const each = (value as Readonly<Record<string, unknown>>)[field.name];
    if (each === undefined) continue;
    if (field.repeats === undefined) writeField(writer, field, each);
    else for (const entry of entriesOf(field, each).toReversed()) writeField(writer, field, entry);
  }
}

function writeField(writer: BackwardWriter, field: NamedField, value: unknown): void {
  if (!field.isDelimited) {
    if (value === 0 || value === false) return;
    writer.varint(Number(value));
  } else if (field.form !== undefined) {
    const before = writer.length;
    writeFields(writer, field.form, value as object);
    writer.varint(writer.length - before);
  } else {
    const text = field.type === 'json' ? jsonOf(value) : (value as string);
    if (!text) return;
    writer.text(text);
  }
  writer.varint(field.tag);
}

function entriesOf({ repeats }: NamedField, value: unknown): readonly unknown[] {
  if (repeats === 'list') return value as readonly unknown[];
  return Object.entries(value as object).map(([key, each]) => ({ key, value: each as unknown }));
}

/** The type of `JSON.stringify` lacks that it returns `undefined` for functions and the like. */
function jsonOf(value: unknown): string | undefined {
  return value instanceof JsonText ? value.text : JSON.stringify(value);
}
