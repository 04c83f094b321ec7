import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isTopic } from './topic.js';
import {
  areAmbiguous,
  buildTopic,
  comparePatterns,
  compileTopicPattern,
  matchTopic,
  type TopicPattern,
} from './topic-pattern.js';

function compile(source: string): TopicPattern {
  const result = compileTopicPattern(source);
  if (!result.ok) throw new Error(result.problem);
  return result.pattern;
}

const match = (source: string, topic: string) => matchTopic(compile(source), topic);

const NAMES = ['p', 'q', 'constructor', '__proto__'];

/** Patterns over a tiny alphabet, so that they meet often: literals and parameters in turn, and colons. */
const patterns = (maxLength = 6) =>
  fc
    .array(fc.constantFrom('a', 'b', ':', '{}', '{}'), { minLength: 1, maxLength })
    .map((parts) => {
      let next = 0;
      return parts
        .filter((part, i) => part !== '{}' || parts[i - 1] !== '{}')
        .map((part) => (part === '{}' ? `{${NAMES[next++ % NAMES.length]}${next > NAMES.length ? next : ''}}` : part))
        .join('');
    })
    .map(compile);

const topics = () => fc.string({ unit: fc.constantFrom('a', 'b', ':'), minLength: 1, maxLength: 8 });

/** Returns the meaning of the pattern as a regular expression. */
const meaning = (pattern: TopicPattern) => new RegExp(`^${pattern.source.replace(/\{\w+\}/g, '[^:]+')}$`);

/** All topics of up to six characters that the two-letter alphabet can make. */
const SMALL_TOPICS = (() => {
  const list: string[] = [];
  for (let level = ['']; level[0]!.length < 6;) {
    level = level.flatMap((topic) => ['a', 'b', ':'].map((character) => topic + character));
    list.push(...level);
  }
  return list;
})();

describe('compileTopicPattern', () => {
  it('names the parameters in their order, and counts the other characters', () => {
    expect(compile('chat:{room}:user-{id}')).toMatchObject({ params: ['room', 'id'], literals: 11 });
  });

  it('takes a topic without parameters', () => {
    expect(compile('news')).toMatchObject({ params: [], literals: 4 });
  });

  it.each([
    [''],
    ['order:{id'],
    ['order:id}'],
    ['order:{}'],
    ['order:{1d}'],
    ['order:{i d}'],
    ['order:{{id}}'],
    ['{a}{b}'],
    ['{a}:{a}'],
    ['order *'],
    ['#{id}'],
    ['x'.repeat(256)],
    [undefined],
    [null],
    [/order/],
  ])('refuses %j, and says why', (source) => {
    expect(compileTopicPattern(source as string)).toEqual({
      ok: false,
      problem: expect.stringMatching(/\w/) as string,
    });
  });

  it('never throws for any text', () => {
    const hostile = fc.string({ unit: fc.constantFrom('{', '}', 'a', ':', '_', '\n', '$') });
    fc.assert(fc.property(fc.oneof(fc.string(), hostile), (source) => void compileTopicPattern(source)));
  });
});

describe('matchTopic', () => {
  it.each([
    ['order:{id}', 'order:123', { id: '123' }],
    ['news', 'news', {}],
    ['{a}:{b}', 'x:y', { a: 'x', b: 'y' }],
    ['chat:{room}-{lang}', 'chat:main-de-CH', { room: 'main', lang: 'de-CH' }],
    ['{first}.{second}', '..x', { first: '.', second: 'x' }],
    ['v{a}x', 'vxx', { a: 'x' }],
  ])('reads %s off %s', (source, topic, params) => {
    expect(match(source, topic)).toEqual(params);
  });

  it.each([
    ['order:{id}', 'order:'],
    ['order:{id}', 'order'],
    ['order:{id}', 'order:1:2'],
    ['order:{id}', 'Order:1'],
    ['order:{id}', 'xorder:1'],
    ['news', 'news2'],
    ['{a}-{b}', '-b'],
    ['{a}-{b}', 'a-'],
    ['ab{x}ba', 'aba'],
    ['a.b', 'axb'],
  ])('does not match %s with %s', (source, topic) => {
    expect(match(source, topic)).toBeUndefined();
  });

  it('reads a parameter that is called `__proto__` as any other', () => {
    const params = match('{__proto__}:{constructor}', 'x:y')!;
    expect(Object.entries(params)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
  });

  it('matches what the regular expression of the same meaning matches', () => {
    fc.assert(
      fc.property(patterns(), topics(), (pattern, topic) => {
        expect(matchTopic(pattern, topic) !== undefined).toBe(meaning(pattern).test(topic));
      }),
      { numRuns: 2000 },
    );
  });

  it('is done with a long hostile topic in no time', () => {
    const pattern = compile(`${Array.from({ length: 40 }, (_, i) => `{p${i}}a`).join('')}b`);
    const start = performance.now();
    expect(matchTopic(pattern, 'a'.repeat(255))).toBeUndefined();
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});

describe('buildTopic', () => {
  it('puts the parameters in', () => {
    expect(buildTopic(compile('chat:{room}:{id}'), { room: 'main', id: '$&' })).toBeUndefined();
    expect(buildTopic(compile('chat:{room}:{id}'), { room: 'main', id: '7', more: 'x' })).toBe('chat:main:7');
  });

  it.each([
    ['missing', {}],
    ['empty', { id: '' }],
    ['two segments', { id: '1:2' }],
    ['no topic', { id: 'a b' }],
    ['too long', { id: 'x'.repeat(255) }],
    ['no text', { id: 7 }],
  ])('builds nothing of a parameter that is %s', (_, params) => {
    expect(buildTopic(compile('order:{id}'), params as Record<string, string>)).toBeUndefined();
  });

  it('builds nothing of values that the topic would give back otherwise', () => {
    const pair = compile('pair:{a}-{b}');
    expect(buildTopic(pair, { a: '1-2', b: '3' })).toBeUndefined();
    expect(buildTopic(pair, { a: '1', b: '2-3' })).toBe('pair:1-2-3');
    expect(buildTopic(compile('at:{user}@{host}.{tld}'), { user: 'a@b', host: 'c', tld: 'd' })).toBeUndefined();
  });

  it('does not take what every object has for a parameter', () => {
    expect(buildTopic(compile('order:{constructor}'), {})).toBeUndefined();
  });

  it('builds the topic again that was matched', () => {
    fc.assert(
      fc.property(patterns(), topics(), (pattern, topic) => {
        const params = matchTopic(pattern, topic);
        fc.pre(params !== undefined);
        expect(buildTopic(pattern, params)).toBe(topic);
      }),
      { numRuns: 500 },
    );
  });

  it('gives its parameters back, or is not built', () => {
    const values = fc.tuple(...NAMES.map(() => fc.stringMatching(/^[ab]{1,3}$/)));
    fc.assert(
      fc.property(patterns(), values, (pattern, list) => {
        const params = Object.fromEntries(pattern.params.map((name, i) => [name, list[i]!]));
        const topic = buildTopic(pattern, params);
        if (topic !== undefined) expect(matchTopic(pattern, topic)).toEqual(params);
      }),
    );
  });

  it('gives its parameters back when no segment has two of them', () => {
    const value = () => fc.stringMatching(/^[A-Za-z0-9_.@/-]{1,10}$/);
    const segment = fc.constantFrom('x{}', '{}y', '{}', 'a{}a', '-{}.');
    const source = fc
      .array(segment, { minLength: 1, maxLength: 4 })
      .map((segments) => segments.map((text, i) => text.replace('{}', `{${NAMES[i]}}`)).join(':'));
    fc.assert(
      fc.property(source.map(compile), fc.tuple(value(), value(), value(), value()), (pattern, list) => {
        const params = Object.fromEntries(pattern.params.map((name, i) => [name, list[i]!]));
        expect(matchTopic(pattern, buildTopic(pattern, params)!)).toEqual(params);
      }),
    );
  });
});

describe('comparePatterns', () => {
  it('sorts the pattern with more literal characters first', () => {
    const sorted = ['{a}', 'order:{id}', 'order:7', '{a}:{b}'].map(compile).sort(comparePatterns);
    expect(sorted.map(({ source }) => source)).toEqual(['order:7', 'order:{id}', '{a}:{b}', '{a}']);
  });
});

describe('areAmbiguous', () => {
  it.each([
    ['order:{id}', 'order:{other}'],
    ['a{x}', '{x}a'],
    ['ab{x}', '{x}ba'],
    ['{x}a{y}', 'a{x}'],
    ['news', 'news'],
  ])('is true for %s and %s', (a, b) => {
    expect(areAmbiguous(compile(a), compile(b))).toBe(true);
  });

  it.each([
    ['order:{id}', 'order:7'],
    ['order:{id}', 'chats:{id}'],
    ['a{x}', 'b{x}'],
    ['{x}a', '{x}b'],
    ['a:{x}', '{x}a'],
  ])('is false for %s and %s', (a, b) => {
    expect(areAmbiguous(compile(a), compile(b))).toBe(false);
  });

  it('agrees with trying every small topic', () => {
    fc.assert(
      fc.property(patterns(4), patterns(4), (a, b) => {
        // Up to four parts of at least one character each: a common topic, if any, has one of at most six characters.
        const [one, other] = [meaning(a), meaning(b)];
        const common = SMALL_TOPICS.some((topic) => one.test(topic) && other.test(topic));
        expect(areAmbiguous(a, b)).toBe(a.literals === b.literals && common);
      }),
      { numRuns: 1000 },
    );
  });

  it('does not depend on the order', () => {
    fc.assert(fc.property(patterns(), patterns(), (a, b) => areAmbiguous(a, b) === areAmbiguous(b, a)));
  });

  it('says of a pattern that it meets itself', () => {
    fc.assert(fc.property(patterns(), (pattern) => areAmbiguous(pattern, pattern)));
  });

  it('is defined over topics that there can be', () => {
    expect(SMALL_TOPICS.every(isTopic)).toBe(true);
  });
});
