import { describe, expect, it } from 'vitest';
import { feasible, plan } from './plan.js';
import { BYSTANDER_ROWS, ROWS } from './rows.js';
import { bystander, comparison, growth, QUICK } from './workloads.js';

describe('the plan', () => {
  const [one, two] = comparison(QUICK);
  const steps = plan(ROWS.slice(0, 3), [one!, two!], 2);
  const names = steps.map(({ repetition, workload, row }) => `${repetition} ${workload.name} ${row.name}`);

  it('measures each workload against all servers before the next one', () => {
    expect(names.slice(0, 6)).toEqual([
      '0 1000 nestjs-realtime',
      '0 1000 ws-framed',
      '0 1000 ws-loop',
      '0 10000 nestjs-realtime',
      '0 10000 ws-framed',
      '0 10000 ws-loop',
    ]);
  });

  it('does not ask a server that has no handlers', () => {
    const asked = plan(ROWS, [comparison(QUICK)[2]!], 1);
    expect(asked.map(({ row }) => row.name)).not.toContain('ws-framed');
    expect(asked).toHaveLength(ROWS.length - 1);
  });

  it('has no bystander at a server that has no handlers', () => {
    const [workload] = bystander(QUICK);
    expect(plan(BYSTANDER_ROWS, [workload!], 1).map(({ row }) => row.name)).toEqual(
      BYSTANDER_ROWS.map(({ name }) => name),
    );
    expect(plan(ROWS, [workload!], 1).map(({ row }) => row.name)).not.toContain('ws-framed');
  });

  it('asks of a server only what it has, and no more often than is said', () => {
    const workload = { ...one!, rows: ['ws-framed'], repetitions: 1 };
    const asked = plan(ROWS, [workload, two!], 2).filter((step) => step.workload === workload);
    expect(asked.map(({ repetition, row }) => [repetition, row.name])).toEqual([[0, 'ws-framed']]);
  });

  it('takes the servers in reverse order every other time', () => {
    expect(names.slice(6, 9)).toEqual(['1 1000 ws-loop', '1 1000 ws-framed', '1 1000 nestjs-realtime']);
  });
});

describe('what the machine can do', () => {
  it('is everything where files are plenty', () => {
    expect(feasible(growth(QUICK), 131_072)).toEqual({ workloads: growth(QUICK), notes: [] });
  });

  it('is less than was asked for where they are few, and says so', () => {
    const { workloads, notes } = feasible(growth(QUICK), 20_000);
    const grown = workloads.filter(({ grows }) => grows === 'connections');
    expect(grown.map(({ name, connections, topics }) => [name, connections, topics])).toEqual([
      ['connections-100', 100, 10],
      ['connections-1000', 1_000, 100],
      ['connections-10000', 10_000, 1_000],
      ['connections-19000', 19_000, 1_900],
    ]);
    expect(notes).toEqual([
      '19,000 connections instead of 50,000: a process may open 20,000 files here (ulimit -H -n).',
    ]);
  });

  it('leaves out what would mean something else with fewer connections', () => {
    const { workloads, notes } = feasible(comparison(QUICK), 4_096);
    expect(workloads.map(({ name }) => name)).toEqual(['1000', 'ask']);
    expect(notes).toEqual(['"10000" was left out: a process may open 4,096 files here (ulimit -H -n).']);
  });
});
