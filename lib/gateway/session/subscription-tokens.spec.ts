import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClient } from '../../../test/helpers/fake-client.js';
import type { TopicGrant } from '../auth/topic-tokens.js';
import type { Judged } from './judgement-runner.js';
import { SubscriptionTokens } from './subscription-tokens.js';

const TOLERANCE_S = 5;
const END = new Date(60_000);

let client: FakeClient;
let tokens: SubscriptionTokens;
/** The verdict on the next token. */
let grant: TopicGrant;
/** What was asked about each token. */
let asked: unknown[][];
/** What the runner of judgements was told, and the topics whose tokens were revoked. */
let log: string[];
/** The judgement that the runner has begun last. */
let judged: { readonly owner: Judged; readonly topics: readonly string[] };

beforeEach(() => {
  client = new FakeClient();
  grant = { ok: true, expiresAt: END };
  [asked, log] = [[], []];
  tokens = tokensOf(client);
});

const tokensOf = (owner: FakeClient) =>
  new SubscriptionTokens(
    owner,
    {
      settings: { clockToleranceS: TOLERANCE_S },
      topicTokens: {
        judge: async (...token) => {
          asked.push(token);
          return grant;
        },
      },
      judgements: {
        judge: (who, topics) => {
          judged = { owner: who, topics: [...topics] };
          log.push(`judge ${judged.topics.join()}`);
        },
        drop: (who, topic) => void (who === tokens && log.push(`drop ${topic}`)),
        forget: (who) => void (who === tokens && log.push('forget')),
      },
    },
    (topic) => void log.push(`revoked ${topic}`),
  );

const take = (topic: string, token?: string) => tokens.take({ action: 'subscribe', topic, id: 7, token });

/** Takes a token that the application can revoke. */
function takeRevocable(topic: string, isRevoked: () => Promise<boolean> = async () => true): Promise<boolean> {
  grant = { ok: true, expiresAt: END, isRevoked };
  return take(topic, 'token');
}

describe('a topic token', () => {
  it('is judged for the topic and the user, and lasts until its expiry', async () => {
    expect([await take('a', 'token'), tokens.endOf('a'), tokens.endOf('b')]).toEqual([true, END, undefined]);
    expect([asked, client.told]).toEqual([[['token', 'a', 'ann', undefined]], []]);
  });

  it('is judged with the address of the client', async () => {
    tokens = tokensOf(Object.assign(client, { address: '192.0.2.1' }));
    await take('a', 'token');
    expect(asked).toEqual([['token', 'a', 'ann', '192.0.2.1']]);
  });

  it('that is missing is judged like an empty one', async () => {
    await take('a');
    expect(asked).toEqual([['', 'a', 'ann', undefined]]);
  });

  it('that is not good is answered with the error, and the one before stays', async () => {
    await take('a', 'token');
    grant = { ok: false, error: { code: 'FORBIDDEN', message: 'for the test' } };
    expect([await take('a', 'bad'), client.errors, tokens.endOf('a')]).toEqual([false, [['FORBIDDEN', 7]], END]);
  });

  it.each<TopicGrant>([
    { ok: true, expiresAt: END },
    { ok: false, error: { code: 'FORBIDDEN', message: 'for the test' } },
  ])('of a client that has gone meanwhile is neither kept nor answered: %j', async (verdict) => {
    grant = verdict;
    const taken = take('a', 'token');
    client.disconnect('DISCONNECTED');
    expect([await taken, client.told, tokens.endOf('a')]).toEqual([false, [], undefined]);
  });

  it('takes the place of the one before, whose revocation no longer counts', async () => {
    await takeRevocable('a');
    const later = new Date(90_000);
    grant = { ok: true, expiresAt: later };
    await take('a', 'newer');
    tokens.revalidate();
    expect([tokens.endOf('a'), await tokens.ask('a'), log]).toEqual([later, false, ['drop a', 'judge ']]);
  });

  it('is forgotten with its subscription, and so is its judgement', async () => {
    await takeRevocable('a');
    await takeRevocable('b');
    tokens.delete('a');
    expect([tokens.endOf('a'), tokens.endOf('b'), log]).toEqual([undefined, END, ['drop a']]);
  });

  it('that nothing can revoke is under no judgement, which could be dropped', async () => {
    await take('a', 'token');
    tokens.delete('a');
    tokens.stop();
    expect(log).toEqual([]);
  });
});

describe('the expiry of topic tokens', () => {
  it('comes after the tolerated clock difference, and once', async () => {
    await take('a', 'token');
    grant = { ok: true, expiresAt: new Date(END.getTime() + 1) };
    await take('b', 'token');
    const at = END.getTime() + TOLERANCE_S * 1_000;
    expect([tokens.takeExpired(at - 1), tokens.takeExpired(at), tokens.takeExpired(at)]).toEqual([[], ['a'], []]);
    expect([tokens.endOf('a'), tokens.endOf('b')]).toEqual([undefined, grant.expiresAt]);
  });

  it('ends their judgements', async () => {
    await takeRevocable('a');
    tokens.takeExpired(Infinity);
    expect(log).toEqual(['drop a']);
  });

  it('concerns no topic while there are no tokens', () => {
    expect(tokens.takeExpired(Infinity)).toEqual([]);
  });
});

describe('the revocation of topic tokens', () => {
  it('is asked for each token that can be revoked', async () => {
    for (const topic of ['a', 'b']) await takeRevocable(topic);
    grant = { ok: true, expiresAt: END };
    await take('c', 'token');
    tokens.revalidate();
    expect(judged).toEqual({ owner: tokens, topics: ['a', 'b'] });
  });

  it('is not asked for while no token can be revoked', async () => {
    await take('a', 'token');
    tokens.revalidate();
    expect(log).toEqual([]);
  });

  it.each([
    ['is true when the application says so', async () => true, true],
    ['is false when the application says so', async () => false, false],
    ['is false while the application cannot tell', () => Promise.reject(new Error('away')), false],
  ])('%s', async (_what, isRevoked, expected) => {
    await takeRevocable('a', isRevoked);
    expect(await tokens.ask('a')).toBe(expected);
  });

  it('is false for a topic without a token', async () => {
    expect(await tokens.ask('a')).toBe(false);
    await takeRevocable('b');
    expect(await tokens.ask('a')).toBe(false);
  });

  it.each([
    [true, ['revoked a']],
    [false, []],
    [undefined, []],
  ])('decided as %s ends the subscription: %j', (isRevoked, expected) => {
    tokens.decide('a', isRevoked);
    expect(log).toEqual(expected);
  });

  it('does not matter any more when the client has gone', async () => {
    await takeRevocable('a');
    tokens.stop();
    expect(log).toEqual(['forget']);
  });
});
