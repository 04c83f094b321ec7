import { describe, expect, it } from 'vitest';
import { Recovery } from './recovery.js';

const FROM = { epoch: 'k3XaQ', offset: 41 };

const confirmed = (traits: object = {}) =>
  JSON.stringify({
    type: 'realtime:subscribed',
    id: 1,
    payload: { topic: 'room:0', ...FROM, recovered: true, ...traits },
  });

const message = (offset: number, seq = offset - 42) =>
  JSON.stringify({ type: 'tick', topic: 'room:0', offset, payload: { seq, ts: 1_000_000_000_000_000, text: 'x' } });

describe('a client that comes back', () => {
  it('has everything once it was told so and has all that it has missed', () => {
    const recovery = new Recovery(FROM, 2);
    for (const text of [confirmed(), message(42), message(43)]) {
      expect(recovery.isComplete).toBe(false);
      expect(recovery.take(text)).toBe(true);
    }
    expect(recovery.isComplete).toBe(true);
  });

  it('has everything with the confirmation when nothing was missed', () => {
    const recovery = new Recovery(FROM, 0);
    recovery.take(confirmed());
    expect(recovery.isComplete).toBe(true);
  });

  it('does not care for a heartbeat', () => {
    expect(new Recovery(FROM, 1).take('{"type":"realtime:ping"}')).toBe(false);
  });

  it.each([
    ['leaves one out', [message(42), message(44)], 'The publication 44, message 2, came where 43, message 1, was due.'],
    ['repeats one', [message(42), message(42)], 'The publication 42, message 0, came where 43, message 1, was due.'],
    ['changes the order', [message(43)], 'The publication 43, message 1, came where 42, message 0, was due.'],
    ['sends another message', [message(42, 7)], 'The publication 42, message 7, came where 42, message 0, was due.'],
    ['sends more than was missed', [42, 43, 44, 45].map((at) => message(at)), 'came where nothing was due'],
  ])('complains about a server that %s', (_what, messages, complaint) => {
    const recovery = new Recovery(FROM, 3);
    recovery.take(confirmed());
    expect(() => messages.forEach((text) => recovery.take(text))).toThrow(complaint);
  });

  it.each([
    ['is told that nothing was recovered', confirmed({ recovered: false, offset: 99 })],
    ['is told another epoch', confirmed({ epoch: 'other' })],
    ['is told another place', confirmed({ offset: 40 })],
    ['is refused', '{"type":"realtime:error","payload":{"code":"UNAVAILABLE"}}'],
    ['gets a message before it is told anything', message(42)],
  ])('complains when it %s', (_what, text) => {
    expect(() => new Recovery(FROM, 3).take(text)).toThrow();
  });
});
