import { describe, expect, it } from 'vitest';
import { FakeClient, FakeCodec } from '../../../test/helpers/fake-client.js';
import { MessageFrames } from '../../delivery/message-frames.js';
import { RealtimeSettings } from '../../options/realtime.options.js';
import { PersonalTopicSubscription } from './personal-topic-subscription.js';
import { NodeMeter } from '../../delivery/node-meter.js';

const HISTORY = { size: 10, ttlMs: 5_000 };
const position = { epoch: 'e', offset: 1 };
const services = {
  settings: new RealtimeSettings({ limits: { maxHistoryPage: 5 } }),
  policies: { hasGateways: true, of: (topic: string) => (topic === '#user:ann' ? { history: HISTORY } : undefined) },
  meter: new NodeMeter(),
};
const start = {
  position,
  recovered: true,
  top: position,
  frames: [new MessageFrames('"missed"', '#user:ann', 1)],
  length: 8,
};

describe('the subscription to the topic of a user’s own', () => {
  it('enters the topic with what is kept of it, from where the client was', () => {
    const recover = new Map([['#user:ann', position]]);
    const { topic, entry } = new PersonalTopicSubscription('ann', recover, services);
    expect([topic, entry]).toMatchObject([
      '#user:ann',
      { stream: { retention: HISTORY, sendLatest: false, pageSize: 5 }, recover: position },
    ]);
  });

  it('has no news before it has begun', () => {
    const client = new FakeClient();
    const one = new PersonalTopicSubscription('ann', undefined, services);
    one.sendMissed(client.replies);
    expect([one.news, client.told]).toEqual([{}, []]);
  });

  it('is told of in the welcome, and what was missed follows once', () => {
    const client = new FakeClient();
    const one = new PersonalTopicSubscription('ann', undefined, services);
    one.entry.onStart(start);
    expect(one.news).toEqual({ personal: { topic: '#user:ann', position, recovered: true } });
    one.sendMissed(client.replies);
    one.sendMissed(client.replies);
    expect(client.told).toEqual(['missed']);
  });

  it.each([
    [true, true, true],
    [true, false, false],
    [false, true, false],
  ])('exists when the codec has one (%s) and the module keeps one (%s): %s', (hasPersonalTopics, keeps, expected) => {
    const settings = { personalTopics: keeps ? HISTORY : undefined };
    expect(PersonalTopicSubscription.isFor(new FakeCodec(hasPersonalTopics), settings)).toBe(expected);
  });
});
