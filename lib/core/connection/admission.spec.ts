import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AdmissionControl, type AdmissionLimits, type Guest } from './admission.js';

const NO_LIMITS: AdmissionLimits = {
  maxConnections: Infinity,
  acceptsPerSecond: Infinity,
  maxConnectionsPerUser: Infinity,
  maxUnauthenticated: Infinity,
  maxUnauthenticatedPerIp: Infinity,
  refusedPerSecondPerIp: Infinity,
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
    admission.settle('a', 'refused', 0);
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
    admission.settle('a', 'refused', 0);
    expect(['a', 'a'].map((address) => admission.arrive(address, 0, 0))).toEqual([ADMITTED, TOO_MANY_HERE]);
  });

  it('make no room for another address', () => {
    const admission = control({ maxUnauthenticatedPerIp: 1 });
    for (const address of ['a', 'b']) admission.arrive(address, 0, 0);
    admission.settle('a', 'refused', 0);
    expect(admission.arrive('b', 0, 0)).toEqual(TOO_MANY_HERE);
  });
});

describe('a node that takes in two a second', () => {
  const enter = (admission: AdmissionControl, now: number) => {
    const arrived = admission.arrive('a', 0, now);
    return arrived.admitted ? admission.settle('a', 'verified', now) : arrived;
  };

  it('says to those whose tokens hold when to come again', () => {
    const admission = control({ acceptsPerSecond: 2 });
    const verdicts = [0, 0, 0].map((now) => enter(admission, now));
    expect(verdicts).toEqual([ADMITTED, ADMITTED, { admitted: false, refusal: 'too-fast', retryAfterMs: 500 }]);
  });

  it('admits those who come then', () => {
    const admission = control({ acceptsPerSecond: 2 });
    for (let n = 0; n < 3; n++) enter(admission, 0);
    expect(enter(admission, 500)).toEqual(ADMITTED);
  });

  it('says so to those who are verified side by side, too', () => {
    const admission = control({ acceptsPerSecond: 2 });
    for (let n = 0; n < 3; n++) admission.arrive('a', 0, 0);
    const verdicts = [0, 0, 0].map((now) => admission.settle('a', 'verified', now));
    expect(verdicts).toEqual([ADMITTED, ADMITTED, { admitted: false, refusal: 'too-fast', retryAfterMs: 500 }]);
  });

  it('is not emptied by one user, who is told when to come again', () => {
    const admission = control({ acceptsPerSecond: 10, maxConnectionsPerUser: 2 });
    const enterAs = (userId: string, now: number) => {
      admission.arrive('a', 0, now);
      return admission.settle('a', 'verified', now, 'token', userId);
    };
    const verdicts = Array.from({ length: 100 }, () => enterAs('bad', 0));
    expect(verdicts.filter(({ admitted }) => admitted).length).toBe(4);
    expect(verdicts.at(-1)).toEqual({ admitted: false, refusal: 'too-often', retryAfterMs: 2_500 });
    expect([enterAs('good', 0), enterAs('bad', 2_500)]).toEqual([ADMITTED, ADMITTED]);
  });

  it.each(['refused', 'unknown'] as const)('does not count those who are %s', (outcome) => {
    const admission = control({ acceptsPerSecond: 2 });
    for (let n = 0; n < 100; n++) {
      expect(admission.arrive('a', 0, 0)).toEqual(ADMITTED);
      expect(admission.settle('a', outcome, 0)).toEqual(ADMITTED);
      admission.turnAway('a', 0);
    }
    expect(enter(admission, 0)).toEqual(ADMITTED);
  });
});

describe('an address that is refused one a second', () => {
  const limits = { refusedPerSecondPerIp: 1 };
  const TOO_MANY_REFUSED = { admitted: false, refusal: 'too-many-refused', retryAfterMs: 1_000 };

  function exhausted(guest: Guest): AdmissionControl {
    const admission = control(limits);
    for (let n = 0; n < 5; n++) {
      admission.arrive('a', 0, 0, guest);
      admission.settle('a', 'refused', 0, guest);
    }
    return admission;
  }

  it.each(['token', 'anonymous'] as const)(
    'is turned away after five that were %s, until it is told to come',
    (guest) => {
      const admission = exhausted(guest);
      expect(admission.arrive('a', 0, 0, guest)).toEqual(TOO_MANY_REFUSED);
      expect(admission.arrive('a', 0, 1_000, guest)).toEqual(ADMITTED);
    },
  );

  it.each<[string, Guest, Guest]>([
    ['a', 'anonymous', 'token'],
    ['a', 'token', 'anonymous'],
    ['b', 'token', 'token'],
  ])('leaves others alone: %s, %s → %s', (address, guest, other) => {
    expect(exhausted(guest).arrive(address, 0, 0, other)).toEqual(ADMITTED);
  });

  it.each(['verified', 'unknown'] as const)('is not turned away for those that were %s', (outcome) => {
    const admission = control(limits);
    for (let n = 0; n < 20; n++) {
      expect(admission.arrive('a', 0, 0)).toEqual(ADMITTED);
      admission.settle('a', outcome, 0);
    }
  });

  it('is told why five times, then only when to come again, and tokens are taken all the same', () => {
    const admission = control(limits);
    expect([1, 2, 3, 4, 5, 6].map(() => admission.turnAway('a', 0))).toEqual([0, 0, 0, 0, 0, 1_000]);
    expect(admission.arrive('a', 0, 0)).toEqual(ADMITTED);
  });

  it('has no more tokens looked at than its rate allows, however it times them', () => {
    const step = fc.record({ pauseMs: fc.nat(2_000), atOnce: fc.integer({ min: 1, max: 4 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const admission = control({ refusedPerSecondPerIp: 2, acceptsPerSecond: 1 });
        let now = 0;
        let looked = 0;
        for (const { pauseMs, atOnce } of steps) {
          now += pauseMs;
          const arrived = Array.from({ length: atOnce }, () => admission.arrive('bad', 0, now).admitted);
          const admitted = arrived.filter(Boolean).length;
          for (let n = 0; n < admitted; n++) admission.settle('bad', 'refused', now);
          looked += admitted;
          expect(looked).toBeLessThanOrEqual(10 + (now * 2) / 1_000);
        }
        // Another client is admitted, whatever this one did.
        expect(admission.arrive('good', 0, now)).toEqual(ADMITTED);
        expect(admission.settle('good', 'verified', now)).toEqual(ADMITTED);
      }),
    );
  });
});

it('never holds more than may wait, and nobody once all are settled', () => {
  const address = fc.constantFrom('a', 'b', 'c');
  const step = fc.record({ type: fc.constantFrom('arrive', 'settle'), address });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const admission = control({ maxUnauthenticated: 5, maxUnauthenticatedPerIp: 3 });
      const waiting: string[] = [];
      for (const { type, address: from } of steps) {
        if (type === 'arrive' && admission.arrive(from, 0, 0).admitted) waiting.push(from);
        if (type === 'settle' && waiting.includes(from)) {
          waiting.splice(waiting.indexOf(from), 1);
          admission.settle(from, 'refused', 0);
        }
        expect(admission.waiting).toBe(waiting.length);
        expect(waiting.length).toBeLessThanOrEqual(5);
        expect(waiting.filter((each) => each === from).length).toBeLessThanOrEqual(3);
      }
      for (const from of waiting) admission.settle(from, 'refused', 0);
      expect(admission.waiting).toBe(0);
    }),
  );
});
