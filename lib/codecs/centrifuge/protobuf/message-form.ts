/** The type of a field: a number of up to 64 bits, a signed number of 32 bits, a flag, a string, JSON text as bytes, or a message. */
type FieldType = 'uint' | 'int' | 'bool' | 'text' | 'json' | 'message';

/** A field of a Protobuf message. */
export interface Field {
  readonly number: number;
  readonly type: FieldType;
  /** The fields of a message; of a map, those of its entries. */
  readonly form?: MessageForm;
  /** True for a list of messages, or a map. */
  readonly repeats?: 'list' | 'map';
}

/** A field with its name. */
export interface NamedField extends Field {
  readonly name: string;
  /** The number and the wire type, as they stand before the value. */
  readonly tag: number;
  /** True for a field whose value stands behind its length. */
  readonly isDelimited: boolean;
}

/** Wire types of Protobuf. */
export const WIRE = { varint: 0, fixed64: 1, delimited: 2, fixed32: 5 } as const;

/** The fields of one type of message, by number and by name. */
export class MessageForm<Name extends string = string> {
  /** In the order of their numbers. */
  readonly fields: readonly NamedField[];
  readonly #byNumber: readonly (NamedField | undefined)[];
  readonly #byName: Readonly<Record<Name, Field>>;

  constructor(byName: Readonly<Record<Name, Field>>) {
    this.#byName = byName;
    this.fields = Object.entries<Field>(byName)
      .map(([name, field]) => ({ ...field, name, tag: tagOf(field), isDelimited: isDelimited(field) }))
      .toSorted((a, b) => a.number - b.number);
    const byNumber: (NamedField | undefined)[] = [];
    for (const field of this.fields) byNumber[field.number] = field;
    this.#byNumber = Array.from(byNumber);
  }

  /** Returns the field with a number, or `undefined` if the package does not know it. */
  numbered(number: number): NamedField | undefined {
    return this.#byNumber[number];
  }

  /** Returns the tag of a field. */
  tagOf(name: Name): number {
    return tagOf(this.#byName[name]);
  }
}

function isDelimited({ type }: Field): boolean {
  return type === 'text' || type === 'json' || type === 'message';
}

function tagOf(field: Field): number {
  return field.number * 8 + (isDelimited(field) ? WIRE.delimited : WIRE.varint);
}
