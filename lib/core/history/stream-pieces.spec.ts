import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isMessageText } from '../message/message-text.js';
import { utf8Size } from '../base/utf8-size.js';
import { readStreamItem } from './stream-item.js';
import { readStreamMark, type StreamEnd } from './stream-piece.js';
import { StreamPieces, type StreamPublication } from './stream-pieces.js';

const STREAM = { id: 's1', type: 'stream' };
const NOW = '2026-01-31T12:00:00.000Z';

type Step = { readonly item: unknown } | 'flush';

/** The publications of a stream that takes these steps and then ends, and goes on all the same. */
function publicationsOf(steps: readonly Step[], end: StreamEnd, maxBytes: number): StreamPublication[] {
  const pieces = new StreamPieces(STREAM, maxBytes);
  const take = (step: Step) => {
    if (step === 'flush') return pieces.flush(NOW);
    const item = readStreamItem(step.item);
    return item.kind === 'lost' ? [] : pieces.add(item, NOW);
  };
  return [...steps.flatMap(take), ...pieces.end(end, NOW), ...steps.flatMap(take), ...pieces.end(end, NOW)];
}

const payloadOf = ({ text }: StreamPublication) => JSON.parse(text).payload;

/** Items with strings that follow each other as one, without empty ones. */
function joined(items: readonly unknown[]): unknown[] {
  const all: unknown[] = [];
  for (const item of items) {
    const before = all.at(-1);
    if (typeof item === 'string' && typeof before === 'string') all[all.length - 1] = before + item;
    else if (item !== '') all.push(item);
  }
  return all;
}

const text = fc.string({ unit: fc.constantFrom('a', 'ü', '€', '😀', '\ud83d', '\ude00', '"', '\n'), maxLength: 30 });
const value = fc.jsonValue({ maxDepth: 1 }).map((each) => JSON.parse(JSON.stringify(each)) as unknown);
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ item: text }) },
    { weight: 1, arbitrary: fc.record({ item: value }) },
    { weight: 1, arbitrary: fc.constant('flush' as const) },
  ),
  { maxLength: 20, size: 'max' },
);
const end = fc.constantFrom<StreamEnd>({ kind: 'end' }, { kind: 'stopped' }, { kind: 'error', error: 'it failed' });

describe('the publications of a stream', () => {
  it('have all items in their order, numbers from 0 without a gap, and one end, which nothing follows', () => {
    fc.assert(
      fc.property(steps, end, fc.integer({ min: 4, max: 40 }), (taken, ending, maxBytes) => {
        const publications = publicationsOf(taken, ending, maxBytes);
        const payloads = publications.map(payloadOf);
        expect(payloads.map(({ seq }) => seq)).toEqual(payloads.map((_, seq) => seq));
        const source = taken.flatMap((step) => (step === 'flush' ? [] : [step.item]));
        expect(joined(payloads.flatMap(({ items = [] }) => items))).toEqual(joined(source));
        expect(payloads.map(({ items }) => items === undefined)).toEqual(
          payloads.map((_, index) => index === payloads.length - 1),
        );
        for (const { id, items } of payloads) {
          expect(id).toBe('s1');
          if (items?.length > 1 || typeof items?.[0] === 'string') expect(sizeOf(items)).toBeLessThanOrEqual(maxBytes);
        }
      }),
    );
  });

  it('never split a surrogate pair', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 4, max: 40 }), (taken, maxBytes) => {
        const texts = publicationsOf(taken, { kind: 'end' }, maxBytes).map(payloadOf);
        const cuts = texts.slice(1).filter(({ items: [first] = [] }, index) => {
          const last: unknown = texts[index]!.items.at(-1);
          return (
            typeof last === 'string' && typeof first === 'string' && utf8Size(last + first) !== sizeOf([last, first])
          );
        });
        expect(cuts).toEqual([]);
      }),
    );
  });

  it('are messages in the form that codecs rely on, and are read as what they are', () => {
    fc.assert(
      fc.property(steps, end, (taken, ending) => {
        const publications = publicationsOf(taken, ending, 20);
        expect(publications.every((each) => isMessageText(each.text))).toBe(true);
        expect(publications.map((each) => readStreamMark(each.text, STREAM))).toEqual(
          publications.map(({ seq }, index) =>
            index === publications.length - 1 ? { seq, end: ending.kind } : { seq },
          ),
        );
        expect(publications.map((each) => readStreamMark(each.text, { ...STREAM, id: 's2' }))).toEqual(
          publications.map(() => undefined),
        );
      }),
    );
  });

  it('say how the stream ended', () => {
    const ends: StreamEnd[] = [{ kind: 'end' }, { kind: 'stopped' }, { kind: 'error', error: 'No "more".' }];
    expect(ends.map((each) => payloadOf(publicationsOf([], each, 4)[0]!))).toEqual([
      { id: 's1', seq: 0, end: true },
      { id: 's1', seq: 0, end: true, stopped: true },
      { id: 's1', seq: 0, error: 'No "more".' },
    ]);
  });
});

it.each([
  ['of another type', { type: 'other', payload: { id: 's1', seq: 0, items: [] } }],
  ['without a payload', { type: 'stream', payload: '"s1"' }],
  ['with the id elsewhere', { type: 'stream', payload: { id: 'x', about: 's1', seq: 0, items: [] } }],
  ['without items or end', { type: 'stream', payload: { id: 's1', seq: 0 } }],
])('a message %s is none of the stream', (_what, message) => {
  expect(readStreamMark(JSON.stringify(message), STREAM)).toBeUndefined();
});

function sizeOf(items: readonly unknown[]): number {
  return items.reduce<number>((sum, item) => sum + utf8Size(typeof item === 'string' ? item : JSON.stringify(item)), 0);
}
