import type { Address } from '../routing/address.js';
import { nodeOf } from '../connection/connection-id.js';

/** The bus subject for envelopes to this address; `undefined` if no node can be joined to one. */
export function subjectOf(address: Address): string | undefined {
  switch (address.kind) {
    case 'all':
      return ALL_SUBJECT;
    case 'connection': {
      const nodeId = nodeOf(address.id);
      return nodeId === undefined ? undefined : nodeSubject(nodeId);
    }
    case 'user':
    case 'role':
    case 'topic':
      return `${address.kind}:${address.id}`;
  }
}

/** Joined by every node; unions of addresses go out here once, and each node picks its own recipients. */
export const ALL_SUBJECT = 'all';

/** The subject for the connections of one node; only that node joins it. */
export function nodeSubject(nodeId: string): string {
  return `node:${nodeId}`;
}

/**
 * The one subject for a list of addresses: that of a single address, `undefined` for none, else the one that every
 * node has joined.
 */
export function subjectOfAll(addresses: readonly Address[]): string | undefined {
  const [first] = addresses;
  if (first === undefined) return undefined;
  return addresses.length === 1 ? subjectOf(first) : ALL_SUBJECT;
}
