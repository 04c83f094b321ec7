import protobuf, { type Field as ProtoField, type Type } from 'protobufjs';
import { describe, expect, it } from 'vitest';
import * as proto from '../../../../test/helpers/protobuf-lines.js';
import type { MessageForm, NamedField } from './message-form.js';
import { COMMAND, REPLY } from './schema.js';

/** The types of the public schema that each type of field stands for. */
const TYPES: Readonly<Record<string, readonly string[]>> = {
  uint: ['uint32', 'uint64', 'int64'],
  int: ['int32'],
  bool: ['bool'],
  text: ['string'],
  json: ['bytes'],
};

/** The fields in which a message, or one within it, differs from the public schema. */
function differences(form: MessageForm, type: Type, path: string): string[] {
  return form.fields.flatMap((field) => {
    const theirs = type.fields[field.name]?.resolve();
    const at = `${path}.${field.name}`;
    if (theirs === undefined) return [`${at} is missing`];
    return [...(theirs.id === field.number ? [] : [`${at} is ${theirs.id}`]), ...typeDifferences(field, theirs, at)];
  });
}

function typeDifferences(field: NamedField, theirs: ProtoField, at: string): string[] {
  if (field.repeats === 'map') {
    const value = field.form!.numbered(2)!;
    const key = theirs.map && (theirs as unknown as { keyType: string }).keyType;
    return key === 'string' ? valueDifferences(value, theirs, at) : [`${at} is no map`];
  }
  if ((field.repeats === 'list') !== theirs.repeated) return [`${at} repeats`];
  return valueDifferences(field, theirs, at);
}

function valueDifferences({ type, form }: NamedField, { type: name, resolvedType }: ProtoField, at: string): string[] {
  if (type !== 'message') return TYPES[type]!.includes(name) ? [] : [`${at} is a ${name}`];
  return resolvedType instanceof protobuf.Type ? differences(form!, resolvedType, at) : [`${at} is a ${name}`];
}

describe('the fields that are read and written', () => {
  it.each([
    ['commands', COMMAND, proto.COMMAND],
    ['replies', REPLY, proto.REPLY],
  ])('have the names, numbers and types of the public schema in %s', (_what, form, type) => {
    expect(differences(form, type, type.name)).toEqual([]);
  });

  it('are all methods and kinds of reply', () => {
    expect(COMMAND.fields.map(({ name }) => name)).toEqual(Object.keys(proto.COMMAND.fields));
    expect(REPLY.fields.map(({ name }) => name)).toEqual(Object.keys(proto.REPLY.fields));
  });
});
