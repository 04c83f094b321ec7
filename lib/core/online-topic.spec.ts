import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { onlineTopic, userOfOnlineTopic } from './online-topic.js';
import { isTopic } from './topic.js';

describe('the topic of a user who is online', () => {
  it('tells whose it is', () => {
    fc.assert(fc.property(fc.string(), (userId) => userOfOnlineTopic(onlineTopic(userId)) === userId));
  });

  it('is none that an application can have', () => {
    fc.assert(fc.property(fc.string(), (userId) => !isTopic(onlineTopic(userId))));
  });

  it('is not taken for one of the application', () => {
    expect(['online:ann', 'chat:#online:ann', ''].map(userOfOnlineTopic)).toEqual([undefined, undefined, undefined]);
  });
});
