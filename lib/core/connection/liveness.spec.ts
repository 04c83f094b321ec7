import { describe, expect, it } from 'vitest';
import { Liveness, type PulseAction } from './liveness.js';

const LIMITS = { intervalTicks: 5, timeoutTicks: 2 };

/** What happens at so many beats in a row. */
function beats(pulse: Liveness, count: number, { limits = LIMITS, spread = 1 } = {}): PulseAction[] {
  return Array.from({ length: count }, () => pulse.beat(limits, spread));
}

describe('a peer', () => {
  it('is pinged once in an interval while it answers', () => {
    const pulse = new Liveness();
    const actions = Array.from({ length: 20 }, () => {
      const action = pulse.beat(LIMITS, 1);
      pulse.heard();
      return action;
    });
    expect(actions.flatMap((action, at) => (action === 'ping' ? [at + 1] : []))).toEqual([5, 10, 15, 20]);
  });

  it.each([
    [0, 1],
    [0.2, 1],
    [0.21, 2],
    [0.5, 3],
    [1, 5],
  ])('that comes at %d of an interval is first pinged at beat %i', (spread, beat) => {
    expect(beats(new Liveness(), 5, { spread }).indexOf('ping') + 1).toBe(beat);
  });

  it('is dead when it has not answered for as many beats as it may take', () => {
    expect(beats(new Liveness(), 8)).toEqual(['none', 'none', 'none', 'none', 'ping', 'none', 'none', 'dead']);
  });

  it('lives when it answers at the last moment', () => {
    const pulse = new Liveness();
    beats(pulse, 7);
    pulse.heard();
    expect(beats(pulse, 3)).toEqual(['none', 'none', 'ping']);
  });

  it('lives when it says anything at all, asked or not', () => {
    const pulse = new Liveness();
    pulse.heard();
    beats(pulse, 6);
    pulse.heard();
    expect(beats(pulse, 3)).not.toContain('dead');
  });

  it('gets no more time by being pinged again meanwhile', () => {
    const limits = { intervalTicks: 1, timeoutTicks: 3 };
    expect(beats(new Liveness(), 5, { limits })).toEqual(['ping', 'ping', 'ping', 'ping', 'dead']);
  });

  it('that answered is given the whole time again', () => {
    const pulse = new Liveness();
    beats(pulse, 6);
    pulse.heard();
    expect(beats(pulse, 7)).toEqual(['none', 'none', 'none', 'ping', 'none', 'none', 'dead']);
  });

  it('whose time does not end is never dead', () => {
    expect(beats(new Liveness(), 1_000, { limits: { intervalTicks: 5, timeoutTicks: Infinity } })).not.toContain(
      'dead',
    );
  });

  it('is not dead while it is not listened to', () => {
    const pulse = new Liveness();
    const actions = Array.from({ length: 21 }, (_, i) => pulse.beat(LIMITS, 1, i === 20));
    expect(new Set(actions)).toEqual(new Set(['none', 'ping']));
  });

  it('is stuck when it has not been listened to for ten timeouts', () => {
    const pulse = new Liveness();
    const actions = Array.from({ length: 21 }, () => pulse.beat(LIMITS, 1, false));
    expect([actions.indexOf('stuck'), actions[20]]).toEqual([20, 'stuck']);
  });

  it('has ten timeouts again once it was listened to', () => {
    const pulse = new Liveness();
    const actions = Array.from({ length: 40 }, (_, i) => pulse.beat(LIMITS, 1, i === 20));
    expect(actions).not.toContain('stuck');
  });
});
