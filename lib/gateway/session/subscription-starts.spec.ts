import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClient, FakeCodec } from '../../../test/helpers/fake-client.js';
import type { SubscribeCommand } from '../../core/protocol/command.js';
import { MessageFrames } from '../../delivery/message-frames.js';
import type { TopicEntry } from '../../delivery/topic-entry.js';
import type { TopicPolicy } from '../../delivery/topic-policies.js';
import type { FramedPage } from '../../delivery/topic-stream.js';
import { RealtimeSettings } from '../../options/realtime.options.js';
import { SubscriptionStarts } from './subscription-starts.js';
import { NodeMeter } from '../../delivery/node-meter.js';

const HISTORY = { size: 10, ttlMs: 5_000 };
const position = { epoch: 'e', offset: 3 };
const MISSED = { offset: 4, text: '"missed"' };
const ENDED = { kind: 'error', id: 7, error: { code: 'FORBIDDEN', action: 'subscribe', topic: 'a' } };

let client: FakeClient;
let starts: SubscriptionStarts;
/** What is not told to the client, in order. */
let log: unknown[];
/** The topics that the client is in. */
let topics: Set<string>;
let policies: Map<string, TopicPolicy>;
/** The topics without presence. */
let withoutPresence: Set<string>;
let tokenEnd: Date | undefined;
/** How the client enters a topic. */
let entering: (entry: TopicEntry) => boolean | Promise<boolean>;
/** Where it entered. */
let entered: TopicEntry;
/** The judgement of the topic, if it is under one, and what is kept until its end. */
let judgement: Promise<void> | undefined;
/** The pages that the client has not taken. */
let pages: (() => Promise<void> | undefined)[];
let kept: { readonly deliver: () => void; readonly bytes: number }[];

/** A codec whose answers hold what is recovered. */
class AnsweringCodec extends FakeCodec {
  readonly answersWithPublications = true;
}

beforeEach(() => startFor());

function startFor(codec?: FakeCodec): void {
  client = new FakeClient(codec);
  [log, topics, policies, withoutPresence, kept, pages] = [[], new Set(), new Map(), new Set(), [], []];
  [tokenEnd, judgement] = [undefined, undefined];
  entering = (entry) => {
    if (entry.stream === undefined) entry.onStart();
    return true;
  };
  starts = new SubscriptionStarts(
    client,
    {
      settings: new RealtimeSettings({ limits: { sendQueueBytes: 1_000, maxHistoryPage: 5 } }),
      membership: {
        catchUp: () => undefined,
        flush: () => undefined,
        enter: (_id, topic, entry) => {
          topics.add(topic);
          return entering((entered = entry));
        },
      },
      pubSub: { isSubscribed: (id, topic) => id === client.connection.id && topics.has(topic) },
      presence: {
        entered: (topic, _connection, info, isWatching) => void log.push(['present', topic, info, isWatching]),
        refusalOf: (topic) => (withoutPresence.has(topic) ? { code: 'FORBIDDEN', message: 'for the test' } : undefined),
      },
      events: { emit: ({ type }) => void log.push(type) },
      policies: { hasGateways: true, of: (topic) => policies.get(topic) },
      meter: new NodeMeter(),
    },
    {
      keep: (_topic, deliver, bytes) => judgement !== undefined && kept.push({ deliver, bytes }) > 0,
      decided: () => judgement,
      leave: (topic) => {
        log.push(`leave ${topic}`);
        topics.delete(topic);
        return Promise.resolve();
      },
      isOpen: async (topic) => {
        await judgement;
        return topics.has(topic);
      },
      tokenEndOf: () => tokenEnd,
    },
    { add: (takePage) => void pages.push(takePage) },
  );
}

const command = (more: Partial<SubscribeCommand> = {}): SubscribeCommand => ({
  action: 'subscribe',
  topic: 'a',
  id: 7,
  ...more,
});

/** A start with one publication that the client has missed. */
const startOf = (more: Partial<FramedPage> = {}): FramedPage => ({
  position,
  publications: [MISSED],
  frames: [new MessageFrames(MISSED.text, 'a', MISSED.offset)],
  length: 8,
  ...more,
});

/** Keeps a history of the topic, which begins like this for the client. */
function keepHistory(start: FramedPage): void {
  policies.set('a', { history: HISTORY });
  entering = (entry) => {
    if (entry.stream) entry.onStart(start);
    return true;
  };
}

/** Puts the topic under judgement. @returns what ends that */
function judge(): () => void {
  let decide!: () => void;
  judgement = new Promise((resolve) => (decide = resolve));
  return () => {
    judgement = undefined;
    decide();
  };
}

describe('a subscription that starts', () => {
  it('is confirmed, and announced with the info about the subscriber', async () => {
    await starts.enter('a', command(), { info: { name: 'Ann' } });
    expect(client.told).toEqual([{ kind: 'subscribed', id: 7, topic: 'a' }]);
    expect(log).toEqual(['subscribed', ['present', 'a', { name: 'Ann' }, undefined]]);
  });

  it('is confirmed with the data of the application', async () => {
    await starts.enter('a', command(), { data: { title: 'Lobby' } });
    keepHistory(startOf());
    await starts.enter('a', command(), { data: null });
    const subscribed = { kind: 'subscribed', id: 7, topic: 'a' };
    expect(client.told).toEqual([
      { ...subscribed, data: { title: 'Lobby' } },
      { ...subscribed, position, data: null },
      'missed',
    ]);
  });

  it('is confirmed unasked when there was no command', async () => {
    await starts.enter('a', undefined);
    expect([client.told, log]).toEqual([
      [{ kind: 'subscribed', topic: 'a' }],
      ['subscribed', ['present', 'a', undefined, undefined]],
    ]);
  });

  it('is not confirmed to a command without an id, but announced', async () => {
    await starts.enter('a', command({ id: undefined }));
    expect([client.told, log[0]]).toEqual([[], 'subscribed']);
  });

  it('is confirmed with the expiry of its token', async () => {
    tokenEnd = new Date(0);
    await starts.enter('a', command());
    expect(client.told).toEqual([{ kind: 'subscribed', id: 7, topic: 'a', expiresAt: tokenEnd.toJSON() }]);
  });

  it('that exists already is confirmed again, without a second event', async () => {
    topics.add('a');
    await starts.enter('a', command(), { info: 'info' });
    expect([client.told.length, log]).toEqual([1, [['present', 'a', 'info', undefined]]]);
  });

  it.each([
    [true, true],
    [false, false],
    [undefined, undefined],
    ['if-kept', true],
  ] as const)('with the presence %s watches joins and leaves: %s', async (presence, isWatching) => {
    await starts.enter('a', command({ presence }));
    expect(log).toContainEqual(['present', 'a', undefined, isWatching]);
  });

  it('does not watch a topic without presence that it may be subscribed to without events', async () => {
    withoutPresence.add('a');
    await starts.enter('a', command({ presence: 'if-kept' }));
    expect(log).toContainEqual(['present', 'a', undefined, false]);
  });

  it.each([() => Promise.reject(new Error('away')), () => fail()])(
    'is left and refused when the topic cannot be reached',
    async (failing) => {
      entering = failing;
      await starts.enter('a', command());
      expect([client.errors, log]).toEqual([[['UNAVAILABLE', 7]], ['leave a']]);
    },
  );

  it('that exists already is said to have ended, too, when the topic cannot be reached', async () => {
    topics.add('a');
    entering = () => Promise.reject(new Error('away'));
    await starts.enter('a', command());
    expect(client.told).toMatchObject([
      { kind: 'unsubscribed', topic: 'a', code: 'UNAVAILABLE' },
      { kind: 'error', id: 7, error: { code: 'UNAVAILABLE' } },
    ]);
  });

  it('is neither confirmed nor announced when the client has gone meanwhile', async () => {
    entering = async () => true;
    const work = starts.enter('a', command());
    client.disconnect('DISCONNECTED');
    await work;
    expect([client.told, log]).toEqual([[], []]);
  });
});

describe('a subscription that has ended before it became active', () => {
  beforeEach(() => {
    entering = async () => false;
  });

  it('is refused', async () => {
    await starts.enter('a', command());
    expect([client.told, log]).toMatchObject([[ENDED], []]);
  });

  it('is refused with the error that ended it', async () => {
    const work = starts.enter('a', command());
    starts.ends.note('a', 'UNAVAILABLE');
    await work;
    expect(client.errors).toEqual([['UNAVAILABLE', 7]]);
  });

  it('is refused even if another one has begun since', async () => {
    const work = starts.enter('a', command());
    topics.add('a');
    await work;
    expect(client.told).toMatchObject([ENDED]);
  });

  it('needs no answer when there was no command', async () => {
    await starts.enter('a', undefined);
    expect([client.told, log]).toEqual([[], []]);
  });
});

describe('a subscription to a topic with a history', () => {
  it('asks for the history as the topic keeps it, from where the client was', async () => {
    keepHistory(startOf());
    await starts.enter('a', command({ recover: position }));
    expect(entered).toMatchObject({
      stream: { retention: HISTORY, recoverLimit: 10, sendLast: 0, pageSize: 5 },
      wish: { recover: position },
    });
  });

  it.each([
    [undefined, Infinity],
    [3, 3],
  ])('asks for the last publications: %s', async (last, expected) => {
    keepHistory(startOf());
    await starts.enter('a', command({ last }));
    expect(entered).toMatchObject({ wish: { last: expected } });
  });

  it('asks for none of a topic that keeps none, and says that nothing is recovered', async () => {
    await starts.enter('a', command({ recover: position }));
    expect([entered.stream, client.told]).toEqual([
      undefined,
      [{ kind: 'subscribed', id: 7, topic: 'a', recovered: false }],
    ]);
  });

  it.each([7, undefined])('is confirmed with its position, then gets what it has missed (id %s)', async (id) => {
    keepHistory(startOf({ recovered: true }));
    await starts.enter('a', command({ id, recover: position }));
    expect(client.told).toEqual([
      { kind: 'subscribed', ...(id && { id }), topic: 'a', position, recovered: true },
      'missed',
    ]);
  });

  it.each([
    [true, [{ recovered: true, publications: [MISSED] }]],
    [false, [{ recovered: false }, 'missed']],
    [undefined, [{}, 'missed']],
  ])('is confirmed together with what it has recovered where the protocol does so (%s)', async (recovered, told) => {
    startFor(new AnsweringCodec());
    keepHistory(startOf({ ...(recovered !== undefined && { recovered }) }));
    await starts.enter('a', command({ recover: position }));
    const subscribed = { kind: 'subscribed', id: 7, topic: 'a', position };
    expect(client.told).toEqual(told.map((each) => (typeof each === 'string' ? each : { ...subscribed, ...each })));
  });

  it('is confirmed before what it has recovered when there is no answer that could hold it', async () => {
    startFor(new AnsweringCodec());
    keepHistory(startOf({ recovered: true }));
    await starts.enter('a', command({ id: undefined, recover: position }));
    expect(client.told).toEqual([{ kind: 'subscribed', topic: 'a', position, recovered: true }, 'missed']);
  });

  it('is announced only after its start, since listeners may publish to it', async () => {
    keepHistory(startOf());
    let early: unknown[] = [];
    const enter = entering;
    entering = (entry) => {
      const isIn = enter(entry);
      early = [...log];
      return isIn;
    };
    await starts.enter('a', command());
    expect([early, log[0]]).toEqual([[], 'subscribed']);
  });

  it('gets further pages when the client takes them', async () => {
    keepHistory(startOf({ recovered: true }));
    await starts.enter('a', command({ recover: position }));
    const { onPage, whenReady } = entered as Extract<TopicEntry, { onPage: unknown }>;
    whenReady(() => {
      onPage({ position, publications: [], frames: [new MessageFrames('"more"', 'a', 5)], length: 6 });
      return undefined;
    });
    const before = client.told.length;
    void pages.shift()!();
    expect([before, client.told.slice(1)]).toEqual([2, ['missed', 'more']]);
  });

  it('gets no page while the topic is under judgement', async () => {
    keepHistory(startOf());
    await starts.enter('a', command());
    const decide = judge();
    let taken = 0;
    (entered as Extract<TopicEntry, { onPage: unknown }>).whenReady(() => void (taken += 1));
    void pages.shift()!();
    const early = taken;
    decide();
    await new Promise(setImmediate);
    void pages.shift()!();
    expect([early, taken, pages]).toEqual([0, 1, []]);
  });

  it('that has lost something is left, without a publication, when the client wants none then', async () => {
    keepHistory(startOf({ recovered: false }));
    await starts.enter('a', command({ recover: position, rejectsLoss: true }), { data: 'for subscribers' });
    expect(client.told).toEqual([
      { kind: 'subscribed', id: 7, topic: 'a', position, recovered: false, isRefused: true },
    ]);
    expect(log).toEqual(['leave a']);
  });

  it('to a topic without a history starts, whatever the client wants: it would load its state again and again', async () => {
    await starts.enter('a', command({ recover: position, rejectsLoss: true }));
    expect(client.told).toEqual([{ kind: 'subscribed', id: 7, topic: 'a', recovered: false }]);
    expect(log[0]).toBe('subscribed');
  });

  it('that was left for its losses is not announced even if another one has begun since', async () => {
    keepHistory(startOf({ recovered: false }));
    const enter = entering;
    entering = async (entry) => {
      const isIn = await enter(entry);
      topics.add('a');
      return isIn;
    };
    await starts.enter('a', command({ recover: position, rejectsLoss: true }));
    expect([client.told.length, log]).toEqual([1, ['leave a']]);
  });

  it.each([
    ['has lost something', { recovered: false }, false],
    ['has lost nothing', { recovered: true }, true],
    ['did not recover', {}, true],
  ])('that %s starts otherwise', async (_what, start, rejectsLoss) => {
    keepHistory(startOf(start));
    await starts.enter('a', command({ rejectsLoss }));
    expect(client.told).toEqual([{ kind: 'subscribed', id: 7, topic: 'a', position, ...start }, 'missed']);
    expect(log[0]).toBe('subscribed');
  });

  it('that has ended since it was confirmed is neither announced nor refused', async () => {
    keepHistory(startOf());
    const enter = entering;
    entering = async (entry) => {
      const isIn = await enter(entry);
      topics.delete('a');
      return isIn;
    };
    await starts.enter('a', command());
    expect([client.told, log]).toMatchObject([[{ kind: 'subscribed' }, 'missed'], []]);
  });
});

describe('a subscription that is under judgement when it starts', () => {
  it('is confirmed and announced when it stays', async () => {
    const decide = judge();
    const work = starts.enter('a', command());
    expect([client.told, log, kept.map(({ bytes }) => bytes)]).toEqual([[], [], [0]]);
    kept[0]!.deliver();
    decide();
    await work;
    expect([client.told, log[0]]).toEqual([[{ kind: 'subscribed', id: 7, topic: 'a' }], 'subscribed']);
  });

  it('keeps the publications that it has missed, and is announced after the judgement', async () => {
    keepHistory(startOf({ length: 12 }));
    const decide = judge();
    const work = starts.enter('a', command());
    expect(kept.map(({ bytes }) => bytes)).toEqual([12]);
    kept[0]!.deliver();
    expect([client.told.length, log]).toEqual([2, []]);
    decide();
    await work;
    expect(log[0]).toBe('subscribed');
  });

  it('is refused when it does not stay', async () => {
    const decide = judge();
    const work = starts.enter('a', command());
    decide();
    await work;
    expect([client.told, log]).toMatchObject([[ENDED], []]);
  });

  it('needs no answer when the client has gone meanwhile', async () => {
    const decide = judge();
    const work = starts.enter('a', command());
    client.disconnect('DISCONNECTED');
    decide();
    await work;
    expect([client.told, log]).toEqual([[], []]);
  });
});

describe('a subscription to a topic with a history that begins anew while it is under judgement', () => {
  let work: Promise<void>;
  let decide: () => void;

  beforeEach(() => {
    keepHistory(startOf());
    topics.add('a');
    decide = judge();
    work = starts.enter('a', command());
  });

  it('does so after the judgement, so that nothing held comes behind its position', async () => {
    const before = [...client.told];
    judgement = undefined;
    decide();
    await work;
    expect([before, kept, client.told.length]).toEqual([[], [], 2]);
  });

  it('is refused when it does not stay', async () => {
    topics.delete('a');
    decide();
    await work;
    expect(client.told).toMatchObject([ENDED]);
  });

  it('needs no answer when the client has gone meanwhile', async () => {
    topics.delete('a');
    client.disconnect('DISCONNECTED');
    decide();
    await work;
    expect(client.told).toEqual([]);
  });
});

it('a subscription is confirmed by itself, as after the renewal of its token', () => {
  tokenEnd = new Date(0);
  starts.confirm('a', command());
  expect([client.told, log]).toEqual([[{ kind: 'subscribed', id: 7, topic: 'a', expiresAt: tokenEnd.toJSON() }], []]);
});

function fail(): never {
  throw new Error('for the test');
}
