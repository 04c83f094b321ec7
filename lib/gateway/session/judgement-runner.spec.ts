import { describe, expect, it, vi } from 'vitest';
import { JudgementRunner, type Judged } from './judgement-runner.js';

/** An owner that remembers what was decided. */
function owner(ask: (topic: string) => Promise<unknown>) {
  const decided: [topic: string, verdict: unknown][] = [];
  const asked: string[] = [];
  const judged: Judged = {
    ask: (topic) => {
      asked.push(topic);
      return ask(topic);
    },
    decide: (topic, verdict) => void decided.push([topic, verdict]),
  };
  return { judged, decided, asked };
}

const named = (count: number) => Array.from({ length: count }, (_, n) => `t${n}`);

describe('judging topics again', () => {
  it('does not run in the turn in which it was asked for', async () => {
    const { judged, asked, decided } = owner(async () => 'yes');
    new JudgementRunner(10_000).judge(judged, ['a']);
    expect(asked).toEqual([]);
    await vi.waitFor(() => expect(decided).toEqual([['a', 'yes']]), 15_000);
  });

  it('comes to an end for every topic', async () => {
    const { judged, decided } = owner(async () => 'yes');
    new JudgementRunner(10_000).judge(judged, named(100));
    await vi.waitFor(() => expect(decided.length).toBe(100), 15_000);
  });

  it('goes on with the others while one hangs, which is decided without a verdict', async () => {
    const { judged, decided } = owner((topic) => (topic === 't0' ? new Promise(() => undefined) : Promise.resolve(1)));
    new JudgementRunner(100).judge(judged, named(20));
    await vi.waitFor(() => expect(decided.length).toBe(20), { timeout: 5_000 });
    expect(decided.at(-1)).toEqual(['t0', undefined]);
  });

  it('lets the event loop answer others between slices of work', async () => {
    const busy = async () => {
      const end = performance.now() + 3;
      while (performance.now() < end);
    };
    const { judged, decided } = owner(busy);
    const runner = new JudgementRunner(60_000);
    for (let n = 0; n < 20; n++) runner.judge({ ...judged }, named(3));
    let turns = 0;
    const count = () => {
      turns += 1;
      if (decided.length < 60) setImmediate(count);
    };
    setImmediate(count);
    await vi.waitFor(() => expect(decided.length).toBe(60), { timeout: 10_000 });
    // 180 ms of work in slices of at most three judgements.
    expect(turns).toBeGreaterThanOrEqual(20);
  });

  it('begins few in a turn, since what they do behind an await comes after the slice', async () => {
    const { judged, decided } = owner(async () => 'yes');
    const runner = new JudgementRunner(60_000);
    for (let n = 0; n < 100; n++) runner.judge({ ...judged }, named(2));
    let most = 0;
    let before = 0;
    const count = () => {
      most = Math.max(most, decided.length - before);
      before = decided.length;
      if (decided.length < 200) setImmediate(count);
    };
    setImmediate(count);
    await vi.waitFor(() => expect(decided.length).toBe(200), 15_000);
    expect(most).toBeLessThanOrEqual(64);
  });

  it('forgets a topic and an owner that have gone', async () => {
    const { judged, asked } = owner(async () => 'yes');
    const other = owner(async () => 'yes');
    const runner = new JudgementRunner(10_000);
    runner.judge(judged, ['a', 'b']);
    runner.judge(other.judged, ['c']);
    runner.drop(judged, 'a');
    runner.forget(other.judged);
    await vi.waitFor(() => expect(asked).toEqual(['b']), 15_000);
    expect(other.asked).toEqual([]);
  });
});
