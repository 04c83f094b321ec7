import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AdmissionControl, type AdmissionLimits } from './admission.js';

const NO_LIMITS: AdmissionLimits = {
  maxConnections: Infinity,
  acceptsPerSecond: Infinity,
  maxUnauthenticated: Infinity,
  maxUnauthenticatedPerIp: Infinity,
};

const control = (limits: Partial<AdmissionLimits> = {}) => new AdmissionControl({ ...NO_LIMITS, ...limits }, 0);
const ADMITTED = { admitted: true };

describe('who asks to connect', () => {
  it('is admitted, and waits from then on', () => {
    const admission = control();
    expect([admission.arrive('a', 0, 0), admission.waiting]).toEqual([ADMITTED, 1]);
  });

  it('waits no longer once that is settled', () => {
    const admission = control();
    admission.arrive('a', 0, 0);
    admission.settle('a');
    expect(admission.waiting).toBe(0);
  });

  it('is not counted when turned away', () => {
    const admission = control({ maxConnections: 0 });
    admission.arrive('a', 0, 0);
    expect(admission.waiting).toBe(0);
  });
});

describe('a node that is full', () => {
  const admission = control({ maxConnections: 2 });

  it.each([
    [1, ADMITTED],
    [2, { admitted: false, refusal: 'node-full', retryAfterMs: 5_000 }],
    [3, { admitted: false, refusal: 'node-full', retryAfterMs: 5_000 }],
  ])('with %i connections of 2', (connections, verdict) => {
    expect(admission.arrive('a', connections, 0)).toEqual(verdict);
  });
});

describe('those who wait to be authenticated', () => {
  const TOO_MANY = { admitted: false, refusal: 'too-many-unauthenticated', retryAfterMs: 5_000 };
  const TOO_MANY_HERE = { admitted: false, refusal: 'too-many-from-address', retryAfterMs: 5_000 };

  it('are as many as may be, from wherever', () => {
    const admission = control({ maxUnauthenticated: 2 });
    const verdicts = ['a', 'b', 'c'].map((address) => admission.arrive(address, 0, 0));
    expect(verdicts).toEqual([ADMITTED, ADMITTED, TOO_MANY]);
  });

  it('are as many from one address as may be, and others are admitted', () => {
    const admission = control({ maxUnauthenticatedPerIp: 2 });
    const verdicts = ['a', 'a', 'a', 'b'].map((address) => admission.arrive(address, 0, 0));
    expect(verdicts).toEqual([ADMITTED, ADMITTED, TOO_MANY_HERE, ADMITTED]);
  });

  it('make room for one of their address when one of them is settled', () => {
    const admission = control({ maxUnauthenticatedPerIp: 2 });
    for (const address of ['a', 'a']) admission.arrive(address, 0, 0);
    admission.settle('a');
    expect(['a', 'a'].map((address) => admission.arrive(address, 0, 0))).toEqual([ADMITTED, TOO_MANY_HERE]);
  });

  it('make no room for another address', () => {
    const admission = control({ maxUnauthenticatedPerIp: 1 });
    for (const address of ['a', 'b']) admission.arrive(address, 0, 0);
    admission.settle('a');
    expect(admission.arrive('b', 0, 0)).toEqual(TOO_MANY_HERE);
  });
});

describe('a node that is asked too often', () => {
  it('says when to come again', () => {
    const admission = control({ acceptsPerSecond: 2 });
    const verdicts = [0, 0, 0].map((now) => admission.arrive('a', 0, now));
    expect(verdicts).toEqual([ADMITTED, ADMITTED, { admitted: false, refusal: 'too-fast', retryAfterMs: 500 }]);
  });

  it('admits those who come then', () => {
    const admission = control({ acceptsPerSecond: 2 });
    for (let n = 0; n < 3; n++) admission.arrive('a', 0, 0);
    expect(admission.arrive('a', 0, 500)).toEqual(ADMITTED);
  });

  it('does not count those that it turns away for another reason', () => {
    const admission = control({ acceptsPerSecond: 1, maxUnauthenticatedPerIp: 0 });
    const refusals = [0, 0].map((now) => admission.arrive('a', 0, now));
    expect(refusals).toMatchObject([{ refusal: 'too-many-from-address' }, { refusal: 'too-many-from-address' }]);
  });
});

it('never holds more than may wait, and nobody once all are settled', () => {
  const address = fc.constantFrom('a', 'b', 'c');
  const step = fc.record({ type: fc.constantFrom('arrive', 'settle'), address });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const admission = control({ maxUnauthenticated: 5, maxUnauthenticatedPerIp: 3 });
      const waiting: string[] = [];
      for (const { type, address: from } of steps) {
        if (type === 'arrive' && admission.arrive(from, 0, 0).admitted) waiting.push(from);
        if (type === 'settle' && waiting.includes(from)) {
          waiting.splice(waiting.indexOf(from), 1);
          admission.settle(from);
        }
        expect(admission.waiting).toBe(waiting.length);
        expect(waiting.length).toBeLessThanOrEqual(5);
        expect(waiting.filter((each) => each === from).length).toBeLessThanOrEqual(3);
      }
      for (const from of waiting) admission.settle(from);
      expect(admission.waiting).toBe(0);
    }),
  );
});
