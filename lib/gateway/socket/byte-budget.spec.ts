import { beforeEach, describe, expect, it } from 'vitest';
import { ByteBudget, type Backlogged } from './byte-budget.js';

/** A socket of which the test says how much waits. */
class FakeSocket implements Backlogged {
  waitingBytes = 0;
  isGivenUp = false;

  constructor(private readonly budget: ByteBudget) {}

  giveUp(): void {
    this.isGivenUp = true;
    this.waitingBytes = 0;
  }

  wait(bytes: number): this {
    this.waitingBytes = bytes;
    this.budget.update(this);
    return this;
  }
}

let budget: ByteBudget;
beforeEach(() => {
  budget = new ByteBudget(100);
});

const socket = () => new FakeSocket(budget);

describe('the budget', () => {
  it('makes some room at once when it is exceeded', () => {
    const all = Array.from({ length: 25 }, () => socket().wait(4));
    socket().wait(1);
    expect([budget.total <= 90, all.filter(({ isGivenUp }) => isGivenUp).length]).toEqual([true, 3]);
  });

  it('knows how much waits in all', () => {
    socket().wait(30);
    socket().wait(20);
    expect(budget.total).toBe(50);
  });

  it('counts a socket as it is, not as it was', () => {
    const one = socket().wait(30);
    one.wait(10);
    expect(budget.total).toBe(10);
  });

  it('forgets a socket that is gone', () => {
    const one = socket().wait(30);
    budget.forget(one);
    expect(budget.total).toBe(0);
  });

  it('may be told twice that a socket is gone', () => {
    const one = socket().wait(30);
    budget.forget(one);
    budget.forget(one);
    expect(budget.total).toBe(0);
  });

  it('is kept to the last byte', () => {
    const [one, two] = [socket().wait(60), socket().wait(40)];
    expect([one.isGivenUp, two.isGivenUp]).toEqual([false, false]);
  });

  it('when exceeded costs the socket that is furthest behind, whoever came last', () => {
    const [far, near] = [socket().wait(60), socket().wait(41)];
    expect([far.isGivenUp, near.isGivenUp, budget.total]).toEqual([true, false, 41]);
  });

  it('when exceeded by far costs as many as it takes', () => {
    const others = [socket().wait(40), socket().wait(30), socket().wait(20)];
    const huge = socket().wait(1_000);
    expect([huge.isGivenUp, ...others.map(({ isGivenUp }) => isGivenUp)]).toEqual([true, false, false, false]);
  });

  it('spares a socket that has caught up unnoticed', () => {
    const caughtUp = socket().wait(60);
    caughtUp.waitingBytes = 0;
    socket().wait(41);
    expect([caughtUp.isGivenUp, budget.total]).toEqual([false, 41]);
  });

  it('without a bound costs nobody', () => {
    budget = new ByteBudget(Infinity);
    expect(socket().wait(Number.MAX_SAFE_INTEGER).isGivenUp).toBe(false);
  });
});
