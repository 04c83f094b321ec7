import { setImmediate as nextTurn } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FlushQueue, type Flushable } from './flush-queue.js';

let batch: FlushQueue;
let log: string[];

/** A socket that writes down when it is flushed, in the log of the test that made it. */
function socket(name: string, onFlush: () => void = () => undefined): Flushable {
  const ownLog = log;
  return {
    flush() {
      ownLog.push(name);
      onFlush();
    },
  };
}

beforeEach(() => {
  batch = new FlushQueue();
  log = [];
});

describe('a socket that got frames', () => {
  it('is not written to at once but when the turn ends', async () => {
    batch.add(socket('a'));
    const early = [...log];
    await nextTurn();
    expect([early, log]).toEqual([[], ['a']]);
  });

  it('is written to in one go with the others of the turn, in their order', async () => {
    for (const name of ['a', 'b', 'c']) batch.add(socket(name));
    await nextTurn();
    expect(log).toEqual(['a', 'b', 'c']);
  });

  it('is not written to again in a later turn', async () => {
    batch.add(socket('a'));
    await nextTurn();
    batch.add(socket('b'));
    await nextTurn();
    expect(log).toEqual(['a', 'b']);
  });

  it('is written to though another one fails, and that is logged', async () => {
    const complaints = vi.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
    const fail = () => {
      throw new Error('broken');
    };
    batch.add(socket('a', fail));
    batch.add(socket('b'));
    await nextTurn();
    expect([log, complaints.mock.calls.length]).toEqual([['a', 'b'], 1]);
    complaints.mockRestore();
  });

  it('is written to in the next turn when it got them while others were written to', async () => {
    const late = socket('late');
    batch.add(socket('a', () => batch.add(late)));
    await nextTurn();
    const early = [...log];
    await nextTurn();
    expect([early, log]).toEqual([['a'], ['a', 'late']]);
  });
});

describe('a fan-out to many sockets', () => {
  /** Each write takes a tenth of a millisecond. */
  let now: number;
  const slow = (name: string) => socket(name, () => void (now += 0.1));

  beforeEach(() => {
    now = 0;
    batch = new FlushQueue(() => now);
  });

  it('is written in slices of eight milliseconds, in order', async () => {
    const names = Array.from({ length: 500 }, (_, n) => `s${n}`);
    for (const name of names) batch.add(slow(name));
    const turns: number[] = [];
    for (let before = 0; log.length < 500; before = now) {
      await nextTurn();
      turns.push(now - before);
    }
    expect(log).toEqual(names);
    expect(turns.length).toBeGreaterThan(5);
    // The clock is read once in 16 writes.
    expect(Math.max(...turns)).toBeLessThan(8 + 1.7);
  });

  it('is overtaken by a small one of a later turn', async () => {
    for (let n = 0; n < 500; n++) batch.add(slow(`s${n}`));
    await nextTurn();
    batch.add(slow('small'));
    const before = log.length;
    await nextTurn();
    expect(log.indexOf('small')).toBe(before);
  });

  it('is overtaken by answers of the same turn, in their order', async () => {
    for (let n = 0; n < 500; n++) batch.add(slow(`s${n}`));
    for (const name of ['a', 'b']) batch.addFirst(slow(name));
    await nextTurn();
    expect(log.slice(0, 3)).toEqual(['a', 'b', 's0']);
  });

  it('is overtaken by the answer to a client that it has not reached yet', async () => {
    const last = slow('last');
    for (let n = 0; n < 500; n++) batch.add(slow(`s${n}`));
    batch.add(last);
    await nextTurn();
    const before = log.length;
    batch.addFirst(last);
    await nextTurn();
    expect(log.indexOf('last')).toBe(before);
  });

  it('does not leave before the turn ends, unlike answers in a turn that goes on for long', async () => {
    batch.add(slow('s'));
    for (const name of ['a', 'b']) batch.addFirst(slow(name));
    batch.flushFirst();
    const early = [...log];
    await nextTurn();
    expect([early, log]).toEqual([
      ['a', 'b'],
      ['a', 'b', 's'],
    ]);
  });

  it('does not keep a long turn busy with answers for more than four milliseconds at once', async () => {
    for (let n = 0; n < 100; n++) batch.addFirst(slow(`a${n}`));
    batch.flushFirst();
    expect(now).toBeLessThan(4 + 1.7);
    while (log.length < 100) await nextTurn();
    expect(log).toEqual(Array.from({ length: 100 }, (_, n) => `a${n}`));
  });

  it('gets on while there are more answers than a turn has time for, and each of them is written', async () => {
    for (let n = 0; n < 200; n++) batch.add(slow(`s${n}`));
    for (let turn = 0; turn < 10; turn++) {
      await nextTurn();
      for (let n = 0; n < 100; n++) batch.addFirst(slow(`a${turn}`));
    }
    expect(log).toContain('s199');
    while (log.length < 1_200) await nextTurn();
    expect(log.filter((name) => name === 'a9')).toHaveLength(100);
  });

  it('gets on while others follow', async () => {
    for (let n = 0; n < 200; n++) batch.add(slow(`s${n}`));
    for (let turn = 0; turn < 10; turn++) {
      await nextTurn();
      for (let n = 0; n < 100; n++) batch.add(slow(`t${turn}`));
    }
    expect(log).toContain('s199');
  });
});
