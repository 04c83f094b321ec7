import { describe, expect, it } from 'vitest';
import { isAnswer, type Push } from './push.js';

const topic = 'chat:1';

describe('what a client waits for', () => {
  it.each<Push>([
    { kind: 'welcome', connectionId: 'c', userId: 'ann', heartbeatMs: 1 },
    { kind: 'authenticated', userId: 'ann' },
    { kind: 'subscribed', id: 1, topic },
    { kind: 'unsubscribed', id: 1, topic },
    { kind: 'reply', id: 1, payload: {} },
    { kind: 'pong' },
    { kind: 'error', error: { code: 'INTERNAL', message: '' } },
  ])('includes $kind', (push) => {
    expect(isAnswer(push)).toBe(true);
  });

  it.each<Push>([
    { kind: 'expiring', expiresAt: new Date(0) },
    { kind: 'subscribed', topic, byServer: true },
    { kind: 'unsubscribed', topic, reason: 'closed' },
    { kind: 'joined', topic, userId: 'bob' },
    { kind: 'presence-reset', topic },
    { kind: 'dropped', topic, count: 1 },
    { kind: 'ping' },
  ])('does not include $kind without a command', (push) => {
    expect(isAnswer(push)).toBe(false);
  });
});
