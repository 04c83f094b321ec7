import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseQuery } from './query-string.js';
import { arbitraryText } from '../../../test/helpers/arbitrary-text.js';

const entries = (value: unknown) => [...parseQuery(value)];

describe('parseQuery', () => {
  it.each([
    ['/ws?token=abc&x=1'],
    ['?token=abc&x=1'],
    ['token=abc&x=1'],
    ['ws://host/ws?token=abc&x=1'],
    ['ws?token=abc&x=1'],
    ['/ws?token=abc&x=1#fragment?token=no'],
    ['/a=b/ws?token=abc&x=1'],
  ])('finds the parameters of %s', (text) => {
    expect(entries(text)).toEqual([
      ['token', 'abc'],
      ['x', '1'],
    ]);
  });

  it.each([[''], ['/'], ['/ws'], ['/ws?'], ['https://host/ws'], ['#token=abc'], ['/ws#?token=abc']])(
    'finds none in %j',
    (text) => {
      expect(entries(text)).toEqual([]);
    },
  );

  it.each([
    ['token=a/b', 'a/b'],
    ['token=https://host/x', 'https://host/x'],
    ['token=a?b=c', 'a?b=c'],
    ['/ws?token=a?b/c', 'a?b/c'],
  ])('keeps a slash or question mark inside a parameter: %s', (text, token) => {
    expect(parseQuery(text).get('token')).toBe(token);
  });

  it.each([['&&a=1&&b&'], ['a=1&b'], ['&a=1&b=']])('passes over the empty parameters of %s', (text) => {
    expect(entries(text)).toEqual([
      ['a', '1'],
      ['b', ''],
    ]);
  });

  it('counts the first of a repeated name', () => {
    expect(parseQuery('token=a&token=b').get('token')).toBe('a');
  });

  it('decodes escapes and plus signs', () => {
    expect(parseQuery('a%20b=c+d%C3%BC').get('a b')).toBe('c dü');
  });

  it.each([['%'], ['%zz'], ['%e'], ['100%']])('leaves the broken escape %s as it is', (value) => {
    expect(parseQuery(`a=${value}`).get('a')).toBe(value);
  });

  it('has a parameter called `__proto__` only when there is one', () => {
    expect([parseQuery('a=1').get('__proto__'), parseQuery('__proto__=1').get('__proto__')]).toEqual([undefined, '1']);
  });

  it('finds again what URLSearchParams wrote', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ minLength: 1 }), fc.string()),
        fc.constantFrom('', '?', '/ws?'),
        (written, before) => {
          expect(parseQuery(before + new URLSearchParams(written).toString())).toEqual(
            new Map(Object.entries(written)),
          );
        },
      ),
    );
  });

  it('finds in text without escapes what URLSearchParams finds', () => {
    const plain = fc.string({ unit: fc.constantFrom('&', '=', 'a', 'b', '-', '.', '_', '~', '0') });
    fc.assert(
      fc.property(plain, (text) => {
        expect(parseQuery(`/ws?${text}`)).toEqual(new Map([...new URLSearchParams(text)].toReversed()));
      }),
    );
  });

  it('never throws for any text', () => {
    const hostile = fc.string({ unit: fc.constantFrom('%', '?', '#', '/', '&', '=', ':', '\ud800', '\0', 'a') });
    fc.assert(fc.property(fc.oneof(arbitraryText, hostile), (text) => void parseQuery(text)));
  });

  it('finds no parameters in anything that is no text', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        fc.pre(typeof value !== 'string');
        expect(entries(value)).toEqual([]);
      }),
    );
  });
});
