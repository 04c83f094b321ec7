import type { Push } from '../../lib/core/protocol/push.js';

/** Every kind of push with as little as it may carry, and with all that it may carry. */
export const PUSHES: {
  readonly [K in Push['kind']]: readonly [Extract<Push, { kind: K }>, Extract<Push, { kind: K }>];
} = {
  welcome: [
    { kind: 'welcome', connectionId: 'n.c', userId: 'ann', heartbeatMs: 1 },
    { kind: 'welcome', connectionId: 'n.c', userId: 'ann', heartbeatMs: 1, maxMessageBytes: 1, expiresAt: new Date(0) },
  ],
  subscribed: [
    { kind: 'subscribed', topic: 't' },
    { kind: 'subscribed', topic: 't', id: 1, position: { epoch: 'e', offset: 1 }, recovered: true, data: 1 },
  ],
  history: [
    { kind: 'history', id: 1, topic: 't', top: { epoch: 'e', offset: 1 }, publications: [] },
    { kind: 'history', id: 1, topic: 't', top: { epoch: 'e', offset: 1 }, publications: [], more: true },
  ],
  unsubscribed: [
    { kind: 'unsubscribed', topic: 't' },
    { kind: 'unsubscribed', topic: 't', id: 1, reason: 'r', code: 'UNAVAILABLE' },
  ],
  joined: [
    { kind: 'joined', topic: 't', userId: 'ann' },
    { kind: 'joined', topic: 't', userId: 'ann', info: 1 },
  ],
  left: [
    { kind: 'left', topic: 't', userId: 'ann' },
    { kind: 'left', topic: 't', userId: 'ann', info: 1 },
  ],
  updated: [
    { kind: 'updated', topic: 't', userId: 'ann' },
    { kind: 'updated', topic: 't', userId: 'ann', info: 1 },
  ],
  'presence-reset': [
    { kind: 'presence-reset', topic: 't' },
    { kind: 'presence-reset', topic: 't' },
  ],
  dropped: [
    { kind: 'dropped', topic: 't', count: 1 },
    { kind: 'dropped', topic: 't', count: 1 },
  ],
  presence: [
    { kind: 'presence', id: 1, presence: { topic: 't', users: [], userCount: 0, connectionCount: 0 } },
    { kind: 'presence', id: 1, presence: { topic: 't', users: [], userCount: 0, connectionCount: 0 } },
  ],
  reply: [
    { kind: 'reply', id: 1, payload: undefined },
    { kind: 'reply', id: 1, payload: 1 },
  ],
  complete: [
    { kind: 'complete', id: 1 },
    { kind: 'complete', id: 1 },
  ],
  authenticated: [
    { kind: 'authenticated', userId: 'ann' },
    { kind: 'authenticated', userId: 'ann', id: 1, expiresAt: new Date(0) },
  ],
  pong: [{ kind: 'pong' }, { kind: 'pong', id: 1 }],
  ping: [{ kind: 'ping' }, { kind: 'ping' }],
  expiring: [
    { kind: 'expiring', expiresAt: new Date(0) },
    { kind: 'expiring', expiresAt: new Date(0) },
  ],
  error: [
    { kind: 'error', error: { code: 'INTERNAL', message: 'm' } },
    {
      kind: 'error',
      id: 1,
      error: { code: 'INTERNAL', message: 'm', action: 'a', topic: 't', retryAfterMs: 1, details: 1 },
    },
  ],
};
