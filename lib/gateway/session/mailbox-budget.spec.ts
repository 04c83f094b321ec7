import { beforeEach, describe, expect, it } from 'vitest';
import { MailboxBudget, type Waiting } from './mailbox-budget.js';

let budget: MailboxBudget;

/** A connection of which the test says how much waits. */
class FakeConnection implements Waiting {
  waitingBytes = 0;
  hasWaitingCommands = false;
  isRead = true;
  isGivenUp = false;

  giveUp(): void {
    this.isGivenUp = true;
    this.waitingBytes = 0;
    budget.forget(this);
  }

  pauseReading(): void {
    this.isRead = false;
  }

  resumeReading(): void {
    this.isRead = true;
  }

  wait(bytes: number, hasWaitingCommands = bytes > 0): this {
    this.waitingBytes = bytes;
    this.hasWaitingCommands = hasWaitingCommands;
    budget.update(this);
    return this;
  }
}

const connection = () => new FakeConnection();

beforeEach(() => {
  budget = new MailboxBudget(100);
});

describe('the bytes that wait to be handled', () => {
  it('stop nobody while there is room', () => {
    const all = [connection().wait(40), connection().wait(35)];
    expect([budget.total, all.map(({ isRead }) => isRead)]).toEqual([75, [true, true]]);
  });

  it('near the bound keep a connection from being read that adds to them', () => {
    const before = connection().wait(60);
    const next = connection().wait(16);
    expect([before.isRead, next.isRead, next.isGivenUp]).toEqual([true, false, false]);
  });

  it('let a connection be read again for which nothing waits any more, although the others still have much', () => {
    connection().wait(75);
    const small = connection().wait(1);
    const during = small.isRead;
    small.wait(0);
    expect([during, small.isRead]).toEqual([false, true]);
  });

  it('let a connection go on of which only undecoded frames wait, since nothing else would ever decode them', () => {
    const others = Array.from({ length: 2 }, () => connection().wait(38));
    const during = others.map(({ isRead }) => isRead);
    for (const each of others) each.wait(30, false);
    expect([during, others.map(({ isRead }) => isRead), budget.total]).toEqual([[true, false], [true, true], 60]);
  });

  it('let everybody be read again at half of the bound', () => {
    const large = connection().wait(60);
    const others = [connection().wait(16), connection().wait(17)];
    const during = others.map(({ isRead }) => isRead);
    large.wait(10);
    expect([during, others.map(({ isRead }) => isRead)]).toEqual([
      [false, false],
      [true, true],
    ]);
  });

  it('above the bound cost the connection with the most', () => {
    const [most, less] = [connection().wait(70), connection().wait(31)];
    expect([most.isGivenUp, less.isGivenUp, budget.total]).toEqual([true, false, 31]);
  });

  it('above the bound may cost the connection that has just added to them', () => {
    const less = connection().wait(20);
    const most = connection().wait(90);
    expect([less.isGivenUp, most.isGivenUp, less.isRead]).toEqual([false, true, true]);
  });

  it('leave nothing behind of a connection that is gone', () => {
    const gone = connection().wait(80);
    budget.forget(gone);
    connection().wait(10);
    expect([budget.total, gone.isRead]).toEqual([10, false]);
  });

  it('stop nobody without a bound', () => {
    budget = new MailboxBudget(Infinity);
    expect(connection().wait(Number.MAX_SAFE_INTEGER).isRead).toBe(true);
  });
});
