import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TimestampWriter } from './timestamp.js';

describe('a timestamp', () => {
  it('is the moment as ISO 8601, whatever was written before', () => {
    const moment = fc.date({ noInvalidDate: true }).map((date) => date.getTime());
    const moments = fc.array(fc.oneof(moment, fc.constantFrom(0, 1)));
    fc.assert(
      fc.property(moments, (list) => {
        const writer = new TimestampWriter();
        expect(list.map((at) => writer.write(at))).toEqual(list.map((at) => new Date(at).toISOString()));
      }),
    );
  });

  it('is the same text within a millisecond', () => {
    const writer = new TimestampWriter();
    expect([writer.write(5), writer.write(5)]).toEqual(['1970-01-01T00:00:00.005Z', '1970-01-01T00:00:00.005Z']);
  });

  it('of a moment that is none is refused every time', () => {
    const writer = new TimestampWriter();
    expect(() => writer.write(NaN)).toThrow(RangeError);
    expect(() => writer.write(NaN)).toThrow(RangeError);
  });
});
