import { expect, it } from 'vitest';
import type { EnvelopeContent } from '../routing/envelope.js';
import { isKeptOrder } from './kept-order.js';

it.each<readonly [EnvelopeContent, boolean]>([
  [{ kind: 'disconnect', code: 'FORCED', reason: 'signed out' }, true],
  [{ kind: 'revalidate' }, true],
  [{ kind: 'rights', roles: [] }, true],
  [{ kind: 'metadata', patch: { plan: null }, reauthorize: true }, true],
  [{ kind: 'unsubscribe', topic: 'chat', reason: 'closed' }, true],
  [{ kind: 'subscribe', topic: 'chat' }, false],
  [{ kind: 'message', text: '{"type":"t","timestamp":"x"}' }, false],
  [{ kind: 'joined', userId: 'ann' }, false],
])('%j is kept for nodes that are cut off: %s', (content, isKept) => {
  expect(isKeptOrder(content)).toBe(isKept);
});
