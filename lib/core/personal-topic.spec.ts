import { describe, expect, it } from 'vitest';
import { all, connection, role, topic, user } from './address.js';
import { addressOfTopic, personalTopic, topicOfAddress, userOfPersonalTopic } from './personal-topic.js';
import { isTopic } from './topic.js';

describe('the topic of what is sent to a user', () => {
  it.each(['ann', 'a:b c', '#user:ann', '"\n', ''])('tells whose it is: %j', (userId) => {
    expect(userOfPersonalTopic(personalTopic(userId))).toBe(userId);
  });

  it('has a name that nobody else can give', () => {
    expect(isTopic(personalTopic('ann'))).toBe(false);
  });

  it('goes to the user', () => {
    expect(addressOfTopic(personalTopic('ann'))).toEqual(user('ann'));
  });

  it('is the topic of the user’s address', () => {
    expect(topicOfAddress(user('ann'))).toBe(personalTopic('ann'));
  });
});

describe('any other topic', () => {
  it('is nobody’s own', () => {
    expect(userOfPersonalTopic('user:ann')).toBeUndefined();
  });

  it('goes to its subscribers, and is the topic of their address', () => {
    expect(addressOfTopic('feed')).toEqual(topic('feed'));
    expect(topicOfAddress(topic('feed'))).toBe('feed');
  });
});

it.each([role('admin'), connection('n1.c1'), all()])('there is no topic for $kind', (address) => {
  expect(topicOfAddress(address)).toBeUndefined();
});
