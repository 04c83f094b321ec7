import fc from 'fast-check';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import { lostInJson, stringifyWhole } from './lost-in-json.js';

class Money {
  readonly #amount = 1;
  get amount() {
    return this.#amount;
  }
}

class Dto {
  name = 'Ann';
  constructor(readonly tags: unknown = []) {}
  shout() {
    return this.name.toUpperCase();
  }
}

class Ping {}

class Rows extends Array<unknown> {
  toJSON() {
    return { rows: new Set(this) };
  }
}

class Birthday {
  readonly [Symbol.toStringTag] = 'Date';
  month = 2;
}

const within = (path: string, what: string) => ({ path, what: expect.stringContaining(what) as string });

describe('what JSON would lose', () => {
  it.each<[string, unknown, string, string]>([
    ['a Map', new Map(), '', 'a Map'],
    ['a Map in an object', { a: new Map() }, '.a', 'a Map'],
    ['a Set in a list in an object', { items: [1, { tags: new Set() }] }, '.items[1].tags', 'a Set'],
    ['a BigInt', { total: 1n }, '.total', 'a BigInt'],
    ['a function', { run: () => 1 }, '.run', 'a function'],
    ['a symbol in a list', [Symbol('s')], '[0]', 'a symbol'],
    ['NaN', { average: NaN }, '.average', 'NaN'],
    ['-Infinity', [[-Infinity]], '[0][0]', '-Infinity'],
    ['an invalid Date', { at: new Date(NaN) }, '.at', 'an invalid Date'],
    ['a Promise', { user: Promise.resolve() }, '.user', 'a Promise'],
    ['the message of an Error', { error: Object.assign(new Error('no'), { code: 1 }) }, '.error', 'an Error'],
    ['an iterator', { keys: new Map().keys() }, '.keys', 'an instance of Map Iterator'],
    ['a regular expression', { test: /x/ }, '.test', 'an instance of RegExp'],
    ['an instance with private fields alone', { price: new Money() }, '.price', 'an instance of Money'],
    ['a Map of another realm', { a: runInNewContext('new Map([[1, 2]])') as unknown }, '.a', 'an instance of Map'],
    ['something in a class instance', new Dto(new Set()), '.tags', 'a Set'],
    ['something that a toJSON returns', { a: { toJSON: () => ({ b: new Map() }) } }, '.a.b', 'a Map'],
    ['something that the toJSON of a list returns', { a: new Rows(1) }, '.a.rows', 'a Set'],
    ['something below many levels', deep(30, new Set()), '.x'.repeat(30), 'a Set'],
    ['something under a strange key', { 'a b\n': new Map() }, '["a b\\n"]', 'a Map'],
    ['something under an empty key', { '': { a: new Map() } }, '[""].a', 'a Map'],
  ])('is named with its place: %s', (_, value, path, what) => {
    expect(lostInJson(value)).toEqual(within(path, what));
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['a field that is undefined', { a: undefined }],
    ['a Date', { at: new Date(0) }],
    ['a class instance with fields', new Dto()],
    ['an instance of an empty class', new Ping()],
    ['an object without a prototype', Object.assign(Object.create(null) as object, { a: 1 })],
    ['an empty object of another realm', runInNewContext('({ filter: {}, rows: [{}, []] })')],
    ['an instance that is named like a Date', { born: new Birthday() }],
    ['a Map with a toJSON', Object.assign(new Map(), { toJSON: () => [] })],
    ['a toJSON that returns a string', { id: { toJSON: () => 'id' } }],
    ['a Buffer', Buffer.from('x')],
    ['numbers in a typed array', new Uint8Array(2)],
    ['many levels of data', deep(100, 1)],
  ])('is nothing of %s', (_, value) => {
    expect(lostInJson(value)).toBeUndefined();
  });

  it('is nothing of any JSON', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => lostInJson(value) === undefined));
  });

  it('is found wherever it is', () => {
    const place = fc.array(fc.oneof(fc.string({ maxLength: 5 }), fc.nat({ max: 3 })), { maxLength: 20 });
    fc.assert(
      fc.property(place, (keys) => {
        const value = keys.reduceRight<unknown>(
          (inner, key) =>
            typeof key === 'number' ? [...Array<null>(key).fill(null), inner] : { a: 1, [`k${key}`]: inner },
          new Map(),
        );
        expect(lostInJson(value)?.what).toContain('a Map');
      }),
    );
  });

  it('cannot be told of a cycle, which throws as in JSON.stringify', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    expect(() => lostInJson(cycle)).toThrow(TypeError);
  });
});

describe('a value that JSON represents as a whole', () => {
  it('is serialised as by JSON.stringify', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.boolean(), (value, hasJson) => {
        const given = hasJson ? { toJSON: () => value } : value;
        expect(stringifyWhole(given)).toEqual({ text: JSON.stringify(value) });
      }),
    );
  });

  it('has its toJSON called once', () => {
    const toJSON = vi.fn(() => 1);
    expect([stringifyWhole({ toJSON }), toJSON.mock.calls.length]).toEqual([{ text: '1' }, 1]);
  });

  it('may be undefined, which has no text', () => {
    expect(stringifyWhole(undefined)).toEqual({ text: undefined });
  });
});

function deep(levels: number, value: unknown): unknown {
  return levels === 0 ? value : { x: deep(levels - 1, value) };
}
