import { setImmediate as nextTurn } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FlushQueue, type Flushable } from './flush-queue.js';

let batch: FlushQueue;
let log: string[];

/** A socket that writes down when it is flushed. */
function socket(name: string, onFlush: () => void = () => undefined): Flushable {
  return {
    flush() {
      log.push(name);
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
