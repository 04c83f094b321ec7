import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  onlineTopic,
  personalTopic,
  streamTopic,
  topicOfStream,
  userOfOnlineTopic,
  userOfPersonalTopic,
} from './reserved-topic.js';
import { isTopic } from './topic.js';

describe.each([
  { kind: 'personal', nameOf: personalTopic, userOf: userOfPersonalTopic, like: 'user:ann' },
  { kind: 'online', nameOf: onlineTopic, userOf: userOfOnlineTopic, like: 'online:ann' },
])('the $kind topic of a user', ({ nameOf, userOf, like }) => {
  it('names its user', () => {
    fc.assert(fc.property(fc.string(), (userId) => userOf(nameOf(userId)) === userId));
  });

  it('is no topic that an application can have', () => {
    fc.assert(fc.property(fc.string(), (userId) => !isTopic(nameOf(userId))));
  });

  it('is not taken for a topic of the application', () => {
    expect([like, `chat:#${like}`, ''].map(userOf)).toEqual([undefined, undefined, undefined]);
  });
});

describe('the topic of a published stream', () => {
  it('names the topic in which it runs', () => {
    expect(topicOfStream(streamTopic('chat:1', 'answer:1'))).toBe('chat:1');
  });

  it('is no topic that an application or a client can name', () => {
    expect(isTopic(streamTopic('chat:1', 'answer'))).toBe(false);
  });

  it('is none of another kind', () => {
    expect([personalTopic('ann'), onlineTopic('ann'), 'stream:chat:1 a'].map(topicOfStream)).toEqual(
      Array.from({ length: 3 }),
    );
  });
});

it('keeps the two kinds apart', () => {
  expect(userOfOnlineTopic(personalTopic('ann'))).toBeUndefined();
  expect(userOfPersonalTopic(onlineTopic('ann'))).toBeUndefined();
});
