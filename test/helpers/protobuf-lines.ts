import { readFileSync } from 'node:fs';
import protobuf, { type Type } from 'protobufjs';

/** The schema of the Protobuf form of the Centrifuge client protocol, for `protoc` and for protobufjs. */
export const PROTO_FILE = new URL('centrifuge.proto', import.meta.url).pathname;

const { root } = protobuf.parse(readFileSync(PROTO_FILE, 'utf8'), { keepCase: true });

export const COMMAND = root.lookupType('sdk.Command');
export const REPLY = root.lookupType('sdk.Reply');

type Fields = Readonly<Record<string, unknown>>;

/** Converts commands, as the JSON form has them, into one frame. Fields that are not in the schema are left out. */
export function commandFrame(...commands: readonly object[]): Buffer {
  return Buffer.concat(commands.map((command) => delimited(COMMAND, command)));
}

/** One message with its length before it; `bytes` fields hold JSON text. */
export function delimited(type: Type, value: object): Uint8Array {
  return type.encodeDelimited(type.create(toWire(type, value as Fields))).finish();
}

/** Converts a frame of the server into replies, as the JSON form has them: zero values are left out. */
export function repliesIn(frame: Uint8Array): Fields[] {
  return messagesIn(REPLY, frame);
}

/** Reads all messages of a frame, each behind its length. */
export function messagesIn(type: Type, frame: Uint8Array): Fields[] {
  const reader = protobuf.Reader.create(frame);
  const messages: Fields[] = [];
  while (reader.pos < reader.len) {
    const message = type.decodeDelimited(reader);
    messages.push(fromWire(type, type.toObject(message, { longs: Number })));
  }
  return messages;
}

function toWire(type: Type, value: Fields): Fields {
  return mapped(type, value, (each) => Buffer.from(JSON.stringify(each)), toWire);
}

function fromWire(type: Type, value: Fields): Fields {
  return mapped(type, value, (each) => JSON.parse(Buffer.from(each as Uint8Array).toString()) as unknown, fromWire);
}

function mapped(
  type: Type,
  value: Fields,
  data: (value: unknown) => unknown,
  nested: (type: Type, value: Fields) => Fields,
): Fields {
  const known = Object.entries(value).filter(([name, each]) => type.fields[name] !== undefined && each !== undefined);
  return Object.fromEntries(
    known.map(([name, each]) => {
      const field = type.fields[name]!.resolve();
      const { resolvedType } = field;
      if (field.type === 'bytes') return [name, data(each)];
      if (!(resolvedType instanceof protobuf.Type)) return [name, each];
      if (field.repeated) return [name, (each as Fields[]).map((entry) => nested(resolvedType, entry))];
      if (!field.map) return [name, nested(resolvedType, each as Fields)];
      const entries = Object.entries(each as Record<string, Fields>);
      return [name, Object.fromEntries(entries.map(([key, entry]) => [key, nested(resolvedType, entry)]))];
    }),
  );
}
