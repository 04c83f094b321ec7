import { expect, it } from 'vitest';
import { TopicTails } from './topic-tails.js';

const message = (text: string) => ({ bytes: () => text.length, excerpt: () => text.slice(0, 4) });
const unread = {
  bytes: (): number => expect.unreachable('nobody watches the topic'),
  excerpt: (): string => expect.unreachable('nobody asked for payloads'),
};

it('keeps nothing of a topic that nobody watches', () => {
  const tails = new TopicTails();
  expect(tails.isOn).toBe(false);
  tails.add('chat:1', 'said', 0, unread);
  tails.read('chat:2', true, 0);
  tails.add('chat:1', 'said', 0, unread);
  expect(tails.read('chat:1', true, 0)).toEqual([]);
});

it('returns what came since the topic was first asked for, without payloads unless they were asked for', () => {
  const tails = new TopicTails();
  tails.read('chat:1', false, 0);
  tails.add('chat:1', 'said', 5, { ...unread, bytes: () => 7 });
  expect(tails.read('chat:1', false, 10)).toEqual([{ n: 1, at: 5, type: 'said', bytes: 7 }]);
});

it('returns excerpts only to those who ask for payloads', () => {
  const tails = new TopicTails();
  tails.read('chat:1', true, 0);
  tails.add('chat:1', 'said', 5, message('secret'));
  expect(tails.read('chat:1', true, 10)).toEqual([{ n: 1, at: 5, type: 'said', bytes: 6, text: 'secr' }]);
  expect(tails.read('chat:1', false, 10)).toEqual([{ n: 1, at: 5, type: 'said', bytes: 6 }]);
});

it('keeps the last fifty, and numbers all', () => {
  const tails = new TopicTails();
  tails.read('chat:1', false, 0);
  for (let i = 0; i < 60; i++) tails.add('chat:1', 'said', i, message('hello'));
  const numbers = tails.read('chat:1', false, 100).map(({ n }) => n);
  expect([numbers.length, numbers[0], numbers.at(-1)]).toEqual([50, 11, 60]);
});

it('forgets a topic that nobody has asked for in fifteen seconds', () => {
  const tails = new TopicTails();
  tails.read('chat:1', false, 0);
  tails.add('chat:1', 'said', 15_000, message('in time'));
  expect(tails.isOn).toBe(true);
  tails.add('chat:1', 'said', 15_001, unread);
  expect(tails.isOn).toBe(false);
});

it('watches at most eight topics, those that were asked for last', () => {
  const tails = new TopicTails();
  for (let i = 0; i < 8; i++) tails.read(`chat:${i}`, false, i);
  tails.read('chat:0', false, 8);
  tails.read('chat:8', false, 9);
  for (const topic of ['chat:0', 'chat:1']) tails.add(topic, 'said', 10, message('hello'));
  expect(tails.read('chat:0', false, 11)).toHaveLength(1);
  expect(tails.read('chat:1', false, 11)).toHaveLength(0);
});
