import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { JudgementQueue, MAX_PER_OWNER, MAX_RUNNING, type Judgement } from './judgement-queue.js';

const DEADLINE_MS = 10_000;

let queue: JudgementQueue<string>;

beforeEach(() => {
  queue = new JudgementQueue(DEADLINE_MS);
});

function begin(now = 0): Judgement<string>[] {
  const begun: Judgement<string>[] = [];
  for (let next = queue.next(now); next; next = queue.next(now)) begun.push(next);
  return begun;
}

/** Judges everything that may be judged at this time. @returns the topics in their order */
function judgeAll(now = 0): string[] {
  const judged: string[] = [];
  for (let begun = begin(now); begun.length > 0; begun = begin(now)) {
    for (const each of begun) if (queue.settled(each)) judged.push(each.topic);
  }
  return judged;
}

const named = (count: number, prefix = 't') => Array.from({ length: count }, (_, n) => `${prefix}${n}`);
const topicsOf = (judgements: readonly Judgement<string>[]) => judgements.map(({ topic }) => topic);

describe('The topics of an owner whose rights have changed', () => {
  it('are judged, each once', () => {
    queue.judge('ann', ['a', 'b'], 0);
    expect([judgeAll(), begin(), queue.wakeAt]).toEqual([['a', 'b'], [], undefined]);
  });

  it('are judged eight at a time', () => {
    queue.judge('ann', named(20), 0);
    const begun = begin();
    expect(topicsOf(begun)).toEqual(named(MAX_PER_OWNER));
    queue.settled(begun[3]!);
    expect(topicsOf(begin())).toEqual(['t8']);
  });

  it('are judged anew after a newer change, and no result of before it counts', () => {
    queue.judge('ann', ['a', 'b'], 0);
    const [a, b] = begin();
    expect(queue.settled(a!)).toBe(true);
    queue.judge('ann', ['a', 'b'], 0);
    expect(topicsOf(begin())).toEqual(['a']);
    expect(queue.settled(b!)).toBe(false);
    expect(topicsOf(begin())).toEqual(['b']);
  });

  it('are judged once at a time, however often something changes', () => {
    for (let n = 0; n < 100; n++) {
      queue.judge('ann', ['a'], n);
      expect(begin(n).length).toBe(n === 0 ? 1 : 0);
    }
  });

  it('are judged five times in a row, and then once a second', () => {
    let calls = 0;
    for (let now = 0; now < 10_000; now += 10) {
      queue.judge('ann', ['a', 'b'], now);
      calls += judgeAll(now).length;
    }
    expect(calls).toBeGreaterThanOrEqual(2 * 12);
    expect(calls).toBeLessThanOrEqual(2 * 15);
  });

  it('are judged by the last change, too, when it comes too soon after others', () => {
    for (let n = 0; n < 6; n++) {
      queue.judge('ann', ['a'], 0);
      if (n < 5) judgeAll();
    }
    expect([begin(), queue.wakeAt]).toEqual([[], 1_000]);
    expect([begin(999), judgeAll(1_000)]).toEqual([[], ['a']]);
  });

  it('are not judged any more once they are left', () => {
    queue.judge('ann', ['a', 'b'], 0);
    const [a] = begin();
    queue.drop('ann', 'a');
    queue.drop('ann', 'b');
    queue.drop('ann', 'never there');
    queue.drop('nobody', 'a');
    expect([queue.settled(a!), begin()]).toEqual([false, []]);
  });

  it('are judged when they were left and begun again meanwhile', () => {
    queue.judge('ann', ['a'], 0);
    const [before] = begin();
    queue.drop('ann', 'a');
    queue.judge('ann', ['a'], 0);
    expect([begin(), queue.settled(before!), topicsOf(begin())]).toEqual([[], false, ['a']]);
  });

  it('that are none are no pass', () => {
    for (let n = 0; n < 20; n++) queue.judge('ann', [], 0);
    queue.judge('ann', ['a'], 0);
    expect(judgeAll()).toEqual(['a']);
  });
});

describe('A judgement that takes too long', () => {
  it('ends at its deadline, and its result does not count', () => {
    queue.judge('ann', ['a'], 5);
    const [a] = begin(5);
    expect([queue.wakeAt, queue.late(10_004), queue.late(10_005)]).toEqual([10_005, undefined, a]);
    expect([queue.late(10_005), queue.settled(a!), queue.wakeAt]).toEqual([undefined, false, undefined]);
  });

  it('makes room for the next topic', () => {
    queue.judge('ann', named(9), 0);
    begin();
    expect(queue.late(DEADLINE_MS)?.topic).toBe('t0');
    expect(topicsOf(begin(DEADLINE_MS))).toEqual(['t8']);
  });

  it('ends at its deadline even if something has changed meanwhile', () => {
    queue.judge('ann', ['a'], 0);
    begin();
    queue.judge('ann', ['a'], DEADLINE_MS - 1);
    expect([queue.late(DEADLINE_MS)?.topic, begin(DEADLINE_MS)]).toEqual(['a', []]);
  });

  it('is not told when its topic was left', () => {
    queue.judge('ann', ['a', 'b'], 0);
    begin();
    queue.drop('ann', 'a');
    expect([queue.late(DEADLINE_MS)?.topic, queue.late(DEADLINE_MS)]).toEqual(['b', undefined]);
  });
});

describe('The judgements of all owners', () => {
  it('are 256 at a time', () => {
    for (const owner of named(40, 'owner')) queue.judge(owner, named(20), 0);
    const begun = begin();
    expect([begun.length, queue.runningCount]).toEqual([MAX_RUNNING, MAX_RUNNING]);
    queue.settled(begun[0]!);
    expect(begin().length).toBe(1);
  });

  it('begin in turn, so that nobody waits for all topics of another', () => {
    queue.judge('ann', named(8), 0);
    queue.judge('bob', ['b'], 0);
    expect(
      begin()
        .map(({ owner }) => owner)
        .slice(0, 3),
    ).toEqual(['ann', 'bob', 'ann']);
  });

  it('keep their places when their owner has gone, until they have ended', () => {
    for (const owner of named(32, 'owner')) queue.judge(owner, named(8), 0);
    const begun = begin();
    for (const owner of named(32, 'owner')) queue.forget(owner);
    queue.judge('late', ['a'], 0);
    expect(begin()).toEqual([]);
    expect([queue.settled(begun[0]!), topicsOf(begin())]).toEqual([false, ['a']]);
    expect(queue.late(DEADLINE_MS)?.owner).toBe('late');
    expect(queue.runningCount).toBe(0);
  });

  it('judge every topic behind the last change of its owner, within the bounds', () => {
    const owner = fc.constantFrom('ann', 'bob', 'eve');
    const topic = fc.constantFrom(...named(12));
    const step = fc.oneof(
      fc.record({ kind: fc.constant('judge' as const), owner, topics: fc.uniqueArray(topic, { minLength: 1 }) }),
      fc.record({ kind: fc.constant('drop' as const), owner, topic }),
      fc.record({ kind: fc.constant('settle' as const), index: fc.nat(30) }),
      fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(700) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
        queue = new JudgementQueue(Infinity);
        /** What is still to be judged, and by which change. */
        const open = new Map<string, number>();
        const running = new Map<Judgement<string>, number>();
        let now = 0;
        let change = 0;
        const start = () => {
          for (const each of begin(now)) running.set(each, change);
          for (const who of ['ann', 'bob', 'eve']) {
            const theirs = [...running.keys()].filter((each) => each.owner === who);
            expect(theirs.length).toBeLessThanOrEqual(MAX_PER_OWNER);
            expect(new Set(topicsOf(theirs)).size).toBe(theirs.length);
          }
        };
        const settle = (judgement: Judgement<string>) => {
          const begunAt = running.get(judgement)!;
          const key = `${judgement.owner} ${judgement.topic}`;
          running.delete(judgement);
          const counts = queue.settled(judgement);
          expect(counts).toBe(open.has(key) && open.get(key)! <= begunAt);
          if (counts) open.delete(key);
        };
        for (const each of steps) {
          if (each.kind === 'judge') {
            change += 1;
            for (const name of each.topics) open.set(`${each.owner} ${name}`, change);
            queue.judge(each.owner, each.topics, now);
          } else if (each.kind === 'drop') {
            open.delete(`${each.owner} ${each.topic}`);
            queue.drop(each.owner, each.topic);
          } else if (each.kind === 'wait') now += each.ms;
          else if (running.size > 0) settle([...running.keys()][each.index % running.size]!);
          start();
        }
        now += 1_000;
        for (start(); running.size > 0; start()) for (const each of running.keys()) settle(each);
        expect([...open.keys()]).toEqual([]);
      }),
    );
  });
});
