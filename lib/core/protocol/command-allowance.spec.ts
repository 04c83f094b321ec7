import { describe, expect, it } from 'vitest';
import { CommandAllowance, commandRateOf, opensTopics, type CommandRate } from './command-allowance.js';

const RATE: CommandRate = { perSecond: 20, burst: 3, opening: 2 };

function takeAll(allowance: CommandAllowance, now: number, count: number, opens = false): number[] {
  return Array.from({ length: count }, () => allowance.take(now, opens));
}

describe('the allowance of a connection', () => {
  it('lets a burst of commands pass, and says how long the next has to wait', () => {
    expect(takeAll(new CommandAllowance(RATE, 0), 0, 4)).toEqual([0, 0, 0, 50]);
  });

  it('lets the commands that open topics pass on top of the burst', () => {
    const allowance = new CommandAllowance(RATE, 0);
    expect([takeAll(allowance, 0, 2, true), takeAll(allowance, 0, 4)]).toEqual([
      [0, 0],
      [0, 0, 0, 50],
    ]);
  });

  it('lets them draw on the burst when the opening burst is used up', () => {
    expect(takeAll(new CommandAllowance(RATE, 0), 0, 6, true)).toEqual([0, 0, 0, 0, 0, 50]);
  });

  it('does not let other commands draw on the opening burst', () => {
    const allowance = new CommandAllowance(RATE, 0);
    takeAll(allowance, 0, 4);
    expect([allowance.take(0), allowance.take(0, true)]).toEqual([50, 0]);
  });

  it('lets a command that costs more pass with one token, and is owed the others', () => {
    const allowance = new CommandAllowance(RATE, 0);
    expect([allowance.take(0, false, 11), allowance.take(0), allowance.spent(0)]).toEqual([0, 450, 11]);
    expect([449, 450, 451].map((now) => allowance.take(now))).toEqual([1, 0, 49]);
  });

  it('lets a command that opens a topic draw on the opening burst with its first token alone', () => {
    const allowance = new CommandAllowance(RATE, 0);
    expect([allowance.take(0, true, 3), takeAll(allowance, 0, 2), allowance.spent(0)]).toEqual([0, [0, 50], 4]);
  });

  it('takes longer to fill for what it is owed', () => {
    const allowance = new CommandAllowance(RATE, 0);
    const before = allowance.fillMs;
    allowance.take(0, false, 11);
    expect([before, allowance.fillMs]).toEqual([250, 650]);
    expect(allowance.spent(650)).toBe(0);
  });

  it('refills the burst first, and then the opening burst', () => {
    const allowance = new CommandAllowance(RATE, 0);
    takeAll(allowance, 0, 5, true);
    expect([150, 200, 250, 1_000].map((now) => allowance.spent(now))).toEqual([2, 1, 0, 0]);
    expect(takeAll(allowance, 1_000, 4)).toEqual([0, 0, 0, 50]);
  });

  it('lets a command pass that comes after the time it was told, and none a millisecond before', () => {
    const allowance = new CommandAllowance(RATE, 0);
    takeAll(allowance, 0, 3);
    expect([allowance.take(49), allowance.take(50), allowance.take(50)]).toEqual([1, 0, 50]);
  });

  it('is not emptied by a clock that goes back', () => {
    expect(takeAll(new CommandAllowance(RATE, 1_000), 0, 3)).toEqual([0, 0, 0]);
  });

  it.each([{ perSecond: Infinity }, { burst: Infinity }])('has no end without a limit: %j', (limit) => {
    const allowance = new CommandAllowance({ ...RATE, ...limit }, 0);
    expect(new Set(takeAll(allowance, 0, 1_000))).toEqual(new Set([0]));
  });
});

describe('the rate of a connection', () => {
  it('lets it subscribe to all of its topics and read the presence and the history of each at once', () => {
    const rate = commandRateOf({ commandsPerSecond: 20, commandBurst: 100, maxTopicsPerConnection: 128 });
    const allowance = new CommandAllowance(rate, 0);
    expect(takeAll(allowance, 0, 3 * 128 + 100, true).every((waitMs) => waitMs === 0)).toBe(true);
  });

  it('is bounded where the number of topics is not', () => {
    const limits = { commandsPerSecond: 20, commandBurst: 100, maxTopicsPerConnection: Infinity };
    expect(commandRateOf(limits).opening).toBe(3 * 4_096);
  });

  it.each([
    ['subscribe', true],
    ['presence', true],
    ['history', true],
    ['message', false],
    ['unsubscribe', false],
    ['auth', false],
    ['ping', false],
  ])('counts %s as opening: %s', (action, opens) => {
    expect(opensTopics(action)).toBe(opens);
  });
});
