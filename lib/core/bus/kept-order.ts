import type { EnvelopeContent } from '../routing/envelope.js';

/**
 * True for an order that a node carries out late rather than never: one that takes something away, or has a right looked at
 * again. A connection must not outlive it because its node was cut off. To subscribe is left out: the caller was told that it
 * failed.
 */
export function isKeptOrder({ kind }: EnvelopeContent): boolean {
  return (
    kind === 'disconnect' || kind === 'revalidate' || kind === 'rights' || kind === 'metadata' || kind === 'unsubscribe'
  );
}
