import { describe, expect, it } from 'vitest';
import { all } from '../../../core/routing/address.js';
import type { Envelope } from '../../../core/routing/envelope.js';
import { PendingEchoes } from './pending-echoes.js';

const envelope = (topic: string): Envelope => ({ to: [all()], except: [], content: { kind: 'subscribe', topic } });

const channel = (partition: number) => ({ name: 'realtime@0:all', partition });

describe('what does not come back', () => {
  it('is taken out in its order, by partition', () => {
    const own = new PendingEchoes();
    own.add(1, channel(0), envelope('a'));
    own.add(2, channel(1), envelope('b'));
    own.add(3, channel(0), envelope('c'));
    expect([...own.take(0)].map(([sequence]) => sequence)).toEqual([1, 3]);
    expect([...own.take(0), ...own.take(1)].map(([sequence]) => sequence)).toEqual([2]);
  });

  it('is taken out up to a sequence', () => {
    const own = new PendingEchoes();
    for (const sequence of [1, 2, 3]) own.add(sequence, channel(0), envelope('a'));
    expect([...own.take(0, 2)].map(([sequence]) => sequence)).toEqual([1, 2]);
  });

  it('is overdue 0.8 s after Redis got it', () => {
    const own = new PendingEchoes();
    own.add(1, channel(7), envelope('a'));
    own.sent(1);
    const answers = Array.from({ length: 22 }, () => own.tick());
    expect(answers.findIndex((overdue) => overdue?.[1].partition === 7)).toBe(16);
  });
});

describe('what Redis has not taken yet', () => {
  it('is not overdue: a server that is slow loses nothing', () => {
    const own = new PendingEchoes();
    own.add(1, channel(7), envelope('a'));
    expect(Array.from({ length: 60 }, () => own.tick()).every((overdue) => overdue === undefined)).toBe(true);
  });
});

describe('what has come back', () => {
  it('is not overdue', () => {
    const own = new PendingEchoes();
    own.add(1, channel(7), envelope('a'));
    own.sent(1);
    own.arrived(1);
    expect(Array.from({ length: 30 }, () => own.tick()).every((overdue) => overdue === undefined)).toBe(true);
  });
});
