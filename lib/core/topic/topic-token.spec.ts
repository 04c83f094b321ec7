import { describe, expect, it } from 'vitest';
import { judgeTopicToken } from './topic-token.js';

const NOW = new Date(1_000_000);
const USE = { topic: 'room:1', userId: 'ann', toleranceS: 5 };
const GOOD = { sub: 'ann', channel: 'room:1', exp: 1_001 };

describe('a token for a topic', () => {
  it('is good for its topic and its user, until it ends', () => {
    expect(judgeTopicToken(GOOD, USE, NOW)).toBe('good');
  });

  it.each([
    ['another topic', { ...GOOD, channel: 'room:2' }],
    ['another user', { ...GOOD, sub: 'bob' }],
    ['connecting', { sub: 'ann', exp: 1_001 }],
    ['several topics', { ...GOOD, channel: ['room:1'] }],
    ['nobody', { channel: 'room:1', exp: 1_001 }],
    ['longer than a date can say', { ...GOOD, exp: 1e300 }],
    ['ever', { sub: 'ann', channel: 'room:1' }],
  ])('opens nothing when it is for %s', (_what, claims) => {
    expect(judgeTopicToken(claims, USE, NOW)).toBe('foreign');
  });

  it.each([
    ['whose end has come', 994],
    ['whose end is just as far away as clocks may differ', 995],
  ])('is expired: one %s', (_what, exp) => {
    expect(judgeTopicToken({ ...GOOD, exp }, USE, NOW)).toBe('expired');
  });

  it('is taken within the tolerance', () => {
    expect(judgeTopicToken({ ...GOOD, exp: 996 }, USE, NOW)).toBe('good');
  });
});
