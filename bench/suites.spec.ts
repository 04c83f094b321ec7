import { describe, expect, it } from 'vitest';
import { parseOptions } from './options.js';
import { suitesOf, withoutRedis, type Suite } from './suites.js';
import { QUICK } from './workloads.js';

const REDIS = 'nestjs-realtime-history-redis';

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

  it('is what metrics and traces cost when that is asked for', () => {
    expect(names('--operating')).toEqual(['operating']);
  });

  it('is what a bystander waits when that is asked for', () => {
    expect(names('--bystander')).toEqual(['bystander']);
  });

  it('is what streams cost when that is asked for', () => {
    const [streams] = suitesOf(parseOptions(['--streams', '--quick']));
    expect(streams!.name).toBe('streams');
    const named = new Set(streams!.workloads(QUICK).flatMap(({ rows = [] }) => rows));
    const rows = streams!.rows.map(({ name }) => name);
    expect([...named].filter((name) => !rows.includes(name))).toEqual([]);
  });

  it('is what a fast topic costs when that is asked for', () => {
    expect(names('--pace')).toEqual(['pace']);
  });

  describe('of features', () => {
    const [suite, quick, chosen] = [[], ['--quick'], ['--quick', '--only', REDIS, '--workloads', '10000,deploy-1']].map(
      (args) => suitesOf(parseOptions(['--features', ...args]))[0]!,
    );
    const rowsOf = ({ rows }: Suite) => rows.map(({ name }) => name);
    const workloadsOf = ({ workloads }: Suite) => workloads(QUICK).map(({ name }) => name);

    it('has what takes long and what needs Redis, unless it must be quick', () => {
      expect(rowsOf(suite!)).toContain(REDIS);
      expect(workloadsOf(suite!)).toContain('10000');
      expect(rowsOf(quick!)).not.toContain(REDIS);
      expect(workloadsOf(quick!)).not.toContain('10000');
    });

    it('has it also when it must be quick, once it was chosen', () => {
      expect(rowsOf(chosen!)).toEqual([REDIS]);
      expect(workloadsOf(chosen!)).toEqual(['10000', 'deploy-1']);
    });

    it('is without Redis what is left', () => {
      expect(rowsOf(withoutRedis([suite!])[0]!)).toEqual(rowsOf(quick!));
      expect(withoutRedis([chosen!])).toEqual([]);
    });

    it('names rows that there are', () => {
      const named = new Set(suite!.workloads(QUICK).flatMap(({ rows = [] }) => rows));
      expect([...named].sort()).toEqual(rowsOf(suite!).sort());
    });
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
