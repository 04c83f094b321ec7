import { describe, expect, it } from 'vitest';
import { parseOptions } from './options.js';
import { suitesOf } from './suites.js';

const names = (...args: string[]) => suitesOf(parseOptions(args)).map(({ name }) => name);

describe('what is measured', () => {
  it('has what is over Redis in a whole run, and not in one that must be quick', () => {
    expect(names()).toEqual(['comparison', 'cluster']);
    expect(names('--quick')).toEqual(['comparison']);
    expect(names('--growth')).toEqual(['growth', 'cluster-growth']);
  });

  it('is over Redis alone when that is asked for', () => {
    expect(names('--cluster')).toEqual(['cluster']);
    expect(names('--cluster', '--quick')).toEqual(['cluster']);
    expect(names('--cluster', '--growth')).toEqual(['cluster-growth']);
  });

  it('is what features cost when that is asked for', () => {
    expect(names('--features')).toEqual(['features']);
  });

  it('is no more than was chosen', () => {
    const [suite, ...others] = suitesOf(parseOptions(['--only', 'ws-loop', '--workloads', 'ask']));
    expect(others).toEqual([]);
    expect(suite!.rows.map(({ name }) => name)).toEqual(['ws-loop']);
    expect(suite!.workloads({ warmUpMs: 1, durationMs: 1 }).map(({ name }) => name)).toEqual(['ask']);
  });

  it('is refused when nothing has that name', () => {
    expect(() => suitesOf(parseOptions(['--cluster', '--only', 'ws-loop']))).toThrow('"ws-loop"');
    expect(() => suitesOf(parseOptions(['--workloads', 'lunch']))).toThrow('"lunch"');
  });
});
