import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClient } from '../../../test/helpers/fake-client.js';
import { collectLogs } from '../../../test/helpers/handler-harness.js';
import type { TopicHold } from '../../delivery/held-topics.js';
import type { SubscribeDecision } from '../../handlers/subscribe-decision.js';
import { RealtimeSettings } from '../../options/realtime.options.js';
import { SubscriptionJudgements, type JudgedSubscriptions } from './subscription-judgements.js';

/** Half of the send queue may be held. */
const HELD_BYTES = 10_000;
const DENIED: SubscribeDecision = { allowed: false, error: { code: 'FORBIDDEN', message: 'No.' } };

let client: FakeClient;
let judgements: SubscriptionJudgements;
/** What happens, in order. */
let log: string[];
/** The holds of the delivery, by topic. */
let holds: Map<string, TopicHold>;
let subscriptions: JudgedSubscriptions;

beforeEach(() => {
  client = new FakeClient();
  log = [];
  holds = new Map();
  subscriptions = {
    ask: async (topic) => {
      log.push(`ask ${topic}`);
      return DENIED;
    },
    stay: (topic, info) => void log.push(`stay ${topic} ${JSON.stringify(info)}`),
    takeOff: (topic, { code, message }) => {
      log.push(`off ${topic} ${code}: ${message}`);
      judgements.drop(topic);
    },
  };
  judgements = new SubscriptionJudgements(
    client,
    {
      settings: new RealtimeSettings({ limits: { sendQueueBytes: 2 * HELD_BYTES } }),
      membership: {
        hold: (id, topic, hold) => {
          log.push(`hold ${id} ${topic}`);
          holds.set(topic, hold);
        },
        endHold: (id, topic) => {
          log.push(`end ${id} ${topic}`);
          holds.delete(topic);
        },
      },
      judgements: {
        judge: (owner, topics) => void (owner === judgements && log.push(`judge ${[...topics].join()}`)),
        drop: (owner, topic) => void (owner === judgements && log.push(`drop ${topic}`)),
        forget: (owner) => void (owner === judgements && log.push('forget')),
      },
    },
    {
      ask: (topic) => subscriptions.ask(topic),
      stay: (topic, info) => subscriptions.stay(topic, info),
      takeOff: (topic, error) => subscriptions.takeOff(topic, error),
    },
  );
});

/** Begins to judge the topics; what is logged from now on is what follows. */
function begin(...topics: string[]): void {
  judgements.begin(topics);
  log.length = 0;
}

const deliver = (text: string) => () => void log.push(text);

/** Returns a list that gets an entry once the work is done. */
function endOf(work: Promise<void>): string[] {
  const ends: string[] = [];
  void work.then(() => ends.push('over'));
  return ends;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the topics under judgement', () => {
  it('are held at once, each of them, and then judged', () => {
    judgements.begin(new Set(['a', 'b']));
    expect(log).toEqual(['hold n.1 a', 'hold n.1 b', 'judge a,b']);
  });

  it('are held on and judged anew when the rights change again', () => {
    begin('a');
    const hold = holds.get('a');
    judgements.begin(['a', 'b']);
    expect([log, holds.get('a') === hold]).toEqual([['hold n.1 b', 'judge a,b'], true]);
  });

  it('count the changes of rights, also one that concerns no topic', () => {
    const before = judgements.changes;
    begin('a');
    begin();
    expect([before, judgements.changes]).toEqual([0, 2]);
  });

  it('are decided by the application', async () => {
    expect([await judgements.ask('a'), log]).toEqual([DENIED, ['ask a']]);
  });

  it('can be waited for, until they are decided', async () => {
    begin('a');
    const ends = endOf(judgements.decided('a')!);
    await turn();
    expect([ends, judgements.decided('b')]).toEqual([[], undefined]);
    judgements.decide('a', { allowed: true });
    await turn();
    expect([ends, judgements.decided('a')]).toEqual([['over'], undefined]);
  });
});

describe('a topic that stays', () => {
  it('gives out what has arrived, in order, after the info about the subscriber', () => {
    begin('a');
    for (const text of ['one', 'two']) judgements.keep('a', deliver(text), 10);
    expect(log).toEqual([]);
    judgements.decide('a', { allowed: true, info: { name: 'Ann' } });
    expect(log).toEqual(['end n.1 a', 'stay a {"name":"Ann"}', 'one', 'two']);
  });

  it('is decided once', () => {
    begin('a');
    judgements.decide('a', { allowed: true });
    log.length = 0;
    judgements.decide('a', { allowed: true });
    judgements.decide('a', DENIED);
    expect(log).toEqual([]);
  });
});

describe('a topic that ends', () => {
  it.each([
    ['denied', DENIED, /^off a FORBIDDEN: No\.$/],
    ['not decided in time', undefined, /^off a UNAVAILABLE: .*in time/],
  ])('because it is %s drops what has arrived', async (_why, decision, off) => {
    begin('a');
    const ends = endOf(judgements.decided('a')!);
    judgements.keep('a', deliver('one'), 10);
    judgements.decide('a', decision);
    await turn();
    expect([log, ends]).toEqual([[expect.stringMatching(off), 'end n.1 a', 'drop a'], ['over']]);
  });

  it('by itself is forgotten, and decided', async () => {
    begin('a', 'b');
    const ends = endOf(judgements.decided('a')!);
    judgements.drop('a');
    await turn();
    expect([log, ends, [...holds.keys()]]).toEqual([['end n.1 a', 'drop a'], ['over'], ['b']]);
  });

  it('while it is not under judgement changes nothing', () => {
    begin('a');
    judgements.drop('b');
    judgements.decide('b', DENIED);
    expect(log).toEqual([]);
  });

  it('with its client is forgotten as all others', () => {
    begin('a', 'b');
    judgements.stop();
    expect(log).toEqual(['end n.1 a', 'drop a', 'end n.1 b', 'drop b', 'forget']);
  });
});

describe('what arrives meanwhile', () => {
  it('is kept for a topic under judgement only', () => {
    begin('a');
    expect([judgements.keep('a', deliver('one'), 10), judgements.keep('b', deliver('two'), 10)]).toEqual([true, false]);
  });

  it('fills half of the send queue, over all topics of the client; then the topic ends', async () => {
    begin('a', 'b');
    judgements.keep('a', deliver('one'), HELD_BYTES / 2);
    judgements.keep('b', deliver('two'), HELD_BYTES / 2);
    expect(log).toEqual([]);
    await turn();
    expect(log).toEqual([expect.stringMatching(/^off b UNAVAILABLE: .*more/), 'end n.1 b', 'drop b']);
    judgements.decide('a', { allowed: true });
    expect(log.slice(3)).toEqual(['end n.1 a', 'stay a undefined', 'one']);
  });

  it('leaves its room to other topics when its own has ended', async () => {
    begin('a', 'b');
    for (const topic of ['a', 'b']) {
      judgements.keep(topic, deliver('much'), HELD_BYTES - 100);
      judgements.drop(topic);
      log.length = 0;
    }
    begin('c');
    judgements.keep('c', deliver('much'), HELD_BYTES - 100);
    await turn();
    expect([log, [...holds.keys()]]).toEqual([[], ['c']]);
  });

  it('and is too much does not end a later judgement of the same topic', async () => {
    begin('a');
    judgements.keep('a', deliver('one'), HELD_BYTES);
    judgements.drop('a');
    begin('a');
    await turn();
    expect([log, holds.size]).toEqual([[], 1]);
  });
});

it.each<[string, SubscribeDecision, object]>([
  ['staying', { allowed: true }, { stay: () => fail() }],
  ['ending', DENIED, { takeOff: () => fail() }],
])('a failure in %s ends the client, and reaches nobody else', (_what, decision, failing) => {
  collectLogs();
  subscriptions = { ...subscriptions, ...failing };
  begin('a');
  judgements.decide('a', decision);
  expect(client.closedWith).toEqual(['SERVER_ERROR']);
});

function fail(): never {
  throw new Error('for the test');
}
