import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClient } from '../../../test/helpers/fake-client.js';
import type { HistoryPage, HistoryRange } from '../../core/history/history.js';
import type { HistoryCommand } from '../../core/protocol/command.js';
import type { TopicPolicy } from '../../delivery/topic-policies.js';
import { RealtimeSettings } from '../../options/realtime.options.js';
import { answerHistory } from './history-command.js';

const HISTORY = { size: 10, ttlMs: 5_000 };
const PAGE: HistoryPage = { top: { epoch: 'e', offset: 2 }, publications: [{ offset: 2, text: '{}' }] };

let client: FakeClient;
let policy: TopicPolicy | undefined;
let isSubscribed: boolean;
let read: () => HistoryPage | Promise<HistoryPage>;
let ranges: HistoryRange[];

beforeEach(() => {
  client = new FakeClient();
  policy = { history: HISTORY };
  isSubscribed = true;
  read = () => PAGE;
  ranges = [];
});

function answer(command: Partial<HistoryCommand> = {}): Promise<void> {
  const services: Parameters<typeof answerHistory>[2] = {
    settings: new RealtimeSettings({ limits: { maxHistoryPage: 5 } }),
    pubSub: { isSubscribed: () => isSubscribed },
    policies: { hasGateways: true, of: () => policy },
    history: {
      read: (_topic, range) => {
        ranges.push(range);
        return read();
      },
    },
  };
  const isOpen = async () => isSubscribed;
  return answerHistory({ action: 'history', topic: 'log', id: 7, ...command }, client, services, isOpen);
}

describe('a subscriber who asks for the history of a topic', () => {
  it('is answered with a page of it', async () => {
    await answer();
    expect(client.told).toEqual([{ kind: 'history', id: 7, topic: 'log', ...PAGE }]);
  });

  it('gets no longer page than the limit', async () => {
    await answer({ limit: 100 });
    await answer({ limit: 2, since: { epoch: 'e', offset: 1 }, reverse: true });
    expect(ranges).toEqual([
      // One more, which tells whether there are more.
      { limit: 6, reverse: false },
      { limit: 3, reverse: true, since: 1 },
    ]);
  });

  it('reads the position alone when none is asked for', async () => {
    await answer({ limit: 0 });
    expect(ranges).toEqual([{ limit: 0, reverse: false }]);
  });

  it('is told that there are more than the page holds', async () => {
    const publications = Array.from({ length: 6 }, (_, n) => ({ offset: n + 1, text: '{}' }));
    read = () => ({ top: { epoch: 'e', offset: 6 }, publications });
    await answer();
    expect(client.told).toMatchObject([{ publications: publications.slice(0, 5), more: true }]);
  });

  it('gets a page of bounded size, whose length counts', async () => {
    const publications = Array.from({ length: 5 }, (_, n) => ({
      offset: n + 1,
      text: JSON.stringify('x'.repeat(200_000)),
    }));
    read = () => ({ top: { epoch: 'e', offset: 5 }, publications });
    await answer();
    const counted = client.replies.takeCounted();
    expect(client.told).toMatchObject([{ publications: publications.slice(0, 2), more: true }]);
    expect([counted > 400_000, counted < 410_000, client.replies.takeCounted()]).toEqual([true, true, 0]);
  });

  it('is refused when the subscription has ended meanwhile', async () => {
    read = async () => {
      isSubscribed = false;
      return PAGE;
    };
    await answer();
    expect(client.errors).toEqual([['FORBIDDEN', 7]]);
  });

  it('is told when the history has begun anew since', async () => {
    await answer({ since: { epoch: 'older', offset: 1 } });
    expect(client.told).toMatchObject([{ error: { code: 'VALIDATION_FAILED', httpStatus: 410 }, id: 7 }]);
  });

  it('may name an offset in whichever epoch there is', async () => {
    await answer({ since: { epoch: '', offset: 1 } });
    expect(client.told).toMatchObject([{ kind: 'history' }]);
  });

  it('is told when it cannot be read', async () => {
    read = () => Promise.reject(new Error('away'));
    await answer();
    expect(client.errors).toEqual([['UNAVAILABLE', 7]]);
  });

  it.each<[string, () => void, string]>([
    ['it is not subscribed', () => (isSubscribed = false), 'FORBIDDEN'],
    ['the application keeps it to itself', () => (policy = { history: HISTORY, clientAccess: false }), 'FORBIDDEN'],
    ['the topic keeps none', () => (policy = {}), 'NO_HANDLER'],
  ])('is refused when %s', async (_when, arrange, code) => {
    arrange();
    await answer();
    expect([client.errors, ranges]).toEqual([[[code, 7]], []]);
  });

  it('costs no read when there is no id to answer to', async () => {
    await answer({ id: undefined });
    expect([client.told, ranges]).toEqual([[], []]);
  });

  it.each<[string, () => Promise<HistoryPage>]>([
    ['a page', async () => PAGE],
    ['a failure', () => Promise.reject(new Error('away'))],
  ])('is told nothing of %s when it has gone meanwhile', async (_what, later) => {
    read = later;
    const work = answer();
    client.disconnect('DISCONNECTED');
    await work;
    expect(client.told).toEqual([]);
  });

  it('is refused when the right to it was lost while it was read', async () => {
    read = () => {
      isSubscribed = false;
      return PAGE;
    };
    await answer();
    expect(client.errors).toEqual([['FORBIDDEN', 7]]);
  });
});
