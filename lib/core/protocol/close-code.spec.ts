import { describe, expect, it } from 'vitest';
import { CLOSE_CODES, isFinalClose, isForAbuse, isProse, MAX_REASON_BYTES, type CloseCodeName } from './close-code.js';

const entries = Object.entries(CLOSE_CODES);

describe('CLOSE_CODES', () => {
  it.each(entries)('%s lies in the range that says what its flag says', (_, { code, reconnect }) => {
    const [from, to] = reconnect ? [3000, 3499] : [3500, 3999];
    expect(code).toBeGreaterThanOrEqual(from);
    expect(code).toBeLessThanOrEqual(to);
  });

  it.each(entries)('%s is final for those who are not to come back', (_, { code, reconnect }) => {
    expect(isFinalClose(code)).toBe(!reconnect);
  });

  it.each(entries)('%s has a reason in prose', (_, { reason }) => {
    expect(reason).toMatch(/^[a-z]+( [a-z,]+)+$/);
  });

  it.each(entries)('%s has a reason that fits into a close frame', (_, { reason }) => {
    expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(MAX_REASON_BYTES);
  });

  it('uses no code twice', () => {
    const codes = entries.map(([, { code }]) => code);
    expect(new Set(codes).size).toBe(codes.length);
  });
});

describe('a close for abuse', () => {
  it('is one because of what the client has sent', () => {
    const names = entries.map(([name]) => name as CloseCodeName);
    expect(names.filter(isForAbuse)).toEqual(['TOO_MANY_REQUESTS', 'BAD_REQUEST', 'TOO_MANY_ERRORS']);
  });
});

describe('prose', () => {
  it.each(entries)('is the reason of %s', (_, { reason }) => {
    expect(isProse(reason)).toBe(true);
  });

  it.each(['', ' ', '429', 'true', 'null', '"closed"', '{"reconnect":false}', '[]'])('is not %j', (text) => {
    expect(isProse(text)).toBe(false);
  });
});

describe('MAX_REASON_BYTES', () => {
  it('is what a control frame of 125 bytes leaves beside the two of the code', () => {
    expect(MAX_REASON_BYTES).toBe(125 - 2);
  });
});
