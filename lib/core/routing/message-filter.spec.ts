import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { all, role, user } from './address.js';
import { addressed, broadcastMessage, userMessage } from './envelope.js';
import { countByType, filterByTarget, filterByType, filterSince } from './message-filter.js';

const typed = (type: string, timestamp?: string) => broadcastMessage({ type, ...(timestamp && { timestamp }) });

describe('filterByType', () => {
  it('keeps the messages of the type, in their order', () => {
    const [a1, b, a2] = [typed('a'), typed('b'), typed('a')];
    expect(filterByType([a1, b, a2], 'a')).toEqual([a1, a2]);
  });
});

describe('filterByTarget', () => {
  const toBoth = addressed({ type: 't' }, [user('42'), role('admin')]);
  const toUser = userMessage('42', { type: 't' });
  const toAll = broadcastMessage({ type: 't' });

  it('keeps the messages sent to this very address', () => {
    expect(filterByTarget([toBoth, toAll, toUser], user('42'))).toEqual([toBoth, toUser]);
  });

  it('leaves out what would reach the address through a wider one', () => {
    expect(filterByTarget([toAll], user('42'))).toEqual([]);
  });

  it('keeps only broadcasts for everybody', () => {
    expect(filterByTarget([toBoth, toAll, toUser], all())).toEqual([toAll]);
  });
});

describe('filterSince', () => {
  it('keeps the messages stamped at the moment or after it', () => {
    const moment = () => fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true });
    fc.assert(
      fc.property(fc.array(moment()), moment(), (stamps, since) => {
        const messages = stamps.map((stamp) => typed('t', stamp.toISOString()));
        const kept = stamps.filter((stamp) => stamp >= since).map((stamp) => stamp.toISOString());
        expect(filterSince(messages, since).map(({ message }) => message.timestamp)).toEqual(kept);
      }),
    );
  });

  it('leaves out messages without a timestamp', () => {
    expect(filterSince([typed('t')], new Date(0))).toEqual([]);
  });

  it.each([
    ['beyond the year 9999', 8.64e15, 0],
    ['before the year 0', -8.64e15, 1],
    ['that is no date', NaN, 0],
  ])('keeps what is right for a moment %s', (_, since, kept) => {
    expect(filterSince([typed('t', '2026-01-31T12:00:00.000Z')], new Date(since))).toHaveLength(kept);
  });
});

describe('countByType', () => {
  it('counts each type', () => {
    expect(countByType([typed('a'), typed('b'), typed('a')])).toEqual(
      new Map([
        ['a', 2],
        ['b', 1],
      ]),
    );
  });

  it('counts types that are called like what every object has', () => {
    const counts = countByType(['constructor', '__proto__', 'constructor'].map((type) => typed(type)));
    expect([counts.get('constructor'), counts.get('__proto__'), counts.get('toString')]).toEqual([2, 1, undefined]);
  });
});
