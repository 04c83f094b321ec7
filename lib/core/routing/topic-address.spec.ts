import { expect, it } from 'vitest';
import { personalTopic } from '../topic/reserved-topic.js';
import { all, connection, role, topic, user } from './address.js';
import { addressOfTopic, topicOfAddress } from './topic-address.js';

it.each([
  { name: 'feed', address: topic('feed') },
  { name: personalTopic('ann'), address: user('ann') },
])('$name goes to one address, which leads back to it', ({ name, address }) => {
  expect(addressOfTopic(name)).toEqual(address);
  expect(topicOfAddress(address)).toBe(name);
});

it.each([role('admin'), connection('n1.c1'), all()])('there is no topic for $kind', (address) => {
  expect(topicOfAddress(address)).toBeUndefined();
});
