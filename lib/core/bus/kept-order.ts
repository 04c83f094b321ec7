import type { EnvelopeContent } from '../routing/envelope.js';

/**
 * True for an order that a node must execute even if late: one that removes a right or a subscription, disconnects, or
 * rechecks a right. A connection must not outlive it because its node was cut off. A subscribe order is not kept: its caller
 * was told that it failed.
 */
export function isKeptOrder({ kind }: EnvelopeContent): boolean {
  return (
    kind === 'disconnect' || kind === 'revalidate' || kind === 'rights' || kind === 'metadata' || kind === 'unsubscribe'
  );
}
