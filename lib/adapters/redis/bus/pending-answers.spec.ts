import { beforeEach, describe, expect, it, vi } from 'vitest';
import { isAnsweredByAll } from '../../../core/routing/delivery-tally.js';
import { PendingAnswers, ROLL_CALL_TIMEOUT_MS, type Pending } from './pending-answers.js';
import { TICK_MS } from '../connection/redis-connection.js';

const callRoll = vi.fn();
let answers: PendingAnswers;
let settled: Pending[];

const settle = (pending: Pending) => void settled.push(pending);
const pass = (ms: number) => {
  for (let i = 0; i < ms / TICK_MS; i++) answers.tick();
};

beforeEach(() => {
  callRoll.mockClear();
  answers = new PendingAnswers(callRoll);
  settled = [];
});

describe('what was published', () => {
  it('is settled when all whom it reached have answered', () => {
    answers.open(1, settle);
    answers.expect(1, 2);
    answers.answer(1, 3);
    expect(settled).toEqual([]);
    answers.answer(1, 0);
    expect(settled).toMatchObject([{ recipients: 3, nodes: 1, answered: 2, reached: 2 }]);
  });

  it('may be answered before Redis says whom it reached', () => {
    answers.open(1, settle);
    answers.answer(1, 3);
    answers.expect(1, 1);
    expect(settled.map(isAnsweredByAll)).toEqual([true]);
  });

  it('is settled at once when it reached nobody', () => {
    answers.open(1, settle);
    answers.expect(1, 0);
    expect(settled).toHaveLength(1);
  });

  it('is settled after a second, answered or not', () => {
    answers.open(1, settle);
    answers.expect(1, 1);
    pass(950);
    expect(settled).toEqual([]);
    pass(TICK_MS);
    expect(settled.map(isAnsweredByAll)).toEqual([false]);
  });

  it('is not given up while Redis has not said whom it reached: that has a time limit of its own', () => {
    answers.open(1, settle);
    pass(3_000);
    expect(settled).toEqual([]);
  });

  it('waits for another check if the first one had said that every node can be reached before it was published', () => {
    answers.open(1, settle, { isChecked: true });
    answers.covered(1, true);
    expect(answers.checkedAgain(1)).toBeDefined();
    answers.expect(1, 0);
    expect(settled).toEqual([]);
    answers.covered(1, false);
    expect(settled.map(isAnsweredByAll)).toEqual([false]);
  });

  it.each([
    [true, true, true],
    [false, true, false],
    [true, false, false],
  ])('waits for both checks if the first one is still under way: %s and %s', (first, second, isWhole) => {
    answers.open(1, settle, { isChecked: true });
    expect(answers.checkedAgain(1)).toBeDefined();
    answers.expect(1, 0);
    answers.covered(1, first);
    expect(settled).toEqual([]);
    answers.covered(1, second);
    expect(settled.map(isAnsweredByAll)).toEqual([isWhole]);
  });

  it('needs no other check if the first one says no, or is not made', () => {
    answers.open(1, settle, { isChecked: true });
    answers.covered(1, false);
    expect(answers.checkedAgain(1)).toBeUndefined();
    answers.open(2, settle);
    expect([answers.checkedAgain(2), answers.checkedAgain(3)]).toEqual([undefined, undefined]);
  });

  it('is settled once', () => {
    answers.open(1, settle);
    answers.fail(1);
    answers.fail(1);
    answers.answer(1, 1);
    expect(settled).toHaveLength(1);
  });
});

describe('a node that is silent', () => {
  const silence = (count: number) => {
    answers.open(1, settle);
    answers.expect(1, count);
    pass(250);
    answers.rollCalled(1);
    settled = [];
  };

  it('has the roll called, once', () => {
    answers.open(1, settle);
    answers.expect(1, 1);
    pass(200);
    expect(callRoll).not.toHaveBeenCalled();
    pass(500);
    expect(callRoll).toHaveBeenCalledOnce();
  });

  it('is not waited for once it is known to be silent', () => {
    silence(1);
    answers.open(2, settle);
    answers.expect(2, 2);
    answers.answer(2, 1);
    pass(2 * TICK_MS);
    expect(settled.map(({ sequence }) => sequence)).toContain(2);
  });

  it('keeps nobody else from being waited for', () => {
    silence(1);
    answers.open(2, settle);
    answers.expect(2, 3);
    answers.answer(2, 1);
    pass(500);
    expect(settled.map(({ sequence }) => sequence)).not.toContain(2);
  });

  it('has the roll called again when it is heard', () => {
    silence(1);
    callRoll.mockClear();
    answers.answer(99, 0);
    expect(callRoll).toHaveBeenCalledOnce();
  });

  it('has the roll called again every five seconds', () => {
    silence(1);
    callRoll.mockClear();
    pass(5_000);
    expect(callRoll).toHaveBeenCalledOnce();
  });

  it('is waited for again when the next roll call finds nobody silent', () => {
    silence(1);
    answers.rollCalled(0);
    answers.open(2, settle);
    answers.expect(2, 1);
    pass(500);
    expect(settled.map(({ sequence }) => sequence)).not.toContain(2);
  });

  it('does not have the roll called for the sake of a roll call', () => {
    answers.open(1, settle, { timeoutMs: ROLL_CALL_TIMEOUT_MS });
    answers.expect(1, 1);
    pass(700);
    expect(callRoll).not.toHaveBeenCalled();
  });
});

it('what is under way is settled when the bus closes', () => {
  answers.open(1, settle);
  answers.open(2, settle);
  answers.close();
  expect(settled.map(({ sequence }) => sequence)).toEqual([1, 2]);
});
