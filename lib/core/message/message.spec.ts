import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createMessage,
  explainMessage,
  explainMessageType,
  isMessage,
  stringifyMessage,
  type RealtimeMessage,
} from './message.js';

const NOW = '2026-01-31T12:00:00.000Z';
const textOf = (message: RealtimeMessage) => {
  const result = stringifyMessage(message, NOW);
  if (!result.ok) throw new Error(result.problem.message);
  return result.text;
};

describe('createMessage', () => {
  it('adds the timestamp when there is none', () => {
    expect(createMessage({ type: 't' }, NOW)).toEqual({ type: 't', timestamp: NOW });
  });

  it('keeps the timestamp that is there', () => {
    const timestamp = '2025-12-24T18:00:00.000Z';
    expect(createMessage({ type: 't', timestamp }, NOW).timestamp).toBe(timestamp);
  });

  it('keeps a payload of null, and leaves out one that is undefined', () => {
    expect([
      createMessage({ type: 't', payload: null }, NOW),
      createMessage({ type: 't', payload: undefined }, NOW),
    ]).toEqual([
      { type: 't', payload: null, timestamp: NOW },
      { type: 't', timestamp: NOW },
    ]);
    expect(createMessage({ type: 't', payload: undefined }, NOW)).not.toHaveProperty('payload');
  });

  it('drops every other field', () => {
    expect(createMessage({ type: 't', topic: 'x', id: 1 } as RealtimeMessage, NOW)).toEqual({
      type: 't',
      timestamp: NOW,
    });
  });
});

describe('explainMessageType', () => {
  it.each([
    ['order.created'],
    ['x'.repeat(255)],
    ['constructor'],
    ['__proto__'],
    ['Realtime:x'],
    ['realtime'],
    ['ü 😀'],
  ])('takes %j', (type) => {
    expect(explainMessageType(type)).toEqual([]);
  });

  it.each([[''], ['x'.repeat(256)], ['realtime:'], ['realtime:welcome'], [undefined], [null], [7], [['t']]])(
    'refuses %j',
    (type) => {
      expect(explainMessageType(type).map((problem) => problem.at)).toEqual(['type']);
    },
  );
});

describe('explainMessage', () => {
  it.each([[NOW], ['0000-01-01T00:00:00.000Z'], ['9999-12-31T23:59:59.999Z'], [undefined]])(
    'takes the timestamp %j',
    (timestamp) => {
      expect(explainMessage({ type: 't', timestamp })).toEqual([]);
    },
  );

  it.each([
    ['2026-01-31'],
    ['2026-01-31T12:00:00Z'],
    ['2026-01-31T12:00:00.000+01:00'],
    ['2026-13-01T12:00:00.000Z'],
    ['2026-00-01T12:00:00.000Z'],
    ['2026-01-32T12:00:00.000Z'],
    ['2026-01-31T24:00:00.000Z'],
    ['2026-01-31T12:60:00.000Z'],
    ['2026-01-31T12:00:00.000Z\n'],
    ['2026-01-31T12:00:00.000Z","admin":"true'],
    [1_800_000_000_000],
    [new Date(0)],
    [null],
  ])('refuses the timestamp %j', (timestamp) => {
    expect(explainMessage({ type: 't', timestamp }).map((problem) => problem.at)).toEqual(['timestamp']);
  });

  it('takes every date as toISOString writes it, within four-digit years', () => {
    const dates = fc.date({ min: new Date('0000-01-01'), max: new Date('9999-12-31'), noInvalidDate: true });
    fc.assert(fc.property(dates, (date) => isMessage({ type: 't', timestamp: date.toISOString() })));
  });

  it('says everything that is wrong at once', () => {
    expect(explainMessage({ timestamp: 1 }).map((problem) => problem.at)).toEqual(['type', 'timestamp']);
  });

  it.each([[undefined], [null], ['t'], [[]]])('refuses %j, which is no message', (value) => {
    expect(explainMessage(value).map((problem) => problem.at)).toEqual(['message']);
  });

  it('never throws for any value', () => {
    fc.assert(fc.property(fc.anything(), (value) => void explainMessage(value)));
  });
});

describe('stringifyMessage', () => {
  it('comes back from JSON.parse as the message it was', () => {
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), (type, payload) => {
        const plain: unknown = JSON.parse(JSON.stringify(payload));
        expect(JSON.parse(textOf({ type, payload }))).toStrictEqual({ type, payload: plain, timestamp: NOW });
      }),
    );
  });

  it('writes type, payload and timestamp in that order', () => {
    expect(textOf({ timestamp: NOW, payload: { a: 1 }, type: 't' })).toBe(
      `{"type":"t","payload":{"a":1},"timestamp":"${NOW}"}`,
    );
  });

  it.each([
    ['is undefined', undefined],
    ['has a toJSON that answers undefined', { toJSON: () => undefined }],
  ])('leaves out a payload that %s', (_, payload) => {
    expect(textOf({ type: 't', payload })).toBe(`{"type":"t","timestamp":"${NOW}"}`);
  });

  it.each([[null], [0], [false], ['']])('carries the payload %j', (payload) => {
    expect(JSON.parse(textOf({ type: 't', payload }))).toHaveProperty('payload', payload);
  });

  it('carries a payload as its toJSON says', () => {
    expect(JSON.parse(textOf({ type: 't', payload: new Date(0) }))).toHaveProperty(
      'payload',
      '1970-01-01T00:00:00.000Z',
    );
  });

  it('lets nothing in `type` or `timestamp` out of its string', () => {
    const type = '","admin":true,"x":"';
    expect(JSON.parse(textOf({ type, timestamp: type }))).toEqual({ type, timestamp: type });
  });

  it('writes no line break, which would end a frame of a line protocol', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('\n', '\r', 'a') }), fc.jsonValue(), (type, payload) => {
        expect(textOf({ type, payload: [payload, type] })).not.toMatch(/[\n\r]/);
      }),
    );
  });

  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  const deep = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) as unknown;
  const throwing = (value: unknown) => ({
    toJSON() {
      throw value;
    },
  });

  it.each<[string, unknown]>([
    ['a BigInt', 1n],
    ['a cycle', cycle],
    ['too many levels', deep],
    ['a toJSON that throws an error', throwing(new Error('nope'))],
    ['a toJSON that throws a string', throwing('nope')],
    ['a toJSON that throws an error without a text', throwing(Object.assign(new Error(), { message: undefined }))],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['NaN', NaN],
    ['Infinity', Infinity],
    ['-Infinity', -Infinity],
    ['a Map', new Map([['a', 1]])],
    ['a Set', new Set([1])],
  ])('refuses %s as a payload, and says so in one line', (_, payload) => {
    const result = stringifyMessage({ type: 't', payload }, NOW);
    expect(result).toMatchObject({
      ok: false,
      problem: { at: 'payload', message: expect.stringMatching(/^cannot be serialised as JSON: [^\n]+$/) as string },
    });
  });

  it('names the place of what JSON would lose within the payload', () => {
    const payload = { rows: [{ tags: new Set(['a']) }] };
    expect(stringifyMessage({ type: 't', payload }, NOW)).toEqual({
      ok: false,
      problem: { at: 'payload.rows[0].tags', message: 'cannot be serialised as JSON: it is a Set; send [...set]' },
    });
  });

  it('hands on what a toJSON threw', () => {
    const cause = new Error('nope');
    expect(stringifyMessage({ type: 't', payload: throwing(cause) }, NOW)).toMatchObject({ cause });
  });
});
