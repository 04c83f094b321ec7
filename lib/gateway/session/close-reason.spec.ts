import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_REASON_BYTES } from '../../core/protocol/close-code.js';
import { asReason } from './close-reason.js';

describe('a text as the reason of a close frame', () => {
  it('stays as it is when there is room for it', () => {
    expect(asReason('x'.repeat(123))).toBe('x'.repeat(123));
  });

  it.each(['', ' ', '\n\t'])('is left out when there is none: %j', (text) => {
    expect(asReason(text)).toBeUndefined();
  });

  it.each(['429', 'true', '{"reconnect":false}', ' null '])(
    'is left out when a client could read it as JSON: %s',
    (text) => {
      expect(asReason(text)).toBeUndefined();
    },
  );

  it('is cut where there is no room, and says so', () => {
    expect(asReason('x'.repeat(124))).toBe(`${'x'.repeat(120)}…`);
  });

  it('always fits, and is never cut inside a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 60, maxLength: 200 }), (text) => {
        const reason = asReason(text) ?? '';
        const kept = reason.endsWith('…') && reason !== text ? reason.slice(0, -1) : reason;
        expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(MAX_REASON_BYTES);
        expect(text.includes(kept)).toBe(true);
      }),
    );
  });
});
