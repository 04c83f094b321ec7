import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Timestamps } from './timestamps.js';

describe('a timestamp', () => {
  it('is the time of the clock as ISO 8601, whatever it was before', () => {
    const moment = fc.date({ noInvalidDate: true }).map((date) => date.getTime());
    fc.assert(
      fc.property(fc.array(fc.oneof(moment, fc.constantFrom(0, 1))), (moments) => {
        let time = 0;
        const timestamps = new Timestamps({ now: () => time });
        const written = moments.map((at) => {
          time = at;
          return timestamps.now();
        });
        expect(written).toEqual(moments.map((at) => new Date(at).toISOString()));
      }),
    );
  });

  it('of a clock that tells no time is refused every time', () => {
    const timestamps = new Timestamps({ now: () => NaN });
    expect(() => timestamps.now()).toThrow(RangeError);
    expect(() => timestamps.now()).toThrow(RangeError);
  });
});
