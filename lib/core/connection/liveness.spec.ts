import { describe, expect, it } from 'vitest';
import { Liveness, type LivenessAction } from './liveness.js';

const LIMITS = { intervalTicks: 5, timeoutTicks: 2 };

/** Returns the actions of consecutive ticks. */
function ticks(liveness: Liveness, count: number, { limits = LIMITS, spread = 1 } = {}): LivenessAction[] {
  return Array.from({ length: count }, () => liveness.tick(limits, spread));
}

describe('a peer', () => {
  it('is pinged once in an interval while it answers', () => {
    const liveness = new Liveness();
    const actions = Array.from({ length: 20 }, () => {
      const action = liveness.tick(LIMITS, 1);
      liveness.heard();
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
  ])('that comes at %d of an interval is first pinged at tick %i', (spread, tick) => {
    expect(ticks(new Liveness(), 5, { spread }).indexOf('ping') + 1).toBe(tick);
  });

  it('is dead when it has not answered for as many ticks as it may take', () => {
    expect(ticks(new Liveness(), 8)).toEqual(['none', 'none', 'none', 'none', 'ping', 'none', 'none', 'dead']);
  });

  it('lives when it answers at the last moment', () => {
    const liveness = new Liveness();
    ticks(liveness, 7);
    liveness.heard();
    expect(ticks(liveness, 3)).toEqual(['none', 'none', 'ping']);
  });

  it('lives when it says anything at all, asked or not', () => {
    const liveness = new Liveness();
    liveness.heard();
    ticks(liveness, 6);
    liveness.heard();
    expect(ticks(liveness, 3)).not.toContain('dead');
  });

  it('gets no more time by being pinged again meanwhile', () => {
    const limits = { intervalTicks: 1, timeoutTicks: 3 };
    expect(ticks(new Liveness(), 5, { limits })).toEqual(['ping', 'ping', 'ping', 'ping', 'dead']);
  });

  it('that answered is given the whole time again', () => {
    const liveness = new Liveness();
    ticks(liveness, 6);
    liveness.heard();
    expect(ticks(liveness, 7)).toEqual(['none', 'none', 'none', 'ping', 'none', 'none', 'dead']);
  });

  it('whose time does not end is never dead', () => {
    expect(ticks(new Liveness(), 1_000, { limits: { intervalTicks: 5, timeoutTicks: Infinity } })).not.toContain(
      'dead',
    );
  });

  it('is not dead while it is not listened to', () => {
    const liveness = new Liveness();
    const actions = Array.from({ length: 21 }, (_, i) => liveness.tick(LIMITS, 1, i === 20));
    expect(new Set(actions)).toEqual(new Set(['none', 'ping']));
  });

  it('is stuck when it has not been listened to for ten timeouts', () => {
    const liveness = new Liveness();
    const actions = Array.from({ length: 21 }, () => liveness.tick(LIMITS, 1, false));
    expect([actions.indexOf('stuck'), actions[20]]).toEqual([20, 'stuck']);
  });

  it('has ten timeouts again once it was listened to', () => {
    const liveness = new Liveness();
    const actions = Array.from({ length: 40 }, (_, i) => liveness.tick(LIMITS, 1, i === 20));
    expect(actions).not.toContain('stuck');
  });
});

describe('a ping that is answered with a command', () => {
  it('may be answered once', () => {
    const liveness = new Liveness();
    liveness.awaitAnswer();
    expect([liveness.answered(), liveness.answered()]).toEqual([true, false]);
  });

  it('must have been sent', () => {
    expect(new Liveness().answered()).toBe(false);
  });
});
