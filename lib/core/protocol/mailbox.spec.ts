import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Mailbox } from './mailbox.js';

const filled = (size: number, ...items: string[]) => {
  const mailbox = new Mailbox<string>({ size, bytes: Infinity });
  for (const item of items) mailbox.push(item, 1);
  return mailbox;
};

const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

describe('Mailbox', () => {
  it('gives out the oldest first', () => {
    const mailbox = filled(9, 'a', 'b', 'c');
    expect([mailbox.shift(), mailbox.shift(), mailbox.shift(), mailbox.shift()]).toEqual(['a', 'b', 'c', undefined]);
  });

  it('says once that reading must stop, when the last place is taken', () => {
    const mailbox = new Mailbox<string>({ size: 2, bytes: Infinity });
    expect(['a', 'b', 'c'].map((item) => mailbox.push(item, 1))).toEqual([false, true, false]);
  });

  it('keeps what arrives after it is full', () => {
    expect(filled(1, 'a', 'b', 'c').length).toBe(3);
  });

  it('says that reading must stop when the commands are large, though they are few', () => {
    const mailbox = new Mailbox<string>({ size: 64, bytes: 100 });
    expect([60, 39, 1, 1].map((bytes) => mailbox.push('a', bytes))).toEqual([false, false, true, false]);
  });

  it('lets reading go on when half of the bytes are free, and none of them were left over', () => {
    const mailbox = new Mailbox<string>({ size: 64, bytes: 100 });
    for (const bytes of [30, 30, 60]) mailbox.push('a', bytes);
    const answers = [1, 2, 3].map(() => {
      mailbox.shift();
      return mailbox.resume();
    });
    expect([answers, mailbox.bytes]).toEqual([[false, false, true], 0]);
  });

  it('takes one command of any size', () => {
    const mailbox = new Mailbox<string>({ size: 64, bytes: 100 });
    const isStopped = mailbox.push('a', 1_000);
    mailbox.shift();
    expect([isStopped, mailbox.resume()]).toEqual([true, true]);
  });

  it('lets reading go on once, when half of the room is free', () => {
    const mailbox = filled(4, 'a', 'b', 'c', 'd');
    const answers = ['a', 'b', 'c'].map(() => {
      mailbox.shift();
      return mailbox.resume();
    });
    expect(answers).toEqual([false, true, false]);
  });

  it('does not let reading go on that was never stopped', () => {
    expect(filled(4, 'a').resume()).toBe(false);
  });

  it('lets reading go on after it was cleared', () => {
    const mailbox = filled(1, 'a');
    mailbox.clear();
    expect([mailbox.length, mailbox.resume()]).toEqual([0, true]);
  });

  it('takes the first that passes out of its place', () => {
    const mailbox = filled(9, 'a', 'b1', 'c', 'b2');
    expect(mailbox.remove((item) => item.startsWith('b'))).toBe('b1');
    expect([mailbox.shift(), mailbox.shift(), mailbox.shift()]).toEqual(['a', 'c', 'b2']);
  });

  it('takes out nothing when nothing passes, nor what was given out before', () => {
    const mailbox = filled(9, 'a', 'b');
    mailbox.shift();
    expect([mailbox.remove((item) => item === 'a'), mailbox.length]).toEqual([undefined, 1]);
  });

  it('never stops reading without a limit', () => {
    const mailbox = new Mailbox<number>({ size: Infinity, bytes: Infinity });
    expect(Array.from({ length: 1000 }, (_, i) => mailbox.push(i, i))).not.toContain(true);
  });

  it('keeps no hold of what it gave out, though it is never empty', async () => {
    const mailbox = new Mailbox<object>({ size: 4, bytes: Infinity });
    const given = (() => {
      mailbox.push({}, 1);
      mailbox.push({}, 1);
      return new WeakRef(mailbox.shift()!);
    })();
    const isGone = () => {
      collectGarbage();
      return given.deref() === undefined;
    };
    await expect.poll(isGone, { interval: 1 }).toBe(true);
    expect(mailbox.length).toBe(1);
  });

  it('is a queue, and says stop and go in turn, after any use', () => {
    const use = fc.oneof(
      fc.nat({ max: 5 }).map((item) => ({ kind: 'push' as const, item })),
      fc.constant({ kind: 'shift' as const }),
      fc.nat({ max: 5 }).map((item) => ({ kind: 'remove' as const, item })),
      fc.constant({ kind: 'clear' as const }),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.nat(12),
        fc.array(use, { maxLength: 60, size: 'max' }),
        (size, bytes, uses) => {
          const mailbox = new Mailbox<number>({ size, bytes });
          const queue: number[] = [];
          let stopped = false;
          for (const step of uses) {
            switch (step.kind) {
              case 'push':
                queue.push(step.item);
                expect(mailbox.push(step.item, step.item)).toBe(
                  !stopped && (queue.length >= size || sum(queue) >= bytes),
                );
                stopped ||= queue.length >= size || sum(queue) >= bytes;
                break;
              case 'shift':
                expect(mailbox.shift()).toBe(queue.shift());
                break;
              case 'remove': {
                const at = queue.indexOf(step.item);
                expect(mailbox.remove((item) => item === step.item)).toBe(at < 0 ? undefined : queue.splice(at, 1)[0]);
                break;
              }
              case 'clear':
                mailbox.clear();
                queue.length = 0;
            }
            expect([mailbox.length, mailbox.bytes]).toEqual([queue.length, sum(queue)]);
            const isFreed = queue.length <= size / 2 && sum(queue) <= bytes / 2;
            expect(mailbox.resume()).toBe(stopped && isFreed);
            if (isFreed) stopped = false;
          }
        },
      ),
    );
  });
});
