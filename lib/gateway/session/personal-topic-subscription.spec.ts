import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClient, FakeCodec } from '../../../test/helpers/fake-client.js';
import type { StreamPosition } from '../../core/history/history.js';
import { MessageFrames } from '../../delivery/message-frames.js';
import type { TopicEntry } from '../../delivery/topic-entry.js';
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
  publications: [{ offset: 2, text: '"missed"' }],
  frames: [new MessageFrames('"missed"', '#user:ann', 2)],
  length: 8,
};

/** A codec whose answers hold what is recovered. */
class AnsweringCodec extends FakeCodec {
  readonly answersWithPublications = true;
}

let client: FakeClient;
let pages: (() => Promise<void> | undefined)[];

beforeEach(() => {
  client = new FakeClient();
  pages = [];
});

function subscription(recover?: ReadonlyMap<string, StreamPosition>) {
  const one = new PersonalTopicSubscription('ann', recover, services, client.replies, {
    add: (takePage) => void pages.push(takePage),
  });
  return { one, topic: one.topic, entry: one.entry as Extract<TopicEntry, { onPage: unknown }> };
}

describe('the subscription to the topic of a user’s own', () => {
  it('enters the topic with what is kept of it, from where the client was', () => {
    const { topic, entry } = subscription(new Map([['#user:ann', position]]));
    expect([topic, entry]).toMatchObject([
      '#user:ann',
      { stream: { retention: HISTORY, recoverLimit: 10, sendLast: 0, pageSize: 5 }, wish: { recover: position } },
    ]);
  });

  it('has no news before it has begun', () => {
    const { one } = subscription();
    one.welcomed();
    expect([one.news, client.told]).toEqual([{}, []]);
  });

  it('is told of in the welcome, and what was missed follows once', () => {
    const { one, entry } = subscription();
    entry.onStart(start);
    expect(one.news).toEqual({ personal: { topic: '#user:ann', position, recovered: true } });
    one.welcomed();
    one.welcomed();
    expect(client.told).toEqual(['missed']);
  });

  it('is told of in the welcome, with what was missed, where the protocol does so', () => {
    client = new FakeClient(new AnsweringCodec());
    const { one, entry } = subscription();
    entry.onStart(start);
    expect(one.news.personal).toEqual({
      topic: '#user:ann',
      position,
      recovered: true,
      publications: start.publications,
    });
    one.welcomed();
    expect(client.told).toEqual([]);
  });

  it('gets the first page in its turn, and the next only after the welcome', () => {
    const { one, entry } = subscription();
    const takePage = () => undefined;
    entry.whenReady(takePage);
    entry.onStart(start);
    entry.whenReady(takePage);
    const before = pages.length;
    one.welcomed();
    expect([before, pages.length]).toEqual([1, 2]);
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
