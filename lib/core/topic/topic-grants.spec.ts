import { expect, it } from 'vitest';
import { TopicGrants } from './topic-grants.js';

const END = new Date(10_000);

it('a grant lasts as long as its token', () => {
  const grants = new TopicGrants();
  grants.set('room:1', END);
  expect([grants.expired(9_999, 0), grants.expired(10_000, 0)]).toEqual([[], ['room:1']]);
});

it('a grant lasts longer by as much as clocks may differ', () => {
  const grants = new TopicGrants();
  grants.set('room:1', END);
  expect([grants.expired(14_999, 5), grants.expired(15_000, 5)]).toEqual([[], ['room:1']]);
});

it('a newer token takes the place of the one before', () => {
  const grants = new TopicGrants();
  grants.set('room:1', END);
  grants.set('room:1', new Date(20_000));
  expect([grants.endOf('room:1'), grants.expired(10_000, 0)]).toEqual([new Date(20_000), []]);
});

it('a topic that was left is granted no longer', () => {
  const grants = new TopicGrants();
  grants.set('room:1', END);
  grants.delete('room:1');
  expect([grants.endOf('room:1'), grants.expired(20_000, 0)]).toEqual([undefined, []]);
});
