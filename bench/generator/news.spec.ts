import { describe, expect, it } from 'vitest';
import { News } from './news.js';

const news = (kind: string, userId: string) =>
  JSON.stringify({ type: `realtime:${kind}`, payload: { topic: 'room:0', userId } });

describe('news of who comes and goes', () => {
  it('say who is there', () => {
    const paper = new News();
    for (const [kind, userId] of [
      ['joined', 'ann'],
      ['joined', 'bob'],
      ['left', 'ann'],
    ] as const) {
      expect(paper.take(news(kind, userId))).toBe(true);
    }
    expect(['ann', 'bob'].filter((userId) => paper.has(userId))).toEqual(['bob']);
  });

  it('are nothing else', () => {
    expect(new News().take('{"type":"realtime:subscribed","payload":{"topic":"room:0"}}')).toBe(false);
  });

  it.each(['joined', 'left'])('must not be told twice: %s', (kind) => {
    const paper = new News();
    paper.take(news('joined', 'ann'));
    if (kind === 'left') paper.take(news('left', 'ann'));
    expect(() => paper.take(news(kind, 'ann'))).toThrow(`A client was told twice that ann has ${kind}.`);
  });
});
