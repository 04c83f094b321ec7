import { expect, it } from 'vitest';
import { sumOfRates, totalsOf, trafficOf } from './node-traffic.js';

const chat = { address: 'topic', pattern: 'chat:{id}' };
const sent = [
  { labels: chat, value: 40 },
  { labels: { address: 'user' }, value: 3 },
];
const received = [{ labels: chat, value: 8 }];

it('joins what was sent and received to the topics of one pattern', () => {
  expect(trafficOf(sent, received, undefined)).toEqual([
    { ...chat, sent: 40, received: 8 },
    { address: 'user', pattern: '', sent: 3, received: 0 },
  ]);
});

it('has the rates of each direction', () => {
  const rates = new Map(Array.from(totalsOf(sent, received), ([key, total]) => [key, total / 2]));
  expect(trafficOf(sent, received, rates).map((each) => each.rates)).toEqual([
    { sent: 20, received: 4 },
    { sent: 1.5, received: 0 },
  ]);
});

it('has no sum of rates while there are none', () => {
  expect(sumOfRates(trafficOf(sent, received, undefined))).toBeUndefined();
  expect(sumOfRates([{ rates: { sent: 1, received: 2 } }, {}, { rates: { sent: 3, received: 4 } }])).toEqual({
    sent: 4,
    received: 6,
  });
});
