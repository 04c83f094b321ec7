import { describe, expect, it } from 'vitest';
import { describeProblems } from './problem.js';

describe('describeProblems', () => {
  it('joins what is wrong into one line', () => {
    const problems = [
      { at: 'type', message: 'must be a non-empty string' },
      { at: 'roles[2]', message: 'is missing' },
    ];
    expect(describeProblems(problems)).toBe('type must be a non-empty string; roles[2] is missing');
  });

  it('has nothing to say about nothing', () => {
    expect(describeProblems([])).toBe('');
  });
});
