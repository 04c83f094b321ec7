import { beforeEach, describe, expect, it } from 'vitest';
import { ASKS_EVERY_MS, Bystander } from './bystander.js';
import { stamp } from './client-frame.js';

let said: string[];
let bystander: Bystander;

beforeEach(() => {
  said = [];
  bystander = new Bystander({ say: (text) => void said.push(text) }, '{"event":"plain","data":{"ts":{ts}}}');
  bystander.begin(100);
});

describe('a bystander', () => {
  it('asks by the clock, whether or not it is answered', () => {
    bystander.ask(100);
    bystander.ask(100 + 3 * ASKS_EVERY_MS);
    expect(said.map((text) => (JSON.parse(text) as { data: { ts: number } }).data.ts)).toEqual(
      [0, 1, 2, 3].map((nth) => stamp(100 + nth * ASKS_EVERY_MS)),
    );
  });

  it('counts the time of an answer from when its question was due', () => {
    bystander.ask(100);
    bystander.ask(150);
    for (const text of said) bystander.hear(text, 160);
    expect(bystander.latency.count).toBe(said.length);
    expect(bystander.latency.percentile(1)! / 1_000).toBeCloseTo(60, -1);
    expect(bystander.isAnswered).toBe(true);
  });

  it('waits for the answers that are still due', () => {
    bystander.ask(104);
    bystander.hear(said[0]!, 105);
    expect(bystander.isAnswered).toBe(false);
  });

  it.each(['{"event":"tick","data":{"ts":1000000000100000}}', '{"type":"realtime:pong"}'])(
    'takes %s for no answer',
    (text) => {
      bystander.ask(100);
      expect(bystander.hear(text, 101)).toBe(false);
      expect(bystander.latency.count).toBe(0);
    },
  );

  it('begins anew', () => {
    bystander.ask(200);
    bystander.hear(said[0]!, 201);
    bystander.begin(300);
    expect([bystander.latency.count, bystander.isAnswered]).toEqual([0, true]);
  });
});
